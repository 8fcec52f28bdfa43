"""Cuts a text into the windows that are judged for injection, and adds what is hidden or encoded in it."""

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from inkseal.modalities.text.hidden import hidden_spans
from inkseal.modalities.text.normalise import fold
from inkseal.studio.guard.injection_rules import RuleHit, rule_hits

WINDOW_CHARS = 220
WINDOW_CHARS_HAN = 80
"""A window is two or three sentences: an injected one must not drown in it, nor lose its context."""

_SENTENCE = re.compile(r"[^。!?\n;]{0,400}?(?:[。!?;\n]+|[.]\s|$)|[^。!?\n;]{400}")
_HAN = re.compile("[\u4e00-\u9fff]")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{4}){6,2000}(?:[A-Za-z0-9+/]{2,3}={0,2})?(?![A-Za-z0-9+/=])")
_UNFAIR_HIDDEN = frozenset(("tag_characters", "variation_selectors"))
_MOST_DECODED = 50


class Window(NamedTuple):
    """A stretch to be judged. `text` is folded or decoded; [start, end) are positions in the original text.

    `channel` is "open", or how the stretch was concealed: "comment", "concealed_element", "tag_characters",
    "variation_selectors", "base64".
    """

    text: str
    start: int
    end: int
    channel: str
    hits: tuple[RuleHit, ...]
    """Pattern hits, in positions of the original text."""


def han_share(text: str) -> float:
    """Returns the share of Chinese characters among the visible ones."""
    visible = len(text) - text.count(" ") - text.count("\n")
    return len(_HAN.findall(text)) / visible if visible else 0.0


def windows(text: str) -> list[Window]:
    """Returns overlapping windows that cover the text, then one for each concealed stretch."""
    folded = fold(text, lower=False)
    hits = sorted(rule_hits(folded.text), key=lambda hit: hit.start)
    found: list[Window] = []
    starts = [hit.start for hit in hits]
    for start, end in _cut(folded.text):
        inside = [h for h in hits[bisect_left(starts, start - 200) : bisect_left(starts, end)] if start < h.end]
        moved = tuple(RuleHit(h.family, *folded.span(h.start, h.end)) for h in inside)
        found.append(Window(folded.text[start:end], *folded.span(start, end), "open", moved))
    return found + list(_concealed(text))


def _concealed(text: str) -> Iterator[Window]:
    stretches = [(h.start, h.end, h.kind, h.text) for h in hidden_spans(text) if h.text.strip()]
    for start, end, channel, inner in [*stretches, *_decoded(text)]:
        plain = fold(inner, lower=False).text
        for low, high in _cut(plain):
            piece = plain[low:high]
            hits = tuple(RuleHit(hit.family, start, end) for hit in rule_hits(piece))
            yield Window(piece, start, end, channel, hits)


def _decoded(text: str) -> Iterator[tuple[int, int, str, str]]:
    for count, match in enumerate(_BASE64.finditer(text)):
        if count == _MOST_DECODED:
            return
        body = match.group().rstrip("=")
        try:
            plain = base64.b64decode(body + "=" * (-len(body) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if sum(char.isalpha() or char.isspace() for char in plain) > 0.7 * len(plain) > 10:
            yield match.start(), match.end(), "base64", plain


def _cut(text: str) -> list[tuple[int, int]]:
    size = WINDOW_CHARS_HAN if han_share(text[:4000]) > 0.3 else WINDOW_CHARS
    if len(text) <= size:
        return [(0, len(text))] if text.strip() else []
    sentences = [(m.start(), m.end()) for m in _SENTENCE.finditer(text) if m.end() > m.start()]
    found: list[tuple[int, int]] = []
    first = 0
    for index, (_, end) in enumerate(sentences):
        last = index + 1 == len(sentences)
        if not last and sentences[index + 1][1] - sentences[first][0] <= size:
            continue
        found += _split(sentences[first][0], end, size)
        # The next window repeats the last sentence, unless that is most of a window.
        first = index if end - sentences[index][0] <= size // 2 and index > first else index + 1
    return [(start, end) for start, end in found if text[start:end].strip()]


def _split(start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    while end - start > size * 3 // 2:
        yield start, start + size
        start += size - 40
    yield start, end


def is_unfair(channel: str) -> bool:
    """True for channels that no honest text uses to carry words."""
    return channel in _UNFAIR_HIDDEN
