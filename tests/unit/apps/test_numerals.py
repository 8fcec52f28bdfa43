"""Numbers in words: what an independent writer writes is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.numerals import chinese_numerals, chinese_value, english_numerals
from inkseal.apps.quantities import quantities

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
TEENS = ("thir", "four", "fif", "six", "seven", "eigh", "nine")
TENS = ("", "", "twen", "thir", "for", "fif", "six", "seven", "eigh", "nine")


def in_english(value: int, joint: str = " and ") -> str:
    if value < 13:
        return ONES[value]
    if value < 20:
        return TEENS[value - 13] + "teen"
    if value < 100:
        return TENS[value // 10] + "ty" + (f"-{ONES[value % 10]}" if value % 10 else "")
    size, word = next(
        pair
        for pair in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
        if pair[0] <= value
    )
    rest = value % size
    between = joint if rest < 100 else " "
    return f"{in_english(value // size, joint)} {word}" + (f"{between}{in_english(rest, joint)}" if rest else "")


def in_chinese(value: int) -> str:
    """Writes digit by digit: each with its place, each group of four with 万 or 亿, one 零 for each gap."""
    digits, text, gap = str(value), "", False
    for index, digit in enumerate(digits):
        place = len(digits) - 1 - index
        if digit == "0":
            gap = True
        else:
            text += (
                ("零" if gap and text else "") + "零一二三四五六七八九"[int(digit)] + ("", "十", "百", "千")[place % 4]
            )
            gap = False
        if place in (4, 8) and int(digits[: index + 1]) % 10_000:
            text += {4: "万", 8: "亿"}[place]
            gap = gap and digit == "0"
    return text or "零"


@given(st.integers(0, 10**12 - 1) | st.integers(0, 30_000))
def test_chinese_numerals_are_read_back(value: int) -> None:
    text = in_chinese(value)
    assert chinese_value(text)[0] == value
    if value >= 20:
        (quantity,) = quantities(f"共有{text}人")  # 一万个 is a turn of speech
        assert quantity.value == value


@given(st.integers(0, 10**12 - 1) | st.integers(0, 30_000), st.sampled_from([" and ", " "]))
def test_english_numerals_are_read_back(value: int, joint: str) -> None:
    (number,) = english_numerals(f"There are {in_english(value, joint)} of them.")
    assert (number.value, number.is_figure) == (value, value >= 10)


@given(st.integers(10, 99), st.integers(10, 99))
def test_two_numbers_below_a_hundred_stay_two(one: int, other: int) -> None:
    found = list(english_numerals(f"between {in_english(one)} and {in_english(other)}"))
    assert [number.value for number in found] == [one, other]


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([("万", 10**4), ("百万", 10**6), ("亿", 10**8), ("千", 10**3)]),
)
def test_the_units_after_a_decimal_count(whole: int, part: int, unit: tuple[str, int]) -> None:
    (number,) = chinese_numerals(f"约{in_chinese(whole)}点{in_chinese(part)}{unit[0]}人")
    assert number.value == pytest.approx((whole + part / 10) * unit[1])
    assert number.step == pytest.approx(unit[1] / 10)


@pytest.mark.parametrize(
    ("text", "value", "step"),
    [
        ("一万二", 12_000, 1000),
        ("三千五", 3500, 100),
        ("二十五", 25, 1),
        ("一百零五", 105, 1),
        ("三万亿", 3e12, 1e12),
        ("百万", 1e6, 1e6),
        ("一千二百万", 1.2e7, 1e6),
        ("二〇二四", 2024, 1),
    ],
)
def test_chinese_numerals_and_their_last_place(text: str, value: float, step: float) -> None:
    assert chinese_value(text) == (value, step)
