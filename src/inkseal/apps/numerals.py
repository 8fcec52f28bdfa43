"""Numbers written in words: 一亿二千万, 两点五万, two thousand and five.

Years in words (nineteen ninety-five), fractions (三分之一) and halves are not known.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

CJK_NUMERALS = "零〇一二两三四五六七八九十百千万亿"
_CJK_VALUES = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CJK_UNITS = {"亿": 1e8, "万": 1e4, "千": 1e3, "百": 1e2, "十": 1e1}
_CJK_DIGIT, _THOUSAND = "[零〇一二两三四五六七八九]", "千(?![克瓦卡帕伏赫])"
# A 点 before 十 or 分 is of the clock: 九点五十分.
_CJK_NUMBER = re.compile(
    rf"(?P<percent>百分之)?(?P<whole>(?:{_CJK_DIGIT}|[十百万亿]|{_THOUSAND}){{1,32}})"
    rf"(?:点(?P<decimals>(?>{_CJK_DIGIT}{{1,10}}))(?![十分])(?P<scale>(?:[百万亿]|{_THOUSAND}){{1,2}})?)?"
    r"(?P<unit>成(?![为了就功都果立员本长熟交绩分])|倍)?"
)
_ONES = {w: i for i, w in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])}
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_COUNTS = _ONES | _TEENS | _TENS
_LARGE = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_BELOW_100 = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[\s-]+(?:{'|'.join(list(_ONES)[1:])}))?|{'|'.join(_TEENS)}|{'|'.join(_ONES)})\b"
)
_NO_ORDINAL = r"(?!-(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)\b)"
_GROUP = re.compile(
    rf"\b(?P<small>(?:{_BELOW_100}[\s-]+)?hundred\b(?:[\s-]+(?:and\s+)?{_BELOW_100}(?![\s-]+hundred\b))?|{_BELOW_100})"
    rf"(?:[\s-]+(?P<large>{'|'.join(_LARGE)})\b)?{_NO_ORDINAL}",
    re.IGNORECASE,
)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
MONTH_NAME = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?"
)
_MONTH_IN_TEXT = re.compile(rf"\b(?=[A-Z])(?i:{MONTH_NAME})\b")
_JOINT = re.compile(r"[\s-]+(?:and\s+)?", re.IGNORECASE)
_PERCENT = re.compile(r"\s+per ?cent\b", re.IGNORECASE)


class Numeral(NamedTuple):
    """One number in words.

    Attributes:
        step: the value of one in its last place.
        is_figure: False for one that is part of the language more often: 一个, one of them.
    """

    start: int
    end: int
    value: float
    step: float
    percent: bool
    is_figure: bool


def chinese_numerals(text: str) -> Iterator[Numeral]:
    """Yields the numbers in Chinese words; of a row of bare digits (二〇二四, 三四个) also each digit."""
    for match in _CJK_NUMBER.finditer(text):
        whole, decimals, unit = match["whole"], match["decimals"] or "", match["unit"]
        if not any(c in _CJK_VALUES or c == "十" for c in whole):
            continue
        value, step = chinese_value(whole)
        if decimals:
            step = 10.0 ** -len(decimals)
            value += _positional(decimals) * step
        scale = chinese_value(match["scale"])[0] if match["scale"] else 1.0
        scale *= 10.0 if unit == "成" else 1.0
        percent = bool(match["percent"]) or unit == "成"
        counted = len(whole + decimals) > 1 and any(c in _CJK_UNITS for c in whole)
        is_figure = bool(percent or unit or match["scale"] or counted)
        yield Numeral(*match.span(), value * scale, step * scale, percent, is_figure)
        if not is_figure and len(whole) > 1:
            for place, char in enumerate(whole, match.start()):
                yield Numeral(place, place + 1, float(_CJK_VALUES[char]), 1.0, percent=False, is_figure=False)


def chinese_value(whole: str) -> tuple[float, float]:
    """Returns the value of a Chinese numeral and of one in its last written digit; 一万二 is 12,000, 百万 a million."""
    for char, size in _CJK_UNITS.items():
        if char not in whole:
            continue
        left, _, right = whole.rpartition(char)
        many, step = chinese_value(left) if left else (1.0, 1.0)
        value = (many or 1.0) * size
        if not right:
            return value, step * size
        if size > 10 and len(right) == 1 and right in _CJK_VALUES:
            return value + _CJK_VALUES[right] * size / 10, size / 10
        rest, step = chinese_value(right)
        return value + rest, step
    return _positional(whole), 1.0


def _positional(digits: str) -> float:
    return float("".join(str(_CJK_VALUES[char]) for char in digits))


def english_numerals(text: str) -> Iterator[Numeral]:
    """Yields the numbers in English words: groups join while their scale falls (two thousand and five)."""
    numbers: list[list[re.Match[str]]] = []
    for group in _GROUP.finditer(text):
        last = numbers[-1][-1] if numbers else None
        if last and _scale(last) > _scale(group) and _JOINT.fullmatch(text, last.end(), group.start()):
            numbers[-1].append(group)
        else:
            numbers.append([group])
    for groups in numbers:
        value, last = sum(_below_10000(group) * _scale(group) for group in groups), groups[-1]
        step = 100.0 if last[0].lower().endswith("hundred") else _scale(last)
        percent = _PERCENT.match(text, last.end())
        end = percent.end() if percent else last.end()
        yield Numeral(groups[0].start(), end, value, step, bool(percent), bool(percent) or value >= 10)


def month_of(name: str) -> int:
    """Returns the number of the month with an English name, or a short one."""
    return _MONTHS[name[:3].lower()]


def months_in(text: str) -> list[int]:
    """Returns the numbers of the months that a text names: May and may differ."""
    return [month_of(name) for name in _MONTH_IN_TEXT.findall(text)]


def _scale(group: re.Match[str]) -> float:
    return _LARGE[group["large"].lower()] if group["large"] else 1.0


def _below_10000(group: re.Match[str]) -> float:
    value = 0.0
    for word in re.findall("[a-z]+", group["small"].lower()):
        value = max(value, 1.0) * 100 if word == "hundred" else value + _COUNTS.get(word, 0)
    return value
