"""Chooses what of one collection goes into a dataset, with its captions, and counts why the rest does not."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inkseal.core.protocols import Collection
from inkseal.core.types import Drawing
from inkseal.workshop.data.captions import Wording, word_picture
from inkseal.workshop.data.duplicates import is_blank
from inkseal.workshop.data.lexicon import EmojiEntry, Lexicon
from inkseal.workshop.data.rendering import Rendered
from inkseal.workshop.data.thinning import kind_of, stays


@dataclass
class Chosen:
    """Drawings with their captions, and why others were left out."""

    drawings: list[Drawing] = field(default_factory=list)
    wordings: list[Wording] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def choose(drawings: Iterable[Drawing], collection: Collection, lexicon: Lexicon) -> Chosen:
    """Returns the drawings that have something to say and are no repeat of a kind that fills the set."""
    chosen = Chosen()
    for drawing in drawings:
        entry = _entry(drawing, lexicon)
        if entry is not None and not stays(entry):
            chosen.left_out[f"thinned_{kind_of(entry).replace('-', '_')}"] += 1
            continue
        if entry is None and not collection.titles_speak:
            chosen.left_out["unknown_name"] += 1
            continue
        wording = word_picture(drawing, entry, collection.style, lexicon)
        if wording is None:
            chosen.left_out["no_caption"] += 1
            continue
        chosen.drawings.append(drawing)
        chosen.wordings.append(wording)
    return chosen


def _entry(drawing: Drawing, lexicon: Lexicon) -> EmojiEntry | None:
    """Returns the emoji of a drawing by its code or its name; a mouse among computers is a computer mouse."""
    found = lexicon.by_code(drawing.emoji) if drawing.emoji else None
    if found is None and drawing.category and drawing.title:
        found = lexicon.by_name(f"{drawing.category.partition('/')[0]} {drawing.title}")
    return found or lexicon.by_name(drawing.title)


def drop_undrawn(chosen: Chosen, rendered: Rendered) -> tuple[Chosen, npt.NDArray[np.uint8]]:
    """Returns what was drawn and is not blank, with its pixels [K, 3, 64, 64]."""
    left = Chosen(left_out=chosen.left_out + Counter(rendered.refused.values()))
    kept = []
    for number, place in enumerate(rendered.places):
        if is_blank(rendered.pixels[number]):
            left.left_out["blank"] += 1
            continue
        kept.append(number)
        left.drawings.append(chosen.drawings[place])
        left.wordings.append(chosen.wordings[place])
    return left, rendered.pixels[kept]
