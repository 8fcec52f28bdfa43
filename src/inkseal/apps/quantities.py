"""The numbers that a prose text states, in digits and in words, and whether they follow from known ones.

Ordinals, list numbers and names with digits (Q3, COVID-19) are no figures. Small numbers in words below ten are not
looked at: they are part of the language (一个, one of them) more often than a figure.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

_SCALES = {
    "千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8, "万亿": 1e12, "k": 1e3, "m": 1e6, "bn": 1e9,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
}  # fmt: skip
_DIGITS = re.compile(
    r"(?<![A-Za-z0-9_.,])(?<![A-Za-z]-)(?P<sign>[-−+]\s?)?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<scale>\s?(?:万亿|百万|千万|千|万|亿|thousand|million|billion|trillion)|[kKM](?![A-Za-z])|bn\b)?"
    r"(?P<percent>\s?(?:%|percent\b|per cent\b|个百分点|percentage points?\b))?(?![A-Za-z_])"
)
_CJK_DIGITS = re.compile(
    r"(?P<percent>百分之)?(?P<number>[零〇一二两三四五六七八九十百千万亿点]{1,20})(?P<unit>成(?![为了就功都果立员本长熟交绩分])|倍)?"
)
_CJK_VALUES = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CJK_UNITS = {"十": 10, "百": 100, "千": 1000}
_CJK_BIG = {"万": 10_000, "亿": 100_000_000}
_NOT_FIGURES = re.compile(
    r"千万(?!元|人|美)|万一|十分(?!钟|之)|百分百|万千|千百|成千上万|一万个|百万富翁|第[零一二三四五六七八九十百千]+"
)
_WORDS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_ONES = {w: i for i, w in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])}
_ALL_WORDS = "|".join([*_WORDS, *_ONES, "hundred", "thousand", "million", "billion", "and"])
_WORD_RUN = re.compile(
    rf"\b(?:{_ALL_WORDS})(?:[\s-]+(?:{_ALL_WORDS}))*\b(?P<percent>\s+percent\b|\s+per cent\b)?", re.IGNORECASE
)
_ORDINAL_BEFORE = re.compile(r"(?:第|前|后|top\s?|no\.\s?|number\s|#|q|step\s|figure\s|table\s|图|表)$", re.IGNORECASE)
_ORDINAL_AFTER = re.compile(r"(?:st|nd|rd|th)\b|[.)、）](?=\s)")
_LINE_NUMBER = re.compile(r"(?:^|\n)[ \t]*(?:#{1,6}\s+)?[（(]?\d{1,2}(?:[.)）](?=\s)|、)")


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
    taken = [False] * len(plain)
    for match in [*_LINE_NUMBER.finditer(plain), *_NOT_FIGURES.finditer(plain)]:
        taken[match.start() : match.end()] = [True] * (match.end() - match.start())
    found = [*_in_digits(plain, taken), *_in_chinese(plain, taken), *_in_words(plain, taken)]
    return sorted(found, key=lambda quantity: quantity.start)


def follows(quantity: Quantity, known: Iterable[float]) -> bool:
    """Returns whether a stated number is one of the known ones, rounded as it is written; a sign may be left to words.

    A percentage may stand for its number (12 %) or for its share (0.12).
    """
    for value in known:
        for candidate in (value, value * 100) if quantity.percent else (value,):
            size = abs(candidate)
            slack = quantity.step / 2 + 1e-9 * max(1.0, size)
            if abs(abs(quantity.value) - size) <= slack:
                return True
    return False


def numbers_in(text: str) -> list[float]:
    """Returns every run of digits as a number, also inside of names and dates: what may be quoted from a source."""
    plain = _same_length(text)
    found = [
        float(match.replace(",", "")) for match in re.findall(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", plain)
    ]
    return [*found, *(quantity.value for quantity in quantities(text))]


def _same_length(text: str) -> str:
    """Returns the text with full-width digits and signs made narrow, each character in its place."""
    return "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in text)


def _in_digits(plain: str, taken: list[bool]) -> Iterable[Quantity]:
    for match in _DIGITS.finditer(plain):
        start, end = match.span()
        if any(taken[start:end]):
            continue
        taken[start:end] = [True] * (end - start)
        before, after = plain[max(0, start - 8) : start], plain[end : end + 3]
        if _ORDINAL_BEFORE.search(before) or _ORDINAL_AFTER.match(after):
            continue
        scale = _SCALES.get((match["scale"] or "").strip().lower(), 1.0)
        number = match["number"].replace(",", "")
        decimals = len(number.partition(".")[2])
        sign = -1.0 if match["sign"] and match["sign"].strip() in "-−" else 1.0
        yield Quantity(
            match[0].strip(), start, end, sign * float(number) * scale, 10.0**-decimals * scale, bool(match["percent"])
        )


def _in_chinese(plain: str, taken: list[bool]) -> Iterable[Quantity]:
    for match in _CJK_DIGITS.finditer(plain):
        start, end = match.span()
        number, unit = match["number"], match["unit"]
        is_figure = match["percent"] or unit or (len(number) > 1 and any(c in number for c in "十百千万亿"))
        if any(taken[start:end]) or not is_figure or not any(c in _CJK_VALUES or c == "十" for c in number):
            continue
        if plain[max(0, start - 1) : start] == "第":
            continue
        value, step = _chinese_value(number)
        if unit == "成":
            yield Quantity(match[0], start, end, value * 10, step * 10, True)
        else:
            yield Quantity(match[0], start, end, value, step, bool(match["percent"]))


def _chinese_value(number: str) -> tuple[float, float]:
    """Returns the value of a Chinese numeral and of one in its last place; 一万二 is 12,000."""
    whole, _, part = number.partition("点")
    total = section = digit = 0.0
    last_unit = 1.0
    for char in whole:
        if char in _CJK_VALUES:
            digit = float(_CJK_VALUES[char])
            if char in "零〇":
                last_unit = 10.0
        elif char in _CJK_UNITS:
            section += (digit or 1.0) * _CJK_UNITS[char]
            last_unit, digit = float(_CJK_UNITS[char]), 0.0
        elif char in _CJK_BIG:
            total = (total + section + digit or 1.0) * _CJK_BIG[char]
            last_unit, section, digit = float(_CJK_BIG[char]), 0.0, 0.0
    short = last_unit >= 100 and bool(whole) and whole[-1] in _CJK_VALUES
    value = total + section + digit * (last_unit / 10 if short else 1.0)
    decimals = [_CJK_VALUES[char] for char in part if char in _CJK_VALUES]
    for place, decimal in enumerate(decimals, 1):
        value += decimal * 10.0**-place
    step = 10.0 ** -len(decimals) if decimals else (last_unit if whole and whole[-1] not in _CJK_VALUES else 1.0)
    return value, step


def _in_words(plain: str, taken: list[bool]) -> Iterable[Quantity]:
    for match in _WORD_RUN.finditer(plain):
        start, end = match.span()
        words = re.findall(r"[a-z]+", match[0].lower())
        large = [word for word in words if word in _WORDS or word in ("hundred", "thousand", "million", "billion")]
        counts = [word for word in words if word in _WORDS or word in _ONES]
        if any(taken[start:end]) or not counts or not (large or match["percent"]):
            continue
        value, step = _english_value(words)
        yield Quantity(match[0], start, end, value, step, bool(match["percent"]))


def _english_value(words: list[str]) -> tuple[float, float]:
    total = section = 0.0
    step = 1.0
    for word in words:
        if word in _ONES or word in _WORDS:
            section += _ONES.get(word, _WORDS.get(word, 0))
            step = 1.0
        elif word == "hundred":
            section, step = max(section, 1.0) * 100, 100.0
        elif word in ("thousand", "million", "billion"):
            total, section, step = total + max(section, 1.0) * _SCALES[word], 0.0, _SCALES[word]
    return total + section, step
