"""The numbers that a prose text states, in digits and in words, and whether they follow from known ones.

Ordinals (21st), list numbers and names with digits (Q3, COVID-19, 5G, 3D) are no figures. Numbers below ten in words
are part of the language (一个, one of them) more often than a figure: nobody has to prove them, yet they prove one.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from inkseal.apps.numerals import CJK_NUMERALS, Numeral, chinese_numerals, english_numerals, months_in

_SCALES = {
    "千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8, "万亿": 1e12, "k": 1e3, "m": 1e6, "bn": 1e9,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
}  # fmt: skip
_RUN = r"(?>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_UNITS = (
    r"(?:[mgsthlLVWJxp]|m[23]|km2|(?i:[mcdkn]m|[mk]g|lbs?|oz|ft|yd|mi|[mcd]l|ms|secs?|mins?|hrs?|yrs?|[ap]m|"
    r"[kmg]?wh|[km]w|m?ah|ma|kv|[kmg]?hz|[kmgt]i?b|[kmgt]bps|dba?|lm|lx|k?cal|kj|[hkm]?pa|bar|psi|mph|km?ph|rpm|fps|"
    r"[dp]pi|px|pt|pp|bps|ppm|usd|eur|gbp|cny|rmb))"
)
_DIGITS = re.compile(
    rf"(?:(?<=\dx)|(?<![A-Za-z0-9_.])(?<!\d,)(?<![A-Za-z]-))(?P<sign>[-−+]\s?)?(?P<number>{_RUN})"
    r"(?P<scale>\s?(?:万亿|百万|千万|千(?![克瓦米卡帕伏赫])|万|亿|thousand|million|billion|trillion)|[kKM](?![A-Za-z])|bn\b)?"
    r"(?P<percent>\s?(?:%|percent\b|per cent\b|个百分点|percentage points?\b))?"
    rf"(?:(?![A-Za-z_])|(?={_UNITS}(?![A-Za-z0-9_])|x\d))"
)
_NOT_FIGURES = re.compile(
    rf"(?<![{CJK_NUMERALS}\d])(?<!\d\s)(?:千万(?!元|人|美)|万一|十分(?!钟|之)|百分百|万千|千百|一万个|百万富翁)|成千上万"
    rf"|第[{CJK_NUMERALS}]+"
)
_ORDINAL_BEFORE = re.compile(
    r"(?:第|前|#|图|表|\b(?:top\s?|no\.\s?|q|(?:number|step|figure|table|chapter|section|part|version)\s))$",
    re.IGNORECASE,
)
_LINE_NUMBER = re.compile(
    r"(?:^|\n)[ \t]*+(?:(?:[-+*>]|#{1,6})[ \t]++|[*_]++)*+[（(]?\d{1,2}(?:[.)）](?=\s|[*_]|$)|、)"
)
_INLINE_NUMBER = re.compile(r"(?<![\w.,])[（(]?(\d{1,2})[)）]")


class Quantity(NamedTuple):
    """One stated number.

    Attributes:
        value: as a plain number; of a percentage, what stands before the sign.
        step: the value of one in its last written digit; what is finer has been rounded away.
    """

    text: str
    start: int
    end: int
    value: float
    step: float
    percent: bool


def quantities(text: str) -> list[Quantity]:
    """Returns the numbers stated in a text, in order."""
    plain = _same_length(text)
    taken = _no_figures(plain)
    words = [
        Quantity(plain[word.start : word.end], word.start, word.end, word.value, word.step, word.percent)
        for word in _in_words(plain, taken)
        if word.is_figure
    ]
    return sorted([*_in_digits(plain, taken), *words], key=lambda quantity: quantity.start)


def follows(quantity: Quantity, known: Iterable[float]) -> bool:
    """Returns whether a stated number is one of the known ones, rounded as it is written; a sign may be left to words.

    A percentage may stand for its number (12 %) or for its share (0.12).
    """
    for value in known:
        for candidate in (value, value * 100) if quantity.percent else (value,):
            size = abs(candidate)
            slack = quantity.step / 2 + 1e-9 * max(1.0, size)
            if math.isfinite(slack) and abs(abs(quantity.value) - size) <= slack:
                return True
    return False


def numbers_in(text: str) -> list[float]:
    """Returns every run of digits as a number, also inside of names and dates: what may be quoted from a source."""
    digits = (float(run.replace(",", "")) for run in re.findall(_RUN, _same_length(text)))
    return [value for value in (*digits, *(quantity.value for quantity in quantities(text))) if math.isfinite(value)]


def small_numbers_in(text: str) -> list[float]:
    """Returns the numbers in words that `quantities` leaves alone; 九 proves 9, while nobody has to prove 九.

    A year in digits of its own (二〇二四年) is among them, and a month by its name (March proves 3月).
    """
    plain = _same_length(text)
    words = [word.value for word in _in_words(plain, _no_figures(plain)) if not word.is_figure]
    return [*words, *map(float, months_in(plain))]


def _same_length(text: str) -> str:
    """Returns the text with full-width digits and signs made narrow, each character in its place."""
    return "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in text)


def _no_figures(plain: str) -> list[bool]:
    """Returns for each character whether it belongs to a list number or to a turn of speech."""
    spans = [match.span() for match in (*_LINE_NUMBER.finditer(plain), *_NOT_FIGURES.finditer(plain))]
    place = 1
    for match in _INLINE_NUMBER.finditer(plain):
        if int(match[1]) == place:
            spans.append(match.span())
            place += 1
    taken = [False] * len(plain)
    for start, end in spans:
        taken[start:end] = [True] * (end - start)
    return taken


def _in_digits(plain: str, taken: list[bool]) -> Iterator[Quantity]:
    for match in _DIGITS.finditer(plain):
        start, end = match.span()
        if any(taken[start:end]) or _ORDINAL_BEFORE.search(plain[max(0, start - 8) : start]):
            continue
        scale = _SCALES.get((match["scale"] or "").strip().lower(), 1.0)
        number = match["number"].replace(",", "")
        decimals = len(number.partition(".")[2])
        sign = -1.0 if match["sign"] and match["sign"].strip() in "-−" else 1.0
        yield Quantity(
            match[0].strip(), start, end, sign * float(number) * scale, 10.0**-decimals * scale, bool(match["percent"])
        )


def _in_words(plain: str, taken: list[bool]) -> Iterator[Numeral]:
    for word in (*chinese_numerals(plain), *english_numerals(plain)):
        if not any(taken[word.start : word.end]):
            yield word
