"""Recognisers are checked against numbers built here from the published checksums."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inkseal.modalities.text.personal_data import id_card_is_valid, luhn_is_valid, recognise

_REGIONS = ["110105", "310115", "440106", "441900", "500112", "650102", "810000", "330106"]


def _id_card(region: str, birth: date, order: int) -> str:
    body = f"{region}{birth:%Y%m%d}{order:03d}"
    # ISO 7064 MOD 11-2, computed as the standard's recursion and not by weights.
    product = 10 * 0
    for digit in body:
        product = (product + int(digit)) * 2 % 11
    return body + "0123456789X"[(12 - product) % 11]


def _luhn(body: str) -> str:
    doubled = [int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(reversed(body))]
    return body + str(-sum(sum(map(int, str(d))) for d in doubled) % 10)


births = st.dates(date(1930, 1, 1), date.today() - timedelta(days=1))


@given(st.sampled_from(_REGIONS), births, st.integers(0, 999))
def test_every_valid_id_card_is_found(region: str, birth: date, order: int) -> None:
    number = _id_card(region, birth, order)
    text = f"我的身份证是{number}，请查收。"
    (hit,) = recognise(text)
    assert (hit.kind, text[hit.start : hit.end], hit.value) == ("id_card", number, number)


@given(st.sampled_from(_REGIONS), births, st.integers(0, 999), st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_no_id_card(region: str, birth: date, order: int, place: int, shift: int) -> None:
    number = _id_card(region, birth, order)
    assume(number[place] != "X")
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert not id_card_is_valid(wrong)
    assert all(hit.kind != "id_card" for hit in recognise(f"号码 {wrong}。"))


@pytest.mark.parametrize(
    "number", ["990105194912310021", "110105194902300025", "110105289912310024", "000000000000000000"]
)
def test_impossible_region_or_date_is_no_id_card(number: str) -> None:
    assert not id_card_is_valid(number)


@given(
    st.sampled_from(["6222", "6217", "6228", "4563", "5187", "9558"]),
    st.integers(0, 10**11 - 1),
    st.sampled_from(["", " ", "-"]),
)
def test_every_valid_bank_card_is_found(issuer: str, middle: int, gap: str) -> None:
    number = _luhn(f"{issuer}{middle:011d}")
    assume(len(set(number)) > 2)
    shown = gap.join(number[i : i + 4] for i in range(0, 16, 4))
    text = f"card: {shown}."
    (hit,) = recognise(text, {"bank_card"})
    assert (text[hit.start : hit.end], hit.value) == (shown, number)


@given(st.integers(10**15, 10**16 - 1))
def test_no_bank_card_without_luhn(number: int) -> None:
    if not luhn_is_valid(str(number)):
        assert recognise(f"卡号 {number}", {"bank_card"}) == []


@pytest.mark.parametrize(
    "shown",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "0086-13800138000",
        "１３８００１３８０００",
        "(+86)13800138000",
    ],
)
def test_mobile_forms(shown: str) -> None:
    assert recognise("快递员电话13800138000")
    text = f"电话：{shown}。"
    (hit,) = recognise(text)
    assert (hit.kind, hit.value) == ("mobile", "13800138000")
    assert "138" in text[hit.start : hit.end] or "１３８" in text[hit.start : hit.end]


@pytest.mark.parametrize(
    "text",
    [
        "订单号：13800138000",
        "时间戳 1380013800000",
        "编号 6222021001122345676",
        "0.13800138000",
        "a13800138000b",
        "12800138000",
        "icon@2x.png",
        "git@github.com:foo/bar.git",
        "someone@example.com",
        "E12345678",
        "version 4.1.6222.021001",
        "3.14159265358979323846",
    ],
)
def test_look_alikes_are_left_alone(text: str) -> None:
    assert recognise(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("护照号：E12345678", "E12345678"),
        ("护照 EA1234567", "EA1234567"),
        ("Passport No. G12345678", "G12345678"),
        ("passport number: 512345678", "512345678"),
        ("港澳通行证 K12345678", "K12345678"),
    ],
)
def test_passports_need_their_word(text: str, value: str) -> None:
    (hit,) = recognise(text)
    assert (hit.kind, hit.value) == ("passport", value)


def test_of_overlapping_hits_one_stays() -> None:
    text = "写信到 13800138000@163.com 吧"
    (hit,) = recognise(text)
    assert (hit.kind, text[hit.start : hit.end]) == ("email", "13800138000@163.com")


@given(
    st.lists(
        st.sampled_from(["11010519491231002X", "13800138000", "bob@corp.cn", "护照E12345678", "，", " ", "1", "卡"]),
        max_size=12,
    )
)
def test_hits_never_overlap_and_lie_in_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    hits = recognise(text)
    assert all(first.end <= second.start for first, second in pairwise(hits))
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)
