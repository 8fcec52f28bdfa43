"""Tells our label lines at the start of a text from the text itself, also after somebody edited them."""

from collections.abc import Sequence
from difflib import SequenceMatcher

_STILL_THE_LABEL = 0.5


def split_labels(lines: Sequence[str], expected: Sequence[str], marker: str = "") -> tuple[tuple[str, ...], int]:
    """Returns the labels as they stand, and how many lines they take.

    Args:
        lines: the first lines of the text.
        expected: the labels that were written, as the file itself records them.
        marker: what stands before each label.

    A line that is still half a label counts as an edited one; anything else is the text, and the label is gone.
    """
    found: list[str] = []
    for line, label in zip(lines, expected, strict=False):
        shown = line.removeprefix(marker)
        if shown != label and SequenceMatcher(None, shown, label).ratio() < _STILL_THE_LABEL:
            break
        found.append(shown)
    return tuple(found), len(found)


def one_line(label: str) -> str:
    """Returns a label as one line; labels are short and never hold line breaks."""
    return " ".join(label.split())
