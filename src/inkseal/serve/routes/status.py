"""How the installation stands now: memory, work, speed, energy, versions, disk."""

import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from fastapi import APIRouter, Request

from inkseal.core.language import Language, current_language
from inkseal.core.types import Closed
from inkseal.runtime.device import describe
from inkseal.runtime.energy import EnergyMeter
from inkseal.serve.callers import AnyCaller
from inkseal.serve.capacity import MemoryFacts, memory

router = APIRouter(prefix="/api/v1", tags=["server"])
PACKAGES = ("openvino", "openvino-genai", "c2pa-python", "xllamacpp")


class Machine(Closed):
    """What the work runs on."""

    processor: str
    num_cores: int
    instruction_sets: tuple[str, ...]
    system: str


class Status(Closed):
    """The installation now. `energy` says whether runs can say what they took."""

    version: str
    versions: dict[str, str]
    language: Language
    offline: bool
    regime: str
    machine: Machine
    memory: MemoryFacts
    free_disk_bytes: int
    num_running: int
    num_waiting: int
    tokens_per_second: float
    energy: Literal["measured", "unknown"]


@router.get("/status", summary="How the installation stands now")
def status(request: Request, caller: AnyCaller) -> Status:
    state = request.app.state
    settings = state.studio.settings
    return Status(
        version=version("inkseal"),
        versions=_versions(),
        language=settings.language or current_language(),
        offline=settings.offline,
        regime=settings.regime,
        machine=Machine(**describe().model_dump(include=set(Machine.model_fields))),
        memory=memory(state.studio),
        free_disk_bytes=shutil.disk_usage(settings.data_dir).free,
        num_running=state.queue.num_running,
        num_waiting=state.queue.num_waiting,
        tokens_per_second=state.pace.tokens_per_second,
        energy="measured" if EnergyMeter().stop() is not None else "unknown",
    )


@router.get("/memory", summary="The memory budget and what is loaded")
def show_memory(request: Request, caller: AnyCaller) -> MemoryFacts:
    return memory(request.app.state.studio)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
