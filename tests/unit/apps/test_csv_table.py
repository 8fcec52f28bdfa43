"""Tables from people's files: bounded, typed, and never run."""

import contextlib
import csv
import io
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.computations.figures import Figures
from inkseal.apps.csv_cells import number_of
from inkseal.apps.csv_table import is_formula, read_table
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language, use_language

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


def facts_of(csv: str, language: Language = "en") -> list[str]:
    with use_language(language):
        return list(Figures().run({"csv": csv}, language)["facts"])


def test_a_cells_own_unit_counts() -> None:
    (column,) = read_table("收入\n3万元\n500元\n¥20\n").columns
    assert column.numbers == (30_000, 500, 20)
    (column,) = read_table("收入（万元）\n3万元\n500元\n2\n").columns
    assert column.numbers == pytest.approx((3, 0.05, 2))


@pytest.mark.parametrize("cells", [("$5", "€5"), ("5美元", "5元"), ("12%", "5"), ("12%", "5元")])
def test_what_cannot_be_added_up_is_no_number_and_is_said(cells: tuple[str, str]) -> None:
    found = Figures().run({"csv": f"place,amount\na,{cells[0]}\nb,{cells[1]}\n"}, "en")
    assert not any(fact.startswith("amount") for fact in found["facts"])
    assert any("amount" in note for note in found["notes"])


def test_a_currency_in_the_head_must_be_that_of_the_cells() -> None:
    assert read_table("sales (€)\n$5\n").columns[0].is_mixed
    assert read_table("sales (k$)\n$5\n7\n").columns[0].kind == "number"


@pytest.mark.parametrize("csv", ["growth\n12%\n0\n-3%\n", "growth (%)\n12\n0\n-3\n", "growth（％）\n12%\n0\n-3\n"])
def test_percentages_have_no_total(csv: str) -> None:
    (column,) = read_table(csv).columns
    assert (column.is_percent, column.unit, column.numbers) == (True, "%", (12, 0, -3))
    assert not any("total" in fact for fact in facts_of(csv))


@pytest.mark.parametrize(
    ("csv", "kind"),
    [
        ("sales\n1850\n1920\n2010\n", "number"),
        ("销售额\n1850\n1920\n2010\n", "number"),
        ("去年\n1850\n1920\n2010\n", "number"),
        ("sales last year\n1850\n1920\n2010\n", "number"),
        ("sales (万元)\n2000\n2010\n2020\n", "number"),
        ("sales\n1850\n", "number"),
        ("when\n2022\n2023\n2024\n", "date"),
        ("when\n2024\n2023\n", "date"),
        ("when\n2000\n2010\n2020\n", "date"),
        ("year\n1850\n1920\n2010\n", "date"),
        ("Fiscal year\n2020\n2020\n2021\n", "date"),
        ("财年\n2020\n2020\n2023\n", "date"),
        ("x\n2020年\n2023年\n", "date"),
        ("日期（北京）\n2024-01\n2024-05\n", "date"),
        ("x\nMarketing\nMary\n", "text"),
        ("x\nJan 2024\nFebruary\n", "date"),
    ],
)
def test_which_columns_are_times(csv: str, kind: str) -> None:
    assert read_table(csv).columns[0].kind == kind


@pytest.mark.parametrize(
    "times",
    [
        ("2024-01", "2024-02", "2024-10"),
        ("2023", "2024", "2025"),
        ("2023 Q4", "2024 Q1", "2024 Q2"),
        ("2023年12月", "2024年1月", "2024年2月"),
        ("Dec 2023", "Jan 2024", "Feb 2024"),
        ("Dec-23", "Jan-24", "Feb-24"),
        ("1月", "2月", "10月"),
        ("第一季度", "第二季度", "第四季度"),
        ("Q1", "Q2", "Q3"),
    ],
)
def test_change_is_from_the_oldest_row_to_the_newest(times: tuple[str, ...]) -> None:
    rows = [f"{time},{value}" for time, value in zip(times, (100, 130, 150), strict=True)]
    for order in (rows, rows[::-1]):
        facts = facts_of("\n".join(["when,sales", *order]))
        assert f"sales, change {times[0]} → {times[2]}: 50" in facts
        assert f"sales, change in percent {times[0]} → {times[2]}: 50%" in facts


def test_months_without_a_year_may_run_over_its_end() -> None:
    assert "销售变化 11月 → 1月: 50" in facts_of("月份,销售\n11月,100\n12月,130\n1月,150\n", "zh")


def test_a_number_beyond_every_float_is_a_name() -> None:
    huge = "9" * 400
    assert number_of(huge) is None
    assert not is_formula(f"-{huge}")
    assert read_table(f"order\n{huge}\n").columns[0].kind == "text"
    assert facts_of(f"order,sales\n{huge},5\n-{huge},7\n")[1] == "sales, total: 12"


def test_a_column_of_kilograms_is_none_of_thousands() -> None:
    weight, sales = read_table("重量(千克),销售(千元)\n5,3\n7,2\n").columns
    assert (weight.scale, sales.scale) == (1.0, 1000.0)
    facts = facts_of("weight (千克),sales (千元)\n5,3\n7,2\n")
    assert "weight, total: 12千克" in facts
    assert "sales, total: 5千元" in facts


SIZES = st.sampled_from([("", 1), ("千", 10**3), ("万", 10**4), ("百万", 10**6), ("亿", 10**8)])


@given(
    st.integers(-(10**6), 10**6),
    SIZES,
    st.sampled_from(["", "元", "美元", "EUR", " RMB"]),
    st.sampled_from(["", "¥", "$"]),
)
def test_amounts_are_read_back(value: int, size: tuple[str, int], after: str, before: str) -> None:
    for written in (f"{value:,}", f"{value}", f"{value}.50"):
        expected = float(written.replace(",", "")) * size[1]
        assert number_of(f"{before}{written}{size[0]}{after}") == pytest.approx(expected)


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_no_cells_break_it(cells: list[str]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["when", "what"], *([cell, cell] for cell in cells)])
    with contextlib.suppress(InvalidRequest):
        Figures().run({"csv": buffer.getvalue()}, "en")


def test_no_cells_take_long() -> None:
    begin = time.perf_counter()
    read_table("a,b\n" + ("1" + " " * 900 + "x,¥" + " " * 90 + "\n") * 900)
    assert time.perf_counter() - begin < 5
