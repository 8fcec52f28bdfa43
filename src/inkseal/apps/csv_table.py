"""Reads a CSV text as a table of text and numbers; bounded in every direction, and no cell is ever a formula."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from inkseal.apps.csv_cells import Amount, amount_of, are_times, is_amount, marks_in
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

MAX_CHARS = 1_000_000
MAX_ROWS = 5_000
MAX_COLUMNS = 40
MAX_CELL_CHARS = 1_000
MAX_LINE_CHARS = 40_000
_BLANK = frozenset({"", "-", "–", "—", "n/a", "na", "null", "none", "无", "空"})
_UNIT = re.compile(r"\s*[（(]([^（）()]{1,12})[）)]\s*$")
_SCALES = (
    *(("百万", 1e6), ("千万", 1e7), ("万", 1e4), ("亿", 1e8), ("千", 1e3), ("thousand", 1e3), ("million", 1e6)),
    *(("billion", 1e9), ("bn", 1e9), ("k€", 1e3), ("k$", 1e3), ("k£", 1e3), ("k¥", 1e3), ("mio", 1e6)),
)
_KILO = re.compile("千[克米瓦卡帕伏赫]")
"""Units of their own: a column of kilograms counts kilograms."""
Kind = Literal["number", "date", "text"]


class Column(NamedTuple):
    """One column; `numbers` has None where a cell is blank, and is empty for a column that is no number."""

    name: str
    kind: Kind
    cells: tuple[str, ...]
    numbers: tuple[float | None, ...]
    is_percent: bool
    unit: str
    is_mixed: bool = False
    """Its cells are amounts that cannot be added up: of several currencies, or percentages among plain numbers."""

    @property
    def title(self) -> str:
        """The name without its unit."""
        return _UNIT.sub("", self.name).strip() or self.name

    @property
    def scale(self) -> float:
        """What the unit multiplies by: 1 for most, 10,000 for 万元, 1,000 for k€."""
        return _scale(self.unit)

    def reordered(self, order: Sequence[int]) -> "Column":
        """The column with its rows in another order."""
        numbers = tuple(self.numbers[place] for place in order) if self.numbers else ()
        return self._replace(cells=tuple(self.cells[place] for place in order), numbers=numbers)


class Table(NamedTuple):
    """A table with a head."""

    columns: tuple[Column, ...]
    num_rows: int
    num_formulas: int
    """Cells that a spreadsheet would run; here they are text."""


def read_table(text: str) -> Table:
    """Returns the table in a CSV text whose first line is its head; comma, semicolon, tab or bar between cells.

    Raises:
        InvalidRequest: it is too large, or no table; says where.
    """
    rows = _rows(text)
    head = [name.strip() or f"{say('column', '列')} {place}" for place, name in enumerate(rows[0], 1)]
    if len(set(head)) != len(head):
        raise _refused(say("two columns have the same name", "两列同名"))
    body = rows[1:]
    if not body:
        raise _refused(say("it has a head and no rows", "只有表头，没有数据"))
    for number, row in enumerate(body, 2):
        if len(row) > len(head):
            raise _refused(
                say(
                    f"row {number} has {len(row)} cells, the head {len(head)}",
                    f"第 {number} 行有 {len(row)} 格，表头只有 {len(head)} 格",
                )
            )
    cells = [tuple(row[place].strip() if place < len(row) else "" for row in body) for place in range(len(head))]
    columns = tuple(_column(name, column) for name, column in zip(head, cells, strict=True))
    formulas = sum(is_formula(cell) for column in cells for cell in column)
    return Table(columns, len(body), formulas)


def is_formula(cell: str) -> bool:
    """Returns whether a spreadsheet would take the cell for a formula: `=cmd|…`, `@SUM`, `+1+cmd`."""
    return cell[:1] in ("=", "@", "\t", "\r") or (cell[:1] in ("+", "-") and not is_amount(cell) and len(cell) > 1)


def _rows(text: str) -> list[list[str]]:
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARS:
        raise _refused(say(f"more than {MAX_CHARS} characters", f"超过 {MAX_CHARS} 个字符"))
    if "\0" in text:
        raise _refused(say("it holds zero bytes: it is no text", "含有零字节，不是文本"))
    lines = text.splitlines()
    if any(len(line) > MAX_LINE_CHARS for line in lines):
        raise _refused(say(f"a line is longer than {MAX_LINE_CHARS} characters", f"有一行超过 {MAX_LINE_CHARS} 个字符"))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(lines), strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(rows) > MAX_ROWS:
                raise _refused(say(f"more than {MAX_ROWS} rows", f"超过 {MAX_ROWS} 行"))
            if len(row) > MAX_COLUMNS:
                raise _refused(say(f"more than {MAX_COLUMNS} columns", f"超过 {MAX_COLUMNS} 列"))
            if any(len(cell) > MAX_CELL_CHARS for cell in row):
                raise _refused(
                    say(f"a cell is longer than {MAX_CELL_CHARS} characters", f"有单元格超过 {MAX_CELL_CHARS} 个字符")
                )
            rows.append(row)
    except csv.Error as error:
        raise _refused(say(f"line {reader.line_num}: {error}", f"第 {reader.line_num} 行：{error}")) from None
    if not rows:
        raise _refused(say("it is empty", "内容为空"))
    return rows


def _delimiter(lines: list[str]) -> str:
    head = next((line for line in lines if line.strip()), "")
    return max(",;\t|", key=lambda mark: (head.count(mark), mark == ","))


def _column(name: str, cells: tuple[str, ...]) -> Column:
    filled = [cell for cell in cells if cell.casefold() not in _BLANK]
    named = _UNIT.search(name)
    unit = named[1] if named else ""
    column = Column(name, "text", cells, (), False, unit)
    if are_times(column.title, filled, has_unit=bool(unit)):
        return column._replace(kind="date")
    amounts = [amount for cell in filled if (amount := amount_of(cell)) is not None]
    if not filled or len(amounts) < len(filled):
        return column
    if _are_mixed(amounts, marks_in(unit)):
        return column._replace(is_mixed=True)
    percent = "%" in marks_in(unit).union(*(amount.marks for amount in amounts))
    found = iter(amounts)
    values = tuple(None if cell.casefold() in _BLANK else _value(next(found), unit) for cell in cells)
    return Column(name, "number", cells, values, percent, "%" if percent else unit)


def _are_mixed(amounts: Sequence[Amount], named: frozenset[str]) -> bool:
    """Returns whether amounts cannot be added up; a plain 0 fits to any."""
    marks = {mark for amount in amounts if amount.number for mark in amount.marks or ("",)}
    return len((marks | named) - {""}) > 1 or (marks >= {"", "%"} and "%" not in named)


def _value(amount: Amount, unit: str) -> float:
    """Returns an amount in the unit of its column: in one of 万元, 3 and 3万元 are 3, and 500元 is 0.05."""
    return amount.number * (amount.scale / _scale(unit) if amount.has_unit else amount.scale)


def _scale(unit: str) -> float:
    if _KILO.match(unit):
        return 1.0
    return next((scale for mark, scale in _SCALES if unit.casefold().startswith(mark)), 1.0)


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(
        say(f"The CSV cannot be used: {why}.", f"CSV 无法使用：{why}。"),
        fix=say("Give a head line and one row a line, UTF-8.", "请提供首行为表头、每行一条记录的 UTF-8 文本。"),
    )
