"""Numbers stated in prose, and whether they follow from known ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.quantities import follows, quantities


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Sales rose to 1,234.5 in all.", [1234.5]),
        ("约 1.2 万元", [12000]),
        ("合计2630万元，占42.6%", [26_300_000, 42.6]),
        ("3 million people and 2.5k visitors", [3_000_000, 2500]),
        ("增长了百分之十二", [12]),
        ("约一万二千人", [12000]),
        ("一百二十三名", [123]),
        ("下降三成", [30]),
        ("二十五个", [25]),
        ("三千零五人", [3005]),
        ("twelve thousand three hundred visitors", [12300]),
        ("twenty-five percent of them", [25]),
        ("five percent", [5]),
        ("a fall of -3.5", [-3.5]),
        ("１２３ 元", [123]),
        ("the 3rd quarter, Q3, top 5, 第三名, 第2行, 前3", []),
        ("1. first\n2. second", []),
        ("十分重要，千万不要，万一下雨，一个，一直，进一步", []),
        ("one of them, two sides", []),
        ("COVID-19 and A4 and v2.0", []),
    ],
)
def test_the_numbers_of_a_text(text: str, values: list[float]) -> None:
    assert [quantity.value for quantity in quantities(text)] == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("42.6%", [42.5566], True),
        ("43%", [42.5566], True),
        ("42.5%", [42.5566], False),
        ("12%", [0.12], True),
        ("1.2 万", [12345.0], True),
        ("1.3 万", [12345.0], False),
        ("1,235", [1234.5], True),
        ("fell by 9,100", [-9100.0], True),
        ("7", [8.0], False),
    ],
)
def test_a_number_follows_as_far_as_it_is_written(text: str, known: list[float], expected: bool) -> None:
    (quantity,) = quantities(text)
    assert follows(quantity, known) is expected


@given(st.floats(-1e9, 1e9, allow_nan=False), st.integers(0, 3))
def test_every_rounding_of_a_known_number_follows(value: float, decimals: int) -> None:
    text = f"x {value:,.{decimals}f} y"
    for quantity in quantities(text):
        assert follows(quantity, [value])


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    for quantity in quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
