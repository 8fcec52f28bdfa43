"""Reads one cell of a table: an amount with its marks (¥1,200, 3万元, 12%), or a time (2024-05, Q3, 5月, Jan 2024)."""

import itertools
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from inkseal.apps.numerals import MONTH_NAME, month_of

_LARGEST = 2.0**53
"""Beyond it a float does not hold every whole number: such a cell is a name, like an order's number."""
_SCALES = {"万亿": 1e12, "千万": 1e7, "百万": 1e6, "亿": 1e8, "万": 1e4, "千": 1e3}
_MARKS = {
    "美元": "USD", "欧元": "EUR", "英镑": "GBP", "日元": "JPY", "港元": "HKD", "人民币": "CNY", "元": "CNY",
    "usd": "USD", "eur": "EUR", "gbp": "GBP", "jpy": "JPY", "hkd": "HKD", "cny": "CNY", "rmb": "CNY",
    "$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "%": "%",
}  # fmt: skip
_MARK = re.compile("|".join(map(re.escape, _MARKS)), re.IGNORECASE)
_AMOUNT = re.compile(
    r"(?P<sign>[-+−])?(?:[¥$€£]\s*+)?(?(sign)|[-+−]?)(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
    rf"\s*+(?P<unit>(?:(?P<scale>{'|'.join(_SCALES)})\s*+)?(?:{_MARK.pattern})?)",
    re.IGNORECASE,
)
_TIMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})[-/.年](?P<part>\d{1,2})(?:[-/.月](?P<day>\d{1,2})日?)?月?",
        r"(?P<year>(?:1[89]|2[01])\d\d)",
        r"(?P<year>\d{4})年",
        r"(?P<part>\d{1,2})月(?:(?P<day>\d{1,2})日)?",
        r"(?:(?P<year>\d{4})[- 年]?)?(?:Q(?P<part>[1-4])|第(?P<quarter>[一二三四])季度)",
        rf"(?P<month>{MONTH_NAME})\.?(?:-(?P<short>\d\d)|(?:\s+(?P<day>\d{{1,2}})(?!\d))?(?:[\s,-]+(?P<year>\d{{4}}))?)",
    )
)
_YEAR_NAME = re.compile(
    r"(?:(?!(?:this|last|next|per|each|every|prior|previous)\b)\w+ )?years?(?: of \w+)?|fy|yr|date|period|time"
    r"|.*(?<![本去今前明每上])(?:年|年份|年度)|日期|时间",
    re.IGNORECASE,
)


class Amount(NamedTuple):
    """A number with what stands around it.

    Attributes:
        number: without its scale.
        scale: 10,000 of 3万元.
        marks: currencies and the percent sign, canonical: ¥ and 元 are one.
        has_unit: a unit stands behind the number: 500元 is that, whatever the column's head says.
    """

    number: float
    scale: float
    marks: frozenset[str]
    has_unit: bool


def amount_of(cell: str) -> Amount | None:
    """Returns the amount in a cell: 1,234.5, ¥12, 15 %, 3万元, (300); None when there is none that a float can hold."""
    match = _matched(cell)
    if match is None:
        return None
    number = float(match["number"].replace(",", ""))
    scale = _SCALES.get(match["scale"] or "", 1.0)
    if number * scale > _LARGEST:
        return None
    negative = _narrow(cell).startswith("(") or any(sign in match[0] for sign in "-−")
    unit = match["unit"].strip()
    return Amount(-number if negative else number, scale, marks_in(match[0]), has_unit=unit not in ("", "%"))


def is_amount(cell: str) -> bool:
    """Returns whether a cell is written like an amount, of whatever size."""
    return _matched(cell) is not None


def number_of(cell: str) -> float | None:
    """Returns the number in a cell, 30,000 of 3万元; None when there is none."""
    amount = amount_of(cell)
    return None if amount is None else amount.number * amount.scale


def marks_in(text: str) -> frozenset[str]:
    """Returns the currencies, and the percent sign, in a text."""
    return frozenset(_MARKS[mark.lower()] for mark in _MARK.findall(_narrow(text)))


def time_of(cell: str) -> tuple[int, int, int] | None:
    """Returns year, month or quarter, and day, with 0 for what is not said; None when the cell is no time."""
    plain = _narrow(cell)
    match = next((found for pattern in _TIMES if (found := pattern.fullmatch(plain))), None)
    if match is None:
        return None
    said = {name: value for name, value in match.groupdict().items() if value}
    year = int(said.get("year", 0)) or (2000 + int(said["short"]) if "short" in said else 0)
    if "month" in said:
        return year, month_of(said["month"]), int(said.get("day", 0))
    part = "一二三四".index(said["quarter"]) + 1 if "quarter" in said else int(said.get("part", 0))
    return year, part, int(said.get("day", 0))


def are_times(name: str, cells: Sequence[str], *, has_unit: bool = False) -> bool:
    """Returns whether the cells of a column are times.

    Bare years (2020) are so only if the name says it, or if they go by even steps and the column has no unit: sales of
    1850, 1920 and 2010 are amounts.
    """
    if not cells or any(time_of(cell) is None for cell in cells):
        return False
    if not all(_narrow(cell).isdecimal() for cell in cells) or _YEAR_NAME.fullmatch(name):
        return True
    steps = {int(later) - int(sooner) for sooner, later in itertools.pairwise(map(_narrow, cells))}
    return not has_unit and len(steps) == 1 and 1 <= abs(min(steps)) <= 10


def time_order(cells: Sequence[str]) -> list[int]:
    """Returns the places of cells from the oldest to the newest; as they stand where that cannot be told.

    Without years only falling times are turned round: 11月, 12月, 1月 may well be in order.
    """
    times = [time_of(cell) or (0, 0, 0) for cell in cells]
    places = list(range(len(times)))
    if all(year for year, _, _ in times):
        return sorted(places, key=lambda place: times[place])
    return places[::-1] if all(later < sooner for sooner, later in itertools.pairwise(times)) else places


def _narrow(cell: str) -> str:
    return unicodedata.normalize("NFKC", cell).strip()


def _matched(cell: str) -> re.Match[str] | None:
    plain = _narrow(cell)
    return _AMOUNT.fullmatch(plain[1:-1].strip() if plain[:1] == "(" and plain[-1:] == ")" else plain)
