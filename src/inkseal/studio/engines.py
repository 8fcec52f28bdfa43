"""From a model's name to a loaded engine: card, files, backend, memory budget."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import psutil

from inkseal.core.config import Settings, configure
from inkseal.core.errors import Unsupported
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Backend, Cancel, Engine, LocalModel
from inkseal.runtime.device import free_threads
from inkseal.runtime.engine_process import start_engine
from inkseal.runtime.engines import EnginePool
from inkseal.studio.generate.backends import backends

WORKER = "inkseal.studio.engine_worker"
BUDGET_SHARE = 0.7
"""Of the machine's memory, when the settings name no budget."""


class Engines:
    """The engines of one installation.

    Args:
        find: resolves a model's name to its files (the catalogue's `local`).
        isolate: gives each engine a process of its own.
        secrets: what backends may ask for by name; read when one does.
    """

    def __init__(
        self,
        settings: Settings,
        find: Callable[[str], LocalModel],
        isolate: bool = False,
        secrets: Mapping[str, Callable[[], str]] | None = None,
    ) -> None:
        self._settings = settings
        self._secrets = secrets or {}
        self._isolate = isolate
        self.local_model = find
        self.pool = EnginePool(_budget_bytes(settings))
        self._forecasts: dict[tuple[object, ...], int] = {}

    def use(self, settings: Settings) -> None:
        """Takes over changed settings; engines that are loaded stay as they are."""
        self._settings = settings
        self.pool.budget_bytes = _budget_bytes(settings)

    def forecast(self, model: LocalModel, task: str) -> tuple[str, int]:
        """Returns the key under which the pool holds the model, and the bytes that loading it will take.

        Raises:
            Unsupported: no backend can run it.
        """
        backend = self.backend_for(model, task)
        key = self._key(backend, model)
        config = configure(type(backend).config, self._settings.backends.get(backend.name, {}), backend.name)
        known = (key, config.model_dump_json(), *_identity(model))
        if known not in self._forecasts:  # reads the head of the weights
            self._forecasts[known] = backend.forecast_bytes(model)
        return key, self._forecasts[known]

    def backend_for(self, model: LocalModel, task: str) -> Backend:
        """Returns the backend of the settings for a local text model, the first that can run any other; configured.

        Raises:
            Unsupported: none can; the message has each one's reason.
        """
        reasons = []
        chosen_for = task == "generate" and model.modality == "text" and model.remote is None
        preferred = self._settings.backend if chosen_for else ""
        names = [preferred] if preferred else sorted(backends, key=lambda name: (_rank(backends[name]), name))
        for name in names:
            kind = backends[name]
            if task not in kind.tasks:
                continue
            config = configure(kind.config, self._settings.backends.get(name, {}), f"backends.{name}")
            backend = kind(config, **self._given(kind))
            reason = backend.fits(model)
            if reason is None:
                return backend
            reasons.append(f"{name}: {reason}")
        raise Unsupported(
            say(f"No backend here runs {model.name!r}.", f"这里没有后端能运行 {model.name!r}。")
            + " "
            + " ".join(reasons),
            fix=say("Run `inkseal doctor`.", "请运行 `inkseal doctor`。"),
        )

    def _key(self, backend: Backend, model: LocalModel) -> str:
        """Returns the pool's key of a model with what its backend was given: another upscaler is another engine."""
        given = {} if model.remote is not None else self._given(type(backend))
        ending = ":" + hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:8] if given else ""
        return f"{backend.name}:{model.sha256 or model.name}{ending}"

    def _given(self, kind: type[Backend]) -> dict[str, str]:
        return {name: self._secrets[name]() for name in getattr(kind, "needs", ()) if name in self._secrets}

    @contextlib.contextmanager
    def lease(self, model: LocalModel, task: str, on_event: Listener, cancel: Cancel | None = None) -> Iterator[Engine]:
        """Gives the loaded engine of a model while the block runs.

        Raises:
            NotEnoughMemory: it does not fit the budget.
        """
        backend = self.backend_for(model, task)
        key = self._key(backend, model)

        def load() -> Engine:
            threads = self._settings.threads or free_threads()
            if not self._isolate or model.remote is not None:  # a service needs no process here
                return backend.load(model, threads, on_event, cancel or Never())
            values = {
                "backend": backend.name,
                "config": self._settings.backends.get(backend.name, {}),
                "given": self._given(type(backend)),
                "model": model.model_dump(mode="json"),
                "threads": threads,
                "memory_limit_bytes": self._settings.engine_memory_limit_bytes,
            }
            return start_engine(WORKER, values, model, on_event, cancel or Never())

        with self.pool.lease(key, partial(backend.forecast_bytes, model), load, cancel) as engine:
            yield engine


def _identity(model: LocalModel) -> Iterator[tuple[str, int, int]]:
    """Yields name, size and time of change of a model's files: the same ones hold the same."""
    for name in sorted(model.files):
        with contextlib.suppress(OSError):  # one that is not there is what the forecast will speak of
            found = (model.folder / name).stat()
            yield name, found.st_size, found.st_mtime_ns


def _budget_bytes(settings: Settings) -> int:
    return settings.memory_budget_bytes or int(psutil.virtual_memory().total * BUDGET_SHARE)


def _rank(kind: type[Backend]) -> int:
    return getattr(kind, "rank", 0)


class Never:
    """A cancel signal that nobody sets."""

    def is_set(self) -> bool:
        return False


def model_root(settings: Settings) -> Path:
    """Returns the folder that models are kept in."""
    return settings.data_dir / "models"
