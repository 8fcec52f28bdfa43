"""Turns captions into the tensors a picture model is conditioned on; vectors made once are kept in portions."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.core.errors import Cancelled, ModelFileRefused
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.formats.safetensors import read_header
from inkseal.formats.safetensors_writer import write_safetensors
from inkseal.formats.text_condition import NUM_PLACES, condition_texts
from inkseal.workshop.data.rows import Row

LANGUAGES = ("en", "zh")
Embed = Callable[[Sequence[str]], npt.NDArray[Any]]
_PORTION = 1024


def caption_tensors(
    rows: Sequence[Row], embed: Embed, model_sha256: str, *, kept: Path, on_event: Listener, cancel: Cancel
) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """Returns the tensors of `text.safetensors`, and the texts [U] that the vectors belong to.

    The tensors: vectors float16 [U, D]; captions int32 [M, NUM_PLACES] into them, -1 for none; caption_row int32 [M];
    caption_language uint8 [M], a place in LANGUAGES.

    Raises:
        Cancelled: the vectors made so far are kept.
    """
    wanted = [
        (row, language, condition_texts(caption))
        for row, facts in enumerate(rows)
        for language in LANGUAGES
        for caption in facts.captions.get(language, ())
    ]
    texts = sorted({text for _, _, found in wanted for text in found})
    places = {text: place for place, text in enumerate(texts)}
    captions = np.full((len(wanted), NUM_PLACES), -1, np.int32)
    for number, (_, _, found) in enumerate(wanted):
        captions[number, : len(found)] = [places[text] for text in found]
    return {
        "vectors": _vectors(texts, embed, model_sha256, kept, on_event, cancel),
        "captions": captions,
        "caption_row": np.array([row for row, _, _ in wanted], np.int32),
        "caption_language": np.array([LANGUAGES.index(language) for _, language, _ in wanted], np.uint8),
    }, texts


def _vectors(
    texts: Sequence[str], embed: Embed, model_sha256: str, kept: Path, on_event: Listener, cancel: Cancel
) -> npt.NDArray[np.float16]:
    """Returns the vectors [U, D]; texts are dealt by their hash, so that a few new ones leave most portions as kept."""
    num_portions = max(1, len(texts) // _PORTION)
    portions: list[list[int]] = [[] for _ in range(num_portions)]
    for place, text in enumerate(texts):
        portions[int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % num_portions].append(place)
    rows: dict[int, npt.NDArray[np.float16]] = {}
    for number, portion in enumerate(portions):
        if cancel.is_set():
            raise Cancelled(say("The build was stopped.", "构建已停止。"))
        rows |= zip(portion, _portion([texts[place] for place in portion], embed, model_sha256, kept), strict=True)
        on_event(Progress(what=say("captions", "说明文字"), done=number + 1, total=num_portions))
    return np.stack([rows[place] for place in range(len(texts))])


def _portion(texts: Sequence[str], embed: Embed, model_sha256: str, kept: Path) -> npt.NDArray[np.float16]:
    key = hashlib.sha256(json.dumps([model_sha256, *texts]).encode()).hexdigest()[:24]
    path = kept / f"vectors-{key}.safetensors"
    try:
        file = read_header(path)
        width = file.tensors["vectors"].shape[1]
        return np.array(file.tensor("vectors")).view(np.float16).reshape(len(texts), width)
    except FileNotFoundError:
        pass
    except (ModelFileRefused, KeyError, ValueError, IndexError):
        path.unlink()  # kept only to save time
    vectors = embed(texts).astype(np.float16)
    write_safetensors(path, {"vectors": vectors})
    return vectors
