"""Fenced code blocks of a Markdown text."""

import re
from typing import NamedTuple

_FENCE = re.compile(
    r"^(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)\n(?P<text>.*?)(?:^(?P=mark)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)


class Fenced(NamedTuple):
    """One block: the word after the fence, its text, and where the whole of it stands."""

    info: str
    text: str
    start: int
    end: int


def fenced(markdown: str) -> list[Fenced]:
    """Returns the fenced blocks in order; one that is not closed goes on to the end."""
    return [Fenced(m["info"].strip(), m["text"], m.start(), m.end()) for m in _FENCE.finditer(markdown)]
