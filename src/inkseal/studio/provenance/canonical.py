"""Canonical JSON (RFC 8785): one value has one sequence of bytes, so a hash or a signature of it means something."""

import math
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

MAX_EXACT_INTEGER = 2**53
"""Beyond this an integer is not the same number in every JSON reader."""


def canonical_json(value: Any) -> bytes:
    """Returns the canonical UTF-8 bytes of a JSON value.

    Raises:
        InvalidRequest: a number is not finite or not exact, a text has a lone surrogate, or a type is not JSON's.

    Source: RFC 8785 (JSON Canonicalization Scheme), sections 3.2.2 and 3.2.3.
    """
    try:
        return _encode(value).encode("utf-8")
    except UnicodeEncodeError:
        raise _refusal("a lone surrogate", "孤立的代理字符") from None


def canonical_sha256(value: Any) -> str:
    """Returns the SHA-256 of the canonical bytes, in hexadecimal."""
    return sha256(canonical_json(value)).hexdigest()


def _encode(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, int):
        if abs(value) > MAX_EXACT_INTEGER:
            raise _refusal(f"the integer {value}", f"整数 {value}")
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode, value)) + "]"
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_encode(key)}:{_encode(value[key])}" for key in keys) + "}"
    raise _refusal(f"a {type(value).__name__}", f"类型 {type(value).__name__}")


def _number(value: float) -> str:
    """Writes a double as ECMAScript does (Number::toString, radix 10).

    Source: ECMA-262, section 6.1.6.1.20; Python's repr gives the same shortest digits in another notation.
    """
    if not math.isfinite(value):
        raise _refusal("a number that is not finite", "非有限数值")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(power or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    exponent = f"e{point - 1:+d}"
    return sign + digits[0] + (f".{digits[1:]}" if count > 1 else "") + exponent


def _refusal(en: str, zh: str) -> InvalidRequest:
    return InvalidRequest(say(f"Canonical JSON cannot hold {en}.", f"规范 JSON 无法表示{zh}。"))
