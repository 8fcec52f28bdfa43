"""Tables from people's files: bounded, typed, and never run."""

import tracemalloc

import pytest

from inkseal.apps.computations.figures import Figures
from inkseal.apps.csv_table import is_formula, number_of, read_table
from inkseal.core.errors import InvalidRequest

SALES = "region,quarter,sales (万元)\n华东,Q1,1250\n华东,Q2,1380\n华南,Q1,980\n华南,Q2,\n"


def test_columns_have_kinds_and_units() -> None:
    table = read_table(SALES)
    assert [(column.kind, column.unit, column.scale) for column in table.columns] == [
        ("text", "", 1.0),
        ("date", "", 1.0),
        ("number", "万元", 10_000.0),
    ]
    assert table.columns[2].numbers == (1250.0, 1380.0, 980.0, None)
    assert table.columns[2].title == "sales"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_any_usual_delimiter(mark: str) -> None:
    table = read_table(f"a{mark}b\n1{mark}2\n")
    assert [column.numbers for column in table.columns] == [(1.0,), (2.0,)]


def test_quotes_and_line_breaks_inside_of_cells() -> None:
    table = read_table('name,note\n"Ann, Bo","two\nlines"\n')
    assert [column.cells for column in table.columns] == [("Ann, Bo",), ("two\nlines",)]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,234.5", 1234.5), ("¥1,200", 1200), ("15%", 15), ("(300)", -300), ("-2", -2), ("１２", 12), ("12元", 12)],
)
def test_numbers_as_people_write_them(cell: str, value: float) -> None:
    assert number_of(cell) == value


@pytest.mark.parametrize("cell", ["abc", "1,2,3", "1e5", "nan", "", "--1", "=1+1"])
def test_what_is_no_number(cell: str) -> None:
    assert number_of(cell) is None


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "@SUM(A1)", "+1+cmd", "-1+1", "=1"])
def test_formulas_are_text_and_counted(cell: str) -> None:
    assert is_formula(cell)
    table = read_table(f'name,n\n"{cell}",1\n')
    assert table.num_formulas == 1
    assert table.columns[0].kind == "text"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n",
        "a,a\n1,2\n",
        "a,b\n1,2,3\n",
        'a,b\n"1,2\n',
        "a\0b,c\n1,2\n",
        "a," + "x" * 50_000 + "\n1,2\n",
        ",".join(f"c{i}" for i in range(41)) + "\n",
        "a,b\n" + "1,2\n" * 5001,
        "a,b\n" + "y" * 1001 + ",2\n",
    ],
    ids=[
        "empty",
        "no rows",
        "same names",
        "too wide a row",
        "open quote",
        "zero byte",
        "long line",
        "columns",
        "rows",
        "cell",
    ],
)
def test_fault_22_what_is_too_large_or_broken_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_table(text)


def test_fault_22_a_huge_line_costs_no_memory() -> None:
    huge = "a,b\n" + "x" * 30_000_000
    tracemalloc.start()
    with pytest.raises(InvalidRequest):
        read_table(huge)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_figures_are_worked_out_and_every_one_may_be_stated() -> None:
    found = Figures().run({"csv": SALES}, "en")
    facts = "\n".join(found["facts"])
    assert "sales, total: 3,610万元" in facts
    assert "sales, highest: 1,380万元 (华东 Q2)" in facts
    assert "sales, 华东, share: 72.85%" in facts
    for value in (3610.0, 1380.0, 2630.0, 13_800_000.0, 4.0):
        assert value in found["known"]
    assert "```chart\nbar | sales by region | 万元\n华东 | 2630\n华南 | 980\n```" in found["charts"]


def test_labels_cannot_break_out_of_tables_and_charts() -> None:
    found = Figures().run({"csv": 'name,n\n"a|b```\n# x",1\nc,2\n'}, "en")
    chart = found["charts"].removeprefix("```chart\n").removesuffix("\n```")
    assert "```" not in chart
    assert len(chart.splitlines()) == 3
