"""Recognises personal data in Chinese and English text by form, checksum and the words around it.

Knows Chinese identity cards, Chinese mobile numbers, bank cards, e-mail addresses and passports. Does not know names,
street addresses, landlines or other countries' identity numbers.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from inkseal.modalities.text.normalise import fold


class PersonalDatum(NamedTuple):
    """One hit: [start, end) of the original text, the value in a form that is equal for equal data, how sure (0–1)."""

    kind: str
    start: int
    end: int
    value: str
    score: float


_PROVINCES = frozenset(
    str(n) for n in (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66))
) | {"71", "81", "82", "83"}
_WITHOUT_CITY = frozenset(("71", "81", "82", "83"))
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"

_ID_CARD = re.compile(r"(?<![0-9a-z])(?<!\d[.\-])\d{6}[ \-]?\d{8}[ \-]?\d{3}[0-9x](?![0-9a-z])")
_OLD_ID_CARD = re.compile(r"(?<![0-9a-z])(?<!\d[.\-])\d{15}(?![0-9a-z])")
_MOBILE = re.compile(
    r"(?<![0-9a-z_+])(?<!\d[.\-])(?:(?:tel|phone|mobile|cell|wechat)\.?:?)?(?P<number>(?:(?:\+|00)?86[ \-]?)?"
    r"(?:\(0?86\)[ ]?)?1[3-9]\d(?:[ \-]?\d{4}[ \-]?\d{4}|[ \-]?\d{3}[ \-]?\d{5}))(?![0-9a-z_])(?!\.\d)"
)
_BANK_CARD = re.compile(r"(?<![0-9a-z_])(?<!\d[.\-])\d(?:[ \-]?\d){12,18}(?![0-9a-z_])(?![.\-]\d)")
_EMAIL = re.compile(
    r"(?<![a-z0-9._%+\-])[a-z0-9_](?:[a-z0-9._%+\-]{0,62}[a-z0-9_+\-])?@(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.){1,6}"
    r"[a-z]{2,24}(?![a-z0-9\-@])"
)
_PASSPORT = re.compile(
    r"(?<![0-9a-z])(?:[eg]\d{8}|e[a-hj-np-z]\d{7}|[dsp]e?\d{7}|1[45]\d{7}|ma?b?\d{7,8}|kj?\d{7,8})(?![0-9a-z])"
)
_ANY_PASSPORT = re.compile(r"(?<![0-9a-z])(?=[a-z]{0,2}\d)[a-z0-9]{7,9}(?![0-9a-z])")

_ID_WORDS = re.compile(r"身份证|居民证|证件号|id ?card|identity|national id|resident")
_PASSPORT_WORDS = re.compile(r"护照|通行证|旅行证件|出入境|passport|travel document")
_NEAR_PASSPORT = re.compile(r"(?:护照|通行证|passport)[^0-9\n。；;]{0,16}$")
_ORDER_WORDS = re.compile(
    r"(?:订单|单号|流水|编号|工单|快递单|运单|序列|批次|型号|版本|会员号|学号|案号|条码|哈希|时间戳|(?<![a-z])order|tracking|invoice"
    r"|serial|batch|sku|isbn|ticket|build|version|hash|timestamp|transaction|(?<![a-z])(?:user|trace|request)?_?id)"
    r"[^0-9。；;\n]{0,10}$"
)
_FILE_ENDINGS = frozenset(
    (
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "svg",
        "css",
        "js",
        "ts",
        "py",
        "json",
        "md",
        "txt",
        "html",
        "service",
        "socket",
    )
)
_RESERVED_DOMAINS = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net|edu)|test|invalid|example|localhost|local)$")
_MOBILE_PREFIXES = frozenset(
    [f"13{n}" for n in range(10)]
    + [f"14{n}" for n in (0, 1, 4, 5, 6, 7, 8, 9)]
    + [f"15{n}" for n in (0, 1, 2, 3, 5, 6, 7, 8, 9)]
    + [f"16{n}" for n in (2, 5, 6, 7)]
    + [f"17{n}" for n in range(9)]
    + [f"18{n}" for n in range(10)]
    + [f"19{n}" for n in (0, 1, 2, 3, 5, 6, 7, 8, 9)]
)
_LOOK_BEHIND = 24


def id_card_is_valid(number: str) -> bool:
    """True when the 18 characters have a known region, a birth date that has been, and the right check character.

    Source: GB 11643-1999; the check is ISO 7064 MOD 11-2.
    """
    if not (number[:17].isascii() and number[:17].isdigit()) or len(number) != 18:
        return False
    if not _region_and_date(number[:6], number[6:14]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return _ID_CHECKS[total % 11] == number[17].upper()


def _region_and_date(region: str, day: str) -> bool:
    if region[:2] not in _PROVINCES or (region[2:4] == "00" and region[:2] not in _WITHOUT_CITY):
        return False
    try:
        birth = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return date(1900, 1, 1) <= birth <= date.today()


def luhn_is_valid(digits: str) -> bool:
    """True when the last digit is the Luhn check digit of those before it (ISO/IEC 7812-1, annex B)."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        digit = int(char) * (1 + index % 2)
        total += digit - 9 * (digit > 9)
    return total % 10 == 0


def _issuer_is_known(digits: str) -> bool:
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if two == 62 or digits.startswith(("9558", "9559")):
        return 16 <= size <= 19
    if digits[0] == "4":
        return size in (16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    if two in (34, 37):
        return size == 15
    return size in (16, 19) and (two in (35, 65) or four == 6011 or 644 <= int(digits[:3]) <= 649)


def _bare(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _id_cards(text: str) -> Iterator[PersonalDatum]:
    for match in _ID_CARD.finditer(text):
        number = _bare(match.group()).upper()
        if id_card_is_valid(number):
            yield PersonalDatum("id_card", *match.span(), number, 0.99)
    for match in _OLD_ID_CARD.finditer(text):
        number, before = match.group(), text[max(0, match.start() - _LOOK_BEHIND) : match.start()]
        if _region_and_date(number[:6], f"19{number[6:12]}") and _ID_WORDS.search(before):
            yield PersonalDatum("id_card", *match.span(), number, 0.8)


def _mobiles(text: str) -> Iterator[PersonalDatum]:
    for match in _MOBILE.finditer(text):
        number = _bare(match.group("number"))[-11:]
        plain = len(match.group("number")) == 11
        before = text[max(0, match.start() - _LOOK_BEHIND) : match.start()]
        if number[:3] in _MOBILE_PREFIXES and not (plain and _ORDER_WORDS.search(before)):
            yield PersonalDatum("mobile", *match.span("number"), number, 0.9)


def _bank_cards(text: str) -> Iterator[PersonalDatum]:
    for match in _BANK_CARD.finditer(text):
        digits = _bare(match.group())
        if not (15 <= len(digits) <= 19 and _issuer_is_known(digits) and luhn_is_valid(digits)):
            continue
        before = text[max(0, match.start() - _LOOK_BEHIND) : match.start()]
        if not _ORDER_WORDS.search(before) and len(set(digits)) > 2:
            yield PersonalDatum("bank_card", *match.span(), digits, 0.9)


def _emails(text: str) -> Iterator[PersonalDatum]:
    for match in _EMAIL.finditer(text):
        domain = match.group().rpartition("@")[2]
        # git@host:path and name@host.service are addresses of programs.
        of_program = text[match.end() : match.end() + 1] == ":" and match.group().startswith("git@")
        if not (of_program or domain.rpartition(".")[2] in _FILE_ENDINGS or _RESERVED_DOMAINS.search(domain)):
            yield PersonalDatum("email", *match.span(), match.group(), 0.95)


def _passports(text: str) -> Iterator[PersonalDatum]:
    if not _PASSPORT_WORDS.search(text):
        for match in _PASSPORT.finditer(text):
            yield PersonalDatum("passport", *match.span(), match.group().upper(), 0.4)
        return
    for match in _PASSPORT.finditer(text):
        around = text[max(0, match.start() - 60) : match.end() + 20]
        score = 0.95 if _PASSPORT_WORDS.search(around) else 0.4
        yield PersonalDatum("passport", *match.span(), match.group().upper(), score)
    for match in _ANY_PASSPORT.finditer(text):
        before = text[max(0, match.start() - _LOOK_BEHIND) : match.start()]
        if sum(map(str.isdigit, match.group())) >= 6 and _NEAR_PASSPORT.search(before):
            yield PersonalDatum("passport", *match.span(), match.group().upper(), 0.85)


_RECOGNISERS: dict[str, Callable[[str], Iterable[PersonalDatum]]] = {
    "id_card": _id_cards,
    "bank_card": _bank_cards,
    "passport": _passports,
    "mobile": _mobiles,
    "email": _emails,
}
KINDS = frozenset(_RECOGNISERS)
LONGEST = 128
"""No hit is longer, in characters of the original text, unless invisible characters stretch it."""


def recognise(text: str, kinds: Iterable[str] = KINDS, min_score: float = 0.6) -> list[PersonalDatum]:
    """Returns hits in order, none overlapping: of two that do, the surer stays, then the longer.

    Positions are those of `text`; full-width digits and invisible characters do not hide a hit.
    """
    folded = fold(text)
    wanted = [name for name in _RECOGNISERS if name in set(kinds)]
    found = [hit for name in wanted for hit in _RECOGNISERS[name](folded.text) if hit.score >= min_score]
    # An address that holds a mobile number is one address, so containment goes before certainty.
    found.sort(key=lambda hit: (-(hit.end - hit.start), -hit.score))
    kept: list[PersonalDatum] = []
    taken = bytearray(len(folded.text))
    for hit in found:
        if not any(taken[hit.start : hit.end]):
            taken[hit.start : hit.end] = b"\x01" * (hit.end - hit.start)
            kept.append(hit)
    kept.sort(key=lambda hit: hit.start)
    return [hit._replace(start=span[0], end=span[1]) for hit in kept for span in [folded.span(hit.start, hit.end)]]
