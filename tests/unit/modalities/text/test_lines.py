from hypothesis import given
from hypothesis import strategies as st

from inkseal.modalities.text.blocks import Span
from inkseal.modalities.text.lines import break_lines


def width(span: Span) -> float:
    return float(sum(2 if ord(c) > 0x2E80 else 1 for c in span.text))


def broken(text: str, room: float) -> list[str]:
    return ["".join(span.text for span in line) for line in break_lines([Span(text)], width, room)]


def test_words_stay_whole() -> None:
    assert broken("the quick brown fox", 10) == ["the quick ", "brown fox"]


def test_chinese_breaks_anywhere_but_before_closing_marks() -> None:
    assert broken("春天采下嫩叶，经过揉捻。", 12) == ["春天采下嫩", "叶，经过揉", "捻。"]


def test_opening_marks_do_not_end_a_line() -> None:
    assert broken("他说道呀：“好的呀”", 12) == ["他说道呀：", "“好的呀”"]


def test_line_breaks_are_kept() -> None:
    assert broken("a\n\nb", 10) == ["a", "", "b"]


def test_neighbours_of_one_style_are_joined_and_others_not() -> None:
    (line,) = break_lines([Span("a "), Span("b", bold=True), Span(" c")], width, 20)
    assert line == [Span("a "), Span("b", bold=True), Span(" c")]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(2, 30))
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, room: int) -> None:
    lines = broken(text, room)
    assert "".join(lines) == text.replace("\n", "")
    for line in lines:
        assert width(Span(line.rstrip())) <= room
