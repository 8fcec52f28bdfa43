"""Finds text that a person does not see but a model reads: invisible characters, comments, concealed elements.

Does not know text that is hidden by a style sheet elsewhere, by its size in a PDF, or in a picture.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TAGS = re.compile("[\U000e0020-\U000e007e]{2,}")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060-\u2064\ufeff\u180e]{8,}")
_OPENING = re.compile(r"<([a-z][a-z0-9]{0,15})\b([^<>]{0,600})>", re.IGNORECASE)
_CONCEALED = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])"
    r"|(?<![-\w])color\s*:\s*(?:white|#fff(?:fff)?\b|transparent|rgba?\(\s*255\s*,\s*255\s*,\s*255)"
    r"|(?:left|top|text-indent)\s*:\s*-\d{3,}|(?:^|\s)hidden(?:$|[\s=/])",
    re.IGNORECASE,
)
_BLACK_FLAG = "\U0001f3f4"
_LONGEST_ELEMENT = 20_000


class Hidden(NamedTuple):
    """A hidden stretch [start, end) of the original text and what it says."""

    kind: str
    start: int
    end: int
    text: str


def hidden_spans(text: str) -> list[Hidden]:
    """Returns the hidden stretches in order of kind; linear in the length for comments and characters."""
    found = [] if text.isascii() else list(_characters(text))
    if "<" in text:
        found += [*_comments(text), *_elements(text)]
    return found


def _characters(text: str) -> Iterator[Hidden]:
    for match in _TAGS.finditer(text):
        # A black flag followed by tags is the emoji of a region, such as Scotland.
        if text[match.start() - 1 : match.start()] != _BLACK_FLAG or len(match.group()) > 6:
            yield Hidden("tag_characters", *match.span(), "".join(chr(ord(c) - 0xE0000) for c in match.group()))
    for match in _SELECTORS.finditer(text):
        codes = (ord(c) - (0xFE00 if ord(c) < 0xFE10 else 0xE0100 - 16) for c in match.group())
        yield Hidden("variation_selectors", *match.span(), bytes(codes).decode("utf-8", "replace"))
    for match in _ZERO_WIDTH.finditer(text):
        yield Hidden("zero_width", *match.span(), "")


def _comments(text: str) -> Iterator[Hidden]:
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            return
        yield Hidden("comment", start, end + 3, text[start + 4 : end].strip())
        start = text.find("<!--", end + 3)


def _elements(text: str) -> Iterator[Hidden]:
    for match in _OPENING.finditer(text):
        if not _CONCEALED.search(match.group(2)):
            continue
        # Case of the closing tag follows the opening one in practice; a missing one ends at the next tag.
        end = text.find(f"</{match.group(1)}", match.end(), match.end() + _LONGEST_ELEMENT)
        if end < 0:
            end = text.find("<", match.end())
        inner = text[match.end() : end if end >= 0 else match.end() + _LONGEST_ELEMENT]
        if inner.strip():
            yield Hidden("concealed_element", match.end(), match.end() + len(inner), re.sub(r"<[^<>]*>", " ", inner))
