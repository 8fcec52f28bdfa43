"""One row of a picture dataset, and how rows come to their split."""

from typing import Literal

from inkseal.core.types import Closed
from inkseal.workshop.data.thinning import unit_hash

Split = Literal["train", "validation", "held_out"]
SPLITS: tuple[Split, ...] = ("train", "validation", "held_out")
HELD_OUT_SHARE = 0.05
VALIDATION_SHARE = 0.02
COLOURED = "coloured"
"""Where the captions of a copy come from: they name the colour that it was given."""


class Row(Closed):
    """What is known of picture number i, on line i."""

    id: str
    concept: str
    split: Split
    style: str
    collection: str
    licence: str
    attribution: str
    author: str
    archive: str
    member: str
    captions: dict[str, tuple[str, ...]]
    caption_origin: dict[str, str]
    """Language → "name" (published table), "title" (author's), "matched" (known thing in the title), "category",
    COLOURED."""


def is_coloured(row: Row) -> bool:
    """Returns True for a copy of a picture in another colour."""
    return COLOURED in row.caption_origin.values()


def split_of(concept: str, row_id: str) -> Split:
    """Returns the split: a held-out concept is held out in every style, a validation picture alone."""
    if unit_hash("held out", concept) < HELD_OUT_SHARE:
        return "held_out"
    return "validation" if unit_hash("validation", row_id) < VALIDATION_SHARE else "train"
