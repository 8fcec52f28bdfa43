"""Breaks styled text into lines: between Chinese characters, between words, never before a closing mark."""

import re
from collections.abc import Callable, Iterable, Iterator

from inkseal.modalities.text.blocks import Span

WidthOf = Callable[[Span], float]

_WIDE = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_UNIT = re.compile(f"\n|[^\\S\n]+|[{_WIDE}]|[^\\s{_WIDE}]+")
_NEVER_FIRST = frozenset("，。、；：！？）》」』】〉〕”’…—,.;:!?)]}%‰℃")
_NEVER_LAST = frozenset("（《「『【〈〔“‘([{￥$")


def break_lines(spans: Iterable[Span], width_of: WidthOf, max_width: float) -> list[list[Span]]:
    """Returns lines no wider than `max_width`; every character of the text is in one of them, save line breaks."""
    lines: list[list[Span]] = [[]]
    width = 0.0
    for unit in _glued(_units(spans)):
        if unit[0].text == "\n":
            lines.append([])
            width = 0.0
            continue
        wide = sum(map(width_of, unit))
        if lines[-1] and width + wide > max_width and unit[0].text.strip():
            lines.append([])
            width = 0.0
        pieces = unit if wide <= max_width else [one for span in unit for one in _characters(span)]
        for piece in pieces:
            piece_width = width_of(piece)
            if lines[-1] and width + piece_width > max_width and piece.text.strip():
                lines.append([])
                width = 0.0
            lines[-1].append(piece)
            width += piece_width
    return [_joined(line) for line in lines]


def _units(spans: Iterable[Span]) -> Iterator[Span]:
    for span in spans:
        for match in _UNIT.finditer(span.text):
            yield span._replace(text=match[0])


def _glued(units: Iterable[Span]) -> Iterator[list[Span]]:
    """Groups units that no line may part."""
    group: list[Span] = []
    for unit in units:
        breaks = unit.text.isspace() or (group and group[-1].text.isspace())
        stays = group and (unit.text[0] in _NEVER_FIRST or group[-1].text[-1] in _NEVER_LAST)
        if group and (breaks or not stays):
            yield group
            group = []
        group.append(unit)
    if group:
        yield group


def _characters(span: Span) -> list[Span]:
    return [span._replace(text=character) for character in span.text]


def _joined(line: list[Span]) -> list[Span]:
    """Joins neighbours of one style."""
    joined: list[Span] = []
    for span in line:
        if joined and joined[-1][1:] == span[1:]:
            joined[-1] = joined[-1]._replace(text=joined[-1].text + span.text)
        else:
            joined.append(span)
    return joined
