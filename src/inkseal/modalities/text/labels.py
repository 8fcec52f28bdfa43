"""Tells our label lines at the start of a text from the text itself, also after somebody edited them."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

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


def label_lines(labels: Sequence[str], marker: str = "") -> str:
    """Returns what stands above a text: a line for each label and an empty one; nothing without labels."""
    return "".join(f"{marker}{label}\n" for label in labels) + ("\n" if labels else "")


def take_labels(body: str, written: Any, marker: str = "") -> tuple[tuple[str, ...], bytes]:
    """Splits what `label_lines` and a text became into the labels and the text.

    Args:
        written: the labels as the file itself records them; anything but a list counts as none.
    """
    expected = [str(label) for label in written] if isinstance(written, list) else []
    labels, num_lines = split_labels(body.split("\n", len(expected))[: len(expected)], expected, marker)
    for _ in range(num_lines):
        body = body.partition("\n")[2]
    return labels, (body.removeprefix("\n") if labels else body).encode()


def utf8_text(data: bytes) -> str:
    """Returns the text of a file.

    Raises:
        InvalidRequest: the bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(say("This is not UTF-8 text.", "这不是 UTF-8 文本。")) from None


def one_line(label: str) -> str:
    """Returns a label as one line; labels are short and never hold line breaks."""
    return " ".join(label.split())
