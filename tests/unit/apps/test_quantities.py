"""Numbers stated in prose, and whether they follow from known ones."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.quantities import follows, numbers_in, quantities, small_numbers_in


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
        ("It was 999. Then 5,000.", [999, 5000]),
        ("It grew 45%. Then it fell (by 12) again.", [45, 12]),
        ("**1. Fast** it is\n- 2. light\n> **3.** 5 kg", [5]),
        ("We sell (1) tea and (2) rice for 3) 80 (9) a day", [80, 9]),
        ("Chapter 3. The stop 7. Depart 8.", [7, 8]),
        ("营收增长,999万元", [9_990_000]),
        ("打折后299元", [299]),
        ("500kg, 62dB, 1,250km, 10am, 2.4GHz, 32GB, 95g", [500, 62, 1250, 10, 2.4, 32, 95]),
        ("载重130kg，容量500mAh", [130, 500]),
        ("80x40 and 80x40x20cm", [80, 40, 80, 40, 20]),
        ("3x faster, a 1080p screen, 12 m2 or 12m2", [3, 1080, 12, 12]),
        ("the 1990s", [1990]),
        ("the 21st century, May 15th, 2nd, 3rd", []),
        ("H2O, MP3, 5G, 3D, 2FA, 7up, 4WD, v2.1, 4S店, 5A景区", []),
        ("5千克和5千人，三千克和三千人", [5, 5000, 3000]),
        ("between ten and twenty", [10, 20]),
        ("the twenty-first century, a ten-month lease", [10]),
        ("between one hundred and two hundred", [100, 200]),
        ("two thousand and three thousand", [2000, 3000]),
        ("one million two hundred thousand and five", [1_200_005]),
        ("一亿二千万", [120_000_000]),
        ("两点五万和三点五亿", [25_000, 350_000_000]),
        ("三万一千五百万", [315_000_000]),
        ("共二千万，即2千万", [20_000_000, 20_000_000]),
        ("十点五十分，得了五十分", [50, 50]),
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
        ("130kg", [130.0], True),
        ("130kg", [13.0], False),
        ("1.2亿", [120_000_000.0], True),
        ("9" * 400, [float("inf")], False),
        ("12", [float("inf"), float("nan")], False),
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


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("runs for nine hours", "9 hours"),
        ("有效期为三年", "valid for 3 years"),
        ("有效期十年", "ten years, 10 years"),
        ("九点开门", "9点开门"),
        ("两点五公斤", "2.5 kg"),
        ("成立于二〇二四年", "founded in 2024"),
        ("八点五分出发", "8:05"),
        ("since March 2024, or May", "2024年3月，5月"),
    ],
)
def test_a_small_number_in_words_proves_the_same_in_digits(source: str, answer: str) -> None:
    known = [*numbers_in(source), *small_numbers_in(source)]
    found = quantities(answer)
    assert found
    assert all(follows(quantity, known) for quantity in found)


@pytest.mark.parametrize(
    "source", ["十分好，万一", "第三名", "you may march", "twenty-five, 25, 一百二十三, five percent"]
)
def test_turns_of_speech_and_parts_of_larger_numbers_prove_nothing_small(source: str) -> None:
    assert small_numbers_in(source) == []


def test_what_no_float_can_hold_is_no_known_number() -> None:
    assert numbers_in("9" * 400 + " and 7") == [7.0, 7.0]


@given(
    st.decimals(0, 10**9, places=2),
    st.sampled_from(["", "kg", "km", "dB", "GB", "h", "x", " kg", "%", ".", ". Then", "元", "公斤", "）", "。"]),
    st.sampled_from(["", "约", "up to ", "(", "增长,"]),
)
def test_what_is_written_is_read_whatever_stands_around(value: Decimal, after: str, before: str) -> None:
    for written in (f"{value:,}", f"{value}", f"{int(value):,}", f"{int(value)}"):
        if (written, after) == ("1", "）"):
            continue  # begins a list within the line
        (quantity,) = quantities(f"It was {before}{written}{after}")
        assert quantity.value == pytest.approx(float(written.replace(",", "")))


@pytest.mark.parametrize(
    "text", ["*" * 50_000, "* " * 20_000, "one hundred" + " " * 50_000, "十点" * 10_000, "1," * 20_000]
)
def test_no_text_takes_long(text: str) -> None:
    begin = time.perf_counter()
    quantities(text)
    assert time.perf_counter() - begin < 5
