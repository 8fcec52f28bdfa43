"""Charts as lines that anybody can read, and as SVG that can do nothing."""

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.errors import InvalidRequest
from inkseal.core.protocols import Rendering
from inkseal.modalities.text.charts import Chart, fence, read_chart, svg
from inkseal.modalities.text.fences import fenced
from inkseal.modalities.text.writers.html import Html

SALES = Chart("bar", "Sales", "k€", (("North", 1200.0), ("South", -950.5)))


def test_lines_and_back() -> None:
    text = fence(SALES)
    assert text == "```chart\nbar | Sales | k€\nNorth | 1200\nSouth | -950.5\n```"
    (block,) = fenced(text)
    assert block.info == "chart"
    assert read_chart(block.text) == SALES


NO_CHARTS = ("", "bar | a", "pie | a | b\nx | 1", "bar | a | b", "bar | a | b\nx | y", "bar | a | b\nx | nan")


@pytest.mark.parametrize(
    "text", [*NO_CHARTS, "bar | a | b\nx", "bar | a | b\n" + "x | 1\n" * 41, "bar | a | b\nx | 1e99"]
)
def test_what_is_no_chart(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_chart(text)


@given(
    st.sampled_from(["bar", "line"]),
    st.text(max_size=40),
    st.lists(st.tuples(st.text(max_size=40), st.floats(-1e12, 1e12, allow_nan=False)), min_size=1, max_size=40),
)
def test_whatever_labels_say_the_drawing_is_only_a_drawing(
    kind: str, title: str, points: list[tuple[str, float]]
) -> None:
    drawing = ElementTree.fromstring(svg(Chart(kind, title, "", tuple(points))))  # type: ignore[arg-type]
    allowed = {"svg", "title", "text", "rect", "line", "polyline", "circle"}
    for element in drawing.iter():
        assert element.tag.rpartition("}")[2] in allowed
        assert not any(name.startswith("on") or "href" in name or name == "style" for name in element.attrib)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_label_cannot_leave_its_block(title: str, label: str) -> None:
    (block,) = fenced(fence(Chart("bar", title, "", ((label, 1.0),))))
    assert read_chart(block.text).points[0][1] == 1.0


def test_a_page_draws_the_chart_and_gives_back_its_lines() -> None:
    text = f"# Report\n\n{fence(SALES)}\n\n```python\nx = 1\n```"
    page = Html().write(Rendering(content=text.encode(), title="", language="en"))
    assert page.count(b"<svg") == 1
    words = Html().read(page).content.decode()
    assert words.count("North | 1200") == 1
    assert words.count("North") == 1  # the drawing's own words are not the document's
    assert "x = 1" in words


def test_what_only_looks_like_a_chart_stays_code() -> None:
    page = Html().write(Rendering(content=b"```chart\n<script>\n```", title="", language="en"))
    assert b"<svg" not in page
    assert b"<script>" not in page


def test_fences_end_where_they_should() -> None:
    blocks = fenced("a\n````md\n```py\nx\n```\n````\nb\n~~~\nrest")
    assert [(block.info, block.text) for block in blocks] == [("md", "```py\nx\n```\n"), ("", "rest")]
