"""Figures and charts of a CSV: worked out here, so that the model writes only the prose around them."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from inkseal.apps.csv_cells import time_order
from inkseal.apps.csv_table import Column, Table, read_table
from inkseal.apps.quantities import numbers_in, small_numbers_in
from inkseal.core.language import Language, say
from inkseal.modalities.text.charts import MAX_POINTS, Chart, Kind, fence

MAX_NUMERIC = 6
MAX_GROUPS = 12
MAX_CHARTS = 3


class Figure(NamedTuple):
    """One number that follows from the table; `scale` is what its unit stands for: 万元 is 10,000."""

    name: str
    value: float
    text: str
    scale: float = 1.0


class Worked(NamedTuple):
    """Everything that was worked out."""

    figures: list[Figure]
    charts: list[Chart]


def number_text(value: float, unit: str = "") -> str:
    """Returns a number as reports write it: grouped, at most two decimals, with its unit."""
    rounded = round(value, 2)
    text = f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.2f}".rstrip("0").rstrip(".")
    return f"{text}{unit}" if unit[:1] in ("", "%") or not unit.isascii() else f"{text} {unit}"


def work_out(table: Table) -> Worked:
    """Returns the figures of the number columns, over time where there is a time, by group where there are groups."""
    table = _in_time(table)
    numeric = [column for column in table.columns if column.kind == "number"][:MAX_NUMERIC]
    label, places = _label(table), _places(table)
    found = [Figure(say("number of rows", "数据行数"), table.num_rows, str(table.num_rows))]
    charts: list[Chart] = []
    for column in numeric:
        found += _of_column(column, places)
        if label is not None and label.kind == "date":
            found += _over_time(column, label)
        group = _group(table)
        if group is not None:
            figures, chart = _by_group(column, group)
            found += figures
            charts += chart
        elif label is not None and (drawn := _chart(column, label)) is not None:
            charts.append(drawn)
    return Worked(found, charts[:MAX_CHARTS])


def _label(table: Table) -> Column | None:
    dates = [column for column in table.columns if column.kind == "date"]
    texts = [column for column in table.columns if column.kind == "text"]
    return next(iter([*dates, *texts]), None)


def _in_time(table: Table) -> Table:
    """Returns the table from the oldest row to the newest, if each row has a time of its own."""
    label = _label(table)
    if label is None or label.kind != "date" or len(set(label.cells)) != table.num_rows:
        return table
    order = time_order(label.cells)
    return table._replace(columns=tuple(column.reordered(order) for column in table.columns))


def _places(table: Table) -> list[str]:
    """Returns what each row is called: its texts and dates."""
    named = [column.cells for column in table.columns if column.kind != "number"][:3]
    return [" ".join(filter(None, row)) for row in zip(*named, strict=True)] if named else [""] * table.num_rows


def _group(table: Table) -> Column | None:
    """Returns the first text column in which values come again."""
    for column in table.columns:
        different = set(column.cells)
        if column.kind == "text" and 2 <= len(different) <= MAX_GROUPS and len(different) < table.num_rows:
            return column
    return None


def _of_column(column: Column, places: Sequence[str]) -> list[Figure]:
    pairs = [(value, place) for place, value in enumerate(column.numbers) if value is not None]
    values = [value for value, _ in pairs]
    high, low = max(pairs, key=lambda pair: pair[0]), min(pairs, key=lambda pair: pair[0])
    name = column.title
    found = [
        _figure(column, say(f"{name}, mean", f"{name}平均"), statistics.fmean(values)),
        _figure(column, say(f"{name}, highest", f"{name}最高"), high[0], places[high[1]]),
        _figure(column, say(f"{name}, lowest", f"{name}最低"), low[0], places[low[1]]),
        _figure(column, say(f"{name}, median", f"{name}中位数"), statistics.median(values)),
    ]
    if not column.is_percent:
        found.insert(0, _figure(column, say(f"{name}, total", f"{name}合计"), sum(values)))
    return found


def _over_time(column: Column, label: Column) -> list[Figure]:
    pairs = [(place, value) for place, value in enumerate(column.numbers) if value is not None]
    if len(pairs) < 2 or len(set(label.cells)) != len(label.cells):
        return []
    (first, begin), (last, end) = pairs[0], pairs[-1]
    span, name = f"{label.cells[first]} → {label.cells[last]}", column.title
    found = [_figure(column, say(f"{name}, change {span}", f"{name}变化 {span}"), end - begin)]
    if begin and not column.is_percent:
        change = (end - begin) / abs(begin) * 100
        found.append(_percent(say(f"{name}, change in percent {span}", f"{name}变化幅度 {span}"), change))
    return found


def _by_group(column: Column, group: Column) -> tuple[list[Figure], list[Chart]]:
    sums: dict[str, list[float]] = {}
    for of, value in zip(group.cells, column.numbers, strict=True):
        if value is not None:
            sums.setdefault(of or say("(blank)", "（空）"), []).append(value)
    totals = {of: statistics.fmean(values) if column.is_percent else sum(values) for of, values in sums.items()}
    found, name, whole = [], column.title, sum(totals.values())
    for of, total in totals.items():
        word = say("mean", "平均") if column.is_percent else say("total", "合计")
        found.append(_figure(column, say(f"{name}, {of}, {word}", f"{of}{name}{word}"), total))
        if whole and not column.is_percent and all(value >= 0 for value in totals.values()):
            found.append(_percent(say(f"{name}, {of}, share", f"{of}{name}占比"), total / whole * 100))
    points = tuple(sorted(totals.items(), key=lambda pair: -pair[1]))
    title = say(f"{name} by {group.title}", f"各{group.title}{name}")
    return found, [Chart("bar", title, column.unit, points)] if len(points) > 1 else []


def _chart(column: Column, label: Column) -> Chart | None:
    points = tuple((name, value) for name, value in zip(label.cells, column.numbers, strict=True) if value is not None)
    if not 2 <= len(points) <= MAX_POINTS:
        return None
    kind: Kind = "line" if label.kind == "date" and len(points) > 2 else "bar"
    return Chart(kind, column.title, column.unit, points)


def _figure(column: Column, name: str, value: float, place: str = "") -> Figure:
    more = say(f" ({place})", f"（{place}）") if place else ""
    return Figure(name, value, number_text(value, column.unit) + more, column.scale)


def _percent(name: str, value: float) -> Figure:
    return Figure(name, value, number_text(value, "%"))


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _markdown(figures: Sequence[Figure]) -> str:
    head = say("| figure | value |", "| 指标 | 数值 |")
    return "\n".join([head, "|---|---:|", *(f"| {_cell(f.name)} | {_cell(f.text)} |" for f in figures)])


def _known(table: Table, figures: Sequence[Figure]) -> list[float]:
    """Returns every number that the prose may state: cells, figures, and digits in heads and labels."""
    numeric = [column for column in table.columns if column.kind == "number"]
    cells = {value * by for c in numeric for by in (1.0, c.scale) for value in c.numbers if value is not None}
    words = {cell for column in table.columns if column.kind != "number" for cell in column.cells}
    words |= {column.name for column in table.columns}
    quoted = {number for word in words for number in (*numbers_in(word), *small_numbers_in(word))}
    counts = {float(len(table.columns)), float(table.num_rows)}
    counts |= {float(len(set(column.cells))) for column in table.columns if column.kind != "number"}
    worked = {figure.value * by for figure in figures for by in (1.0, figure.scale)}
    return sorted(cells | quoted | counts | worked)


class Figures:
    """Figures and charts of a CSV."""

    name: ClassVar[str] = "figures"
    arguments: ClassVar[frozenset[str]] = frozenset({"csv"})
    optional: ClassVar[frozenset[str]] = frozenset()

    def run(self, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """Returns `facts` (lines), `table` and `charts` (Markdown), `known` (numbers), `notes` (lines), `columns`.

        Raises:
            InvalidRequest: the CSV cannot be read.
        """
        table = read_table(str(values["csv"]))
        worked = work_out(table)
        notes = []
        if table.num_formulas:
            notes.append(
                say(
                    f"{table.num_formulas} cells begin like a formula; they were taken as text.",
                    f"有 {table.num_formulas} 个单元格形似公式，已按文本处理。",
                )
            )
        if mixed := ", ".join(column.title for column in table.columns if column.is_mixed):
            notes.append(
                say(
                    f"{mixed}: several currencies, or percentages among plain numbers; nothing was worked out.",
                    f"{mixed}：币种不一，或百分数与普通数字混用，未据此计算。",
                )
            )
        return {
            "facts": [f"{figure.name}: {figure.text}" for figure in worked.figures],
            "table": _markdown(worked.figures),
            "charts": "\n\n".join(fence(chart) for chart in worked.charts),
            "known": _known(table, worked.figures),
            "notes": notes,
            "columns": [column.name for column in table.columns],
        }
