"""A tiny objective and processes that train it together, as a launcher would start them; importable by both sides."""

import json
import multiprocessing
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from inkseal.core.config import ComponentConfig
from inkseal.core.errors import InksealError
from inkseal.core.events import Event
from inkseal.workshop.train import loop
from inkseal.workshop.train.recipe import Recipe

NUM_EXAMPLES = 40


class StopsAfter:
    """Fits `Cancel`: is set once it has been asked `times` times."""

    def __init__(self, times: int) -> None:
        self._left = times

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


class Line:
    """Two players whose losses are means over examples, so that it matters not who computes which."""

    name: ClassVar[str] = "line"
    dataset: ClassVar[str] = "none"
    config: ClassVar[type[ComponentConfig]] = ComponentConfig

    def __init__(self, config: ComponentConfig, data: Any, run_dir: Path) -> None:
        import torch
        from torch import nn

        # Another beginning in each process, which the main one's must replace.
        torch.manual_seed(int(os.environ.get("RANK", "0")))
        first = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
        second = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(1, 4)), nn.Linear(4, 3))
        self.modules: dict[str, Any] = {"first": first, "second": second}
        self._run_dir = run_dir
        self._inputs = torch.randn(NUM_EXAMPLES, 3, generator=torch.Generator().manual_seed(1))

    def prepare(self, on_event: Any, cancel: Any) -> None:
        """Leaves a file, which only the first process to come may write."""
        path = self._run_dir / "prepared"
        if not path.exists():
            path.write_text(os.environ.get("RANK", "0"))

    def num_examples(self) -> int:
        return NUM_EXAMPLES

    def batch(self, indices: Any, rng: Any) -> Mapping[str, Any]:
        return {"inputs": self._inputs[indices]}

    def loss(self, batch: Mapping[str, Any], player: str) -> tuple[Any, Mapping[str, Any]]:
        inputs = batch["inputs"]
        made = self.modules["first"](inputs)
        if player == "first":
            error = (made[:, 0] - inputs.prod(1)).square().mean()
        else:
            error = (self.modules["second"](made.detach()) - inputs).square().mean()
        return error, {"loss": error}

    def evaluate(self) -> Mapping[str, float]:
        return {"loss": float((self.modules["first"](self._inputs)[:, 0] - self._inputs.prod(1)).square().mean())}

    def sheet(self) -> Any:
        return np.zeros((2, 2, 3), np.uint8)

    def facts(self) -> dict[str, Any]:
        return {}


def line_recipe(**changes: Any) -> Recipe:
    """Returns 30 steps of it."""
    values: dict[str, Any] = {"name": "line", "objective": "line", "steps": 30, "batch": 8, "precision": "no"}
    values |= {"log_every": 5, "checkpoint_every": 10, "look_every": 15, "averaging": 0.9, "optimizer": {"lr": 1e-2}}
    return Recipe.model_validate(values | {"lr_schedule": {"warm_up_steps": 3}} | changes)


def train_line(folder: Path, recipe: Recipe, place: Mapping[str, str], stop: int | None = None) -> None:
    """Trains in this process as one of several; writes what it heard and how it ended into `heard-RANK.json`."""
    os.environ.update(place)
    loop.objectives = {"line": Line}  # type: ignore[assignment]
    heard: list[Event] = []
    cancel = StopsAfter(stop if stop is not None else 10**9)
    try:
        outcome = loop.train(recipe, None, folder, fresh=False, on_event=heard.append, cancel=cancel)
        ended: dict[str, Any] = {"step": outcome.step, "process": outcome.process}
    except InksealError as error:
        ended = {"code": error.code, "message": error.what}
    told = {"kinds": sorted({event.kind for event in heard}), **ended}
    folder.with_name(f"heard-{place.get('RANK', '0')}.json").write_text(json.dumps(told))


def train_together(
    folder: Path, recipe: Recipe, stop: Mapping[int, int] | None = None, count: int = 2, **place: str
) -> list[dict[str, Any]]:
    """Trains with `count` processes on this machine's processor, told `place` besides; returns what each wrote."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place |= {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1"}
    place |= {"MASTER_PORT": str(port), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    context = multiprocessing.get_context("spawn")
    processes = []
    for rank in range(count):
        mine = place | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        processes.append(context.Process(target=train_line, args=(folder, recipe, mine, (stop or {}).get(rank))))
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join(120)
            assert process.exitcode == 0, process.exitcode
    finally:
        for process in processes:
            process.kill()
    return [json.loads(folder.with_name(f"heard-{rank}.json").read_text()) for rank in range(count)]
