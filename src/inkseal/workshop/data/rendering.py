"""Brings drawings to 64×64 pixels over white, one child process at work; what was drawn once is kept.

A drawing that takes too long or too much kills the child alone and is counted as refused.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inkseal.core.errors import Cancelled, MissingDependency, ModelFileRefused
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Drawing
from inkseal.formats.child import Child
from inkseal.formats.safetensors import read_header
from inkseal.formats.safetensors_writer import write_safetensors
from inkseal.workshop.data.folder import mark_used
from inkseal.workshop.data.svg import SvgRefused, harmless_svg, is_wide

SIZE_PX = 64
VERSION = "2"
"""Goes into the names of kept drawings; a change of anything below or in the worker takes a new one."""
_START_SECONDS = 30.0
_DRAW_SECONDS = 5.0
_PORTION = 256


@dataclass(frozen=True)
class Rendered:
    """Pictures by the place of their drawing in the list, and why the others are not there."""

    pixels: npt.NDArray[np.uint8]
    """[K, 3, 64, 64]"""
    places: tuple[int, ...]
    refused: dict[int, str]


def render_all(
    drawings: Sequence[Drawing], *, what: str, crop: bool, kept: Path, on_event: Listener, cancel: Cancel
) -> Rendered:
    """Returns the pictures of all drawings that can be drawn; portions that are in the folder `kept` are not drawn.

    Raises:
        MissingDependency: the renderer is not installed.
        Cancelled: the portions drawn so far are kept.
    """
    pixels: list[npt.NDArray[np.uint8]] = [np.zeros((0, 3, SIZE_PX, SIZE_PX), np.uint8)]
    places: list[int] = []
    refused: dict[int, str] = {}
    on_event(Progress(what=what, done=0, total=len(drawings)))
    for start in range(0, len(drawings), _PORTION):
        portion = drawings[start : start + _PORTION]
        path = kept / f"{what}-{_key(portion, crop)}.safetensors"
        found = _read(path)
        if found is None:
            found = _render(portion, crop, cancel)
            facts = {"places": json.dumps(found.places), "refused": json.dumps(found.refused)}
            write_safetensors(path, {"pixels": found.pixels}, facts)
        pixels.append(found.pixels)
        places += [start + place for place in found.places]
        refused |= {start + place: why for place, why in found.refused.items()}
        on_event(Progress(what=what, done=start + len(portion), total=len(drawings)))
    return Rendered(np.concatenate(pixels), tuple(places), refused)


def _key(drawings: Sequence[Drawing], crop: bool) -> str:
    digest = hashlib.sha256(f"{VERSION} {crop}".encode())
    for drawing in drawings:
        digest.update(hashlib.sha256(drawing.svg.encode("utf-8", "replace")).digest())
    return digest.hexdigest()[:24]


def _read(path: Path) -> Rendered | None:
    if not path.exists():
        return None
    try:
        file = read_header(path)
        pixels = np.array(file.tensor("pixels")).reshape(-1, 3, SIZE_PX, SIZE_PX)
        refused = {int(place): why for place, why in json.loads(file.metadata["refused"]).items()}
        places = tuple(json.loads(file.metadata["places"]))
    except (ModelFileRefused, KeyError, ValueError):
        path.unlink()  # kept only to save time
        return None
    mark_used(path)
    return Rendered(pixels, places, refused)


def _render(drawings: Sequence[Drawing], crop: bool, cancel: Cancel) -> Rendered:
    for package in ("resvg_py", "PIL"):
        if find_spec(package) is None:
            raise MissingDependency(package, "train")
    child = Child("inkseal.workshop.data._render_worker", {}, _START_SECONDS)
    pictures: list[npt.NDArray[np.uint8]] = []
    places: list[int] = []
    refused: dict[int, str] = {}
    try:
        for place, drawing in enumerate(drawings):
            picture = _draw(child, drawing.svg, crop)
            if cancel.is_set():  # looked at after drawing: a stop from the terminal ends the child, too
                raise Cancelled(say("The build was stopped.", "构建已停止。"))
            if isinstance(picture, str):
                refused[place] = picture
            else:
                pictures.append(picture)
                places.append(place)
    finally:
        child.close()
    shape = (0, 3, SIZE_PX, SIZE_PX)
    return Rendered(np.stack(pictures) if pictures else np.zeros(shape, np.uint8), tuple(places), refused)


def _draw(child: Child, svg: str, crop: bool) -> npt.NDArray[np.uint8] | str:
    """Returns the picture [3, 64, 64], or why there is none."""
    try:
        harmless = harmless_svg(svg)
        question = {"svg": harmless, "wide": is_wide(harmless), "crop": crop}
        answer = child.ask(question, _DRAW_SECONDS)
    except SvgRefused as error:
        return str(error)
    except TimeoutError:
        return "took_too_long"
    if "pixels" not in answer:
        return str(answer.get("refused", "not_drawn"))
    data = base64.b64decode(answer["pixels"])
    return np.frombuffer(data, np.uint8).reshape(3, SIZE_PX, SIZE_PX)
