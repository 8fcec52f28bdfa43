"""What a run leaves on the disk: recipe, log, curves, sheets, checkpoints, and the model made of averaged weights."""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import InvalidRequest, StoreError
from inkseal.core.events import Event, Finished, MetricLogged, Started
from inkseal.core.language import say
from inkseal.modalities.image.png import png_bytes
from inkseal.store.durable import disk_errors, make_folder, write_whole
from inkseal.store.lock import FileLock
from inkseal.workshop.train.recipe import Recipe
from inkseal.workshop.train.run_log import LOG, log_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

MODEL, DATASET = "model.safetensors", "dataset.json"


class RunFolder:
    """`<data folder>/runs/<name>`, held by one process from `open` to `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = folder / "checkpoints"
        self.log = folder / LOG
        self._lock = FileLock(folder / ".lock", folder.name)

    @classmethod
    def open(cls, folder: Path, recipe: Recipe, *, fresh: bool, data_sha256: str = "") -> "RunFolder":
        """Takes the folder for this process; with `fresh`, a run that was there is set aside, never deleted.

        Raises:
            InUse: another process trains in it.
            InvalidRequest: the run in it was begun with another recipe, or on a dataset of another hash.
        """
        make_folder(folder)
        run = cls(folder)
        run._lock.acquire()
        try:
            if fresh and (folder / "recipe.json").exists():
                run.close()
                with disk_errors(folder):
                    folder.rename(_free_name(folder))
                return cls.open(folder, recipe, fresh=False, data_sha256=data_sha256)
            run._begin(recipe)
            run._bind(data_sha256)
        except BaseException:
            run.close()
            raise
        return run

    def close(self) -> None:
        """Lets others have the folder."""
        self._lock.release()

    @property
    def has_begun(self) -> bool:
        """True when a step of this run was kept."""
        return any(self.checkpoints.glob("step-*"))

    def listen(self, step: int) -> Callable[[Event], None]:
        """Returns a listener that appends metrics, beginnings and ends to the log.

        Lines of steps after `step` are dropped first. Those without a step stay: what a sitting took was taken.
        """
        kept = [text for text, line in log_lines(self.log) if (line.get("step") or 0) <= step]
        write_whole(self.log, "".join(text + "\n" for text in kept).encode())

        def append(event: Event) -> None:
            if isinstance(event, MetricLogged | Started | Finished):
                with disk_errors(self.log), self.log.open("a", encoding="utf-8") as file:
                    file.write(event.model_dump_json() + "\n")

        return append

    def metrics(self) -> dict[str, list[tuple[int, float]]]:
        """Returns what was logged, by name, as (step, value)."""
        found: dict[str, list[tuple[int, float]]] = {}
        for _, line in log_lines(self.log):
            if line.get("step") is not None:
                found.setdefault(line["name"], []).append((line["step"], line["value"]))
        return found

    def save_sheet(self, step: int, pixels: "NDArray[Any]") -> Path:
        """Writes [H, W, 3] uint8 as `sheets/step-….png`."""
        make_folder(self.folder / "sheets")
        path = self.folder / "sheets" / f"step-{step:09d}.png"
        write_whole(path, png_bytes(pixels))
        return path

    def model_step(self) -> int | None:
        """Returns the step whose averaged weights are in the folder; None when there are none."""
        from inkseal.formats.safetensors import read_header

        path = self.folder / MODEL
        return int(json.loads(read_header(path).metadata["facts"])["step"]) if path.is_file() else None

    def save_model(self, tensors: "Mapping[str, Tensor]", facts: Mapping[str, Any]) -> Path:
        """Writes the weights and, as metadata, the JSON somebody needs to use them."""
        path = self.folder / MODEL
        write_whole(path, model_bytes(tensors, facts))
        return path

    def _begin(self, recipe: Recipe) -> None:
        path = self.folder / "recipe.json"
        if path.exists():
            try:
                before = Recipe.model_validate_json(path.read_bytes())
            except ValueError:
                raise StoreError(say(f"{path} is damaged.", f"{path} 已损坏。")) from None
            old, new = before.deciding(), recipe.deciding()
            changed = sorted(key for key in new if new[key] != old[key])
            if changed:
                names = ", ".join(changed)
                raise InvalidRequest(
                    say(
                        f"The run {recipe.name!r} was begun with another recipe: {names}.",
                        f"运行 {recipe.name!r} 是用不同的配方开始的：{names}。",
                    ),
                    fix=say("Give the recipe another name, or use --fresh.", "请为配方另取名称，或使用 --fresh。"),
                )
        write_whole(path, recipe.model_dump_json(indent=1).encode())

    def _bind(self, data_sha256: str) -> None:
        """Ties a run to its dataset: on another one, order and captions would change without a word."""
        path = self.folder / DATASET
        before = json.loads(path.read_bytes())["sha256"] if path.exists() else ""
        if before and before != data_sha256:
            raise InvalidRequest(
                say(
                    f"The run was begun on another dataset ({before[:12]}…, now {data_sha256[:12]}…).",
                    f"该运行是在另一数据集上开始的（{before[:12]}…，现为 {data_sha256[:12]}…）。",
                ),
                fix=say("Put that dataset back, or use --fresh.", "请恢复原数据集，或使用 --fresh。"),
            )
        if not self.has_begun:
            write_whole(path, json.dumps({"sha256": data_sha256}).encode())


def model_bytes(tensors: "Mapping[str, Tensor]", facts: Mapping[str, Any]) -> bytes:
    """Returns the safetensors file that `read_model` reads."""
    from safetensors.torch import save

    metadata = {"facts": json.dumps(facts, ensure_ascii=False)}
    content: bytes = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    return content


def read_model(path: Path) -> "tuple[dict[str, Any], dict[str, Tensor]]":
    """Returns facts and weights of a file made of `model_bytes`.

    Raises:
        InvalidRequest: there is none.
        ModelFileRefused: it is malformed.
    """
    from safetensors.torch import load_file

    from inkseal.formats.safetensors import read_header

    if not path.is_file():
        raise InvalidRequest(
            say(f"There is no trained model at {path}.", f"{path} 处没有训练好的模型。"),
            fix=say("Train it first; the recipe says which run it needs.", "请先训练；配方中写明了所需的运行。"),
        )
    return json.loads(read_header(path).metadata["facts"]), load_file(path)


def of_player(tensors: "Mapping[str, Tensor]", player: str = "model") -> "dict[str, Tensor]":
    """Returns one player's weights under the names that its network gives them."""
    begin = f"{player}."
    return {name.removeprefix(begin): tensor for name, tensor in tensors.items() if name.startswith(begin)}


def _free_name(folder: Path) -> Path:
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    return aside


AUTOGROUP = Path("/proc/self/autogroup")


def lower_priority(nice: int) -> None:
    """Makes this process at least as polite as `nice`; where the system has no such thing, does nothing.

    Desktop Linux shares the processor between sessions first (sched(7), autogroup), and `nice` counts only within one.
    A process that leads its session makes that one polite too; in a terminal's session it would touch the shell.
    """
    if hasattr(os, "nice"):
        os.nice(max(0, nice - os.nice(0)))
        if nice > 0 and os.getsid(0) == os.getpid():
            with contextlib.suppress(OSError):  # no autogroups here, or another limit
                AUTOGROUP.write_text(str(nice), encoding="ascii")
