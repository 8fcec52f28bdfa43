"""Reads JSON that means one thing: UTF-8, no double keys, no half characters, only numbers, not too deep."""

import json
import math
import re
from typing import Any

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

MAX_DEPTH = 64
MAX_KEYS = 100_000
_DEEPER = re.compile(rb"[\[{]")
_ESCAPED = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


def parse(data: bytes) -> Any:
    """Returns the value.

    Raises:
        InvalidRequest: it is not such JSON; says why.
    """
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_Objects(),
            parse_float=_finite,
            parse_constant=_no_number,
        )
    except UnicodeDecodeError:
        raise _off(say("it is not UTF-8", "不是 UTF-8 编码")) from None
    except RecursionError:
        raise _too_deep() from None
    except InvalidRequest:
        raise
    except ValueError as error:
        raise _off(str(error)[:200]) from None
    if len(_DEEPER.findall(data)) > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep()
    if _ESCAPED.search(data):
        _refuse_half_characters(value)
    return value


class _Objects:
    def __init__(self) -> None:
        self._num_keys = 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._num_keys += len(pairs)
        if self._num_keys > MAX_KEYS:
            raise _off(say(f"it has more than {MAX_KEYS} keys", f"键多于 {MAX_KEYS} 个"))
        found = dict(pairs)
        if len(found) != len(pairs):
            raise _off(say("a key occurs twice", "存在重复的键"))
        return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _off(say(f"{text[:20]} is too large", f"{text[:20]} 过大"))
    return value


def _no_number(text: str) -> Any:
    raise _off(say(f"{text} is no number", f"{text} 不是数字"))


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [part for item in inner for part in (item.values() if isinstance(item, dict) else item)]
    return depth


def _refuse_half_characters(value: Any) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise _off(say("it has half a surrogate pair", "含有不成对的代理码位")) from None
    if "\\u0000" in text and "\0" in _strings(value):
        raise _off(say("it has a NUL character", "含有 NUL 字符"))


def _strings(value: Any) -> str:
    found, level = [], [value]
    while level:
        item = level.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            found.extend(item)
            level.extend(item.values())
        elif isinstance(item, list):
            level.extend(item)
    return " ".join(found)


def _off(why: str) -> InvalidRequest:
    return InvalidRequest(say(f"The body is not JSON that can be used: {why}.", f"请求体不是可用的 JSON：{why}。"))


def _too_deep() -> InvalidRequest:
    return _off(say(f"it is nested deeper than {MAX_DEPTH}", f"嵌套超过 {MAX_DEPTH} 层"))
