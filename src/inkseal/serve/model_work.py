"""What is done to models as tasks: fetching, loading, measuring. Each returns the work that a task does."""

import time
from collections.abc import Callable
from typing import Any

from inkseal.catalog.card import Card
from inkseal.core.errors import Unsupported
from inkseal.core.events import Event, Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, GenerativeEngine
from inkseal.serve.tasks import Work
from inkseal.studio.studio import Studio

ROUNDS = 2


def pulling(studio: Studio, card: Card) -> Work:
    """Returns the fetching of a model's files, with its progress counted over all of them."""

    def work(on_event: Listener, cancel: Cancel) -> dict[str, Any]:
        from inkseal.formats.validate import validate

        local = studio.catalog.pull(
            card.name,
            on_event=whole(card, on_event),
            cancel=cancel,
            offline=studio.settings.offline,
            validate=validate,
        )
        return {"model": local.name, "sha256": local.sha256, "size_bytes": card.size_bytes}

    return work


def whole(card: Card, on_event: Listener) -> Listener:
    """Returns a listener that hears of single files, and tells of the whole model."""
    sizes = {file.name: file.size_bytes for file in card.files}
    ends = {name.rsplit("/", 1)[-1]: name for name in sizes}
    done: dict[str, float] = {}

    def hear(event: Event) -> None:
        if isinstance(event, Progress) and event.unit == "bytes":
            name = ends.get(event.what.removesuffix(".part").rsplit("/", 1)[-1])
            if name is None:
                return
            done[name] = event.done
            on_event(event.model_copy(update={"done": sum(done.values()), "total": float(sum(sizes.values()))}))
        else:
            on_event(event)

    return hear


def loading(studio: Studio, card: Card) -> Work:
    """Returns the loading of a model's engine, which then waits in memory for whoever comes."""

    def work(on_event: Listener, cancel: Cancel) -> dict[str, Any]:
        begin = time.perf_counter()
        local = studio.catalog.local(card.name, verify=False)
        with studio.engines.lease(local, card.task, on_event, cancel):
            return {"model": local.name, "seconds": round(time.perf_counter() - begin, 2)}

    return work


def measuring(studio: Studio, card: Card, is_busy: Callable[[], bool]) -> Work:
    """Returns a short measurement of a model's speed; what others run meanwhile makes it slower, and is said."""

    def work(on_event: Listener, cancel: Cancel) -> dict[str, Any]:
        from inkseal.studio.generate.speed import measure

        local = studio.catalog.local(card.name, verify=False)
        with studio.engines.lease(local, card.task, on_event, cancel) as engine:
            if not isinstance(engine, GenerativeEngine):
                raise Unsupported(say(f"{card.name} makes no text.", f"{card.name} 不生成文本。"))
            busy = is_busy()
            speed = measure(engine, ROUNDS, cancel)
        return {"model": local.name, "others_ran": busy or is_busy(), **speed.model_dump()}

    return work
