"""Finds tool calls in the stream of a model: between `<tool_call>` tags, in a fenced block, or as the bare answer.

Text is a call only if it names an offered tool and its arguments meet that tool's schema; all else stays text.
Source: the Hermes format (Qwen 2.5 and others), `{"name": …, "parameters": …}` of Llama 3, and what small models write.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import ValidationError

from inkseal.core.types import ToolCall, new_id
from inkseal.formats.json_schema import conforms

BEGIN = "<tool_call>"
END = "</tool_call>"
FENCE = "```"
_BARE, _CODE = "bare", "code"
MAX_CALL_CHARS = 262_144
MAX_DEPTH = 64
MAX_CALLS = 128

_FENCE_HEAD = re.compile(r"```(json|tool_call|)[ \t]*\n", re.IGNORECASE)
_LIKELY = re.compile(r'\s*\[?\s*\{\s*"(?:name|arguments|parameters|type|function)"\s*:')
LIKELY_CHARS = 60
"""After so many characters it is clear whether JSON begins as a call does; other JSON is not held back."""


class ToolCallParser:
    """Takes tool calls out of a text that comes in pieces; what is no valid call stays text.

    Attributes:
        num_calls: calls found so far.
    """

    def __init__(self, tools: Mapping[str, Mapping[str, Any]]) -> None:
        """Takes name → schema of the tools that were offered; a call of another tool is no call."""
        self._tools = dict(tools)
        self._held = ""
        self._form = ""
        self._scan = _Braces()
        self._blank_so_far = True
        self.num_calls = 0

    def push(self, text: str) -> tuple[str, tuple[ToolCall, ...]]:
        """Returns the text that is certainly no call, and the calls that are complete."""
        self._held += text
        shown: list[str] = []
        calls: list[ToolCall] = []
        while self._held and self._step(shown, calls):
            pass
        return self._tidy("".join(shown)), tuple(calls)

    def finish(self) -> tuple[str, tuple[ToolCall, ...]]:
        """Returns what is left at the end of the stream; an unclosed call counts if its JSON is whole."""
        held, self._held = self._held, ""
        if self._form in (BEGIN, FENCE) and (calls := self._read(held)):
            return "", calls
        return self._tidy(held), ()

    def _step(self, shown: list[str], calls: list[ToolCall]) -> bool:
        """Takes the next stretch off what is held; False when more text must come first."""
        if not self._form:
            at, self._form = self._opening()
            self._show(shown, at)
            self._scan = _Braces()
            return bool(self._form)
        end = self._end()
        if end is None:
            return False
        whole = self._held[:end]
        found = self._read(whole) if self._form != _CODE else ()
        calls += found
        if found:
            self._held = self._held[end:]
        else:
            self._show(shown, end)
        self._form = "" if found else self._after(whole)
        return True

    def _after(self, whole: str) -> str:
        """Returns where the text stands after a form that was no call: perhaps within a block of code."""
        if self._form == FENCE:
            return "" if whole.endswith("\n" + FENCE) else _CODE
        return _CODE if self._form == _CODE and not whole.endswith(FENCE) else ""

    def _show(self, shown: list[str], end: int) -> None:
        shown.append(self._held[:end])
        self._blank_so_far = self._blank_so_far and not self._held[:end].strip()
        self._held = self._held[end:]

    def _opening(self) -> tuple[int, str]:
        """Returns where the next form may begin, and its name; all before that is text."""
        places = {form: at for form in (BEGIN, FENCE) if (at := self._held.find(form)) >= 0}
        bare = len(self._held) - len(self._held.lstrip())
        if self._blank_so_far and self._held[bare : bare + 1] in ("{", "["):
            places[_BARE] = bare
        if places:
            return min((at, form) for form, at in places.items())
        return len(self._held) - max(_begun(self._held, BEGIN), _begun(self._held, FENCE)), ""

    def _end(self) -> int | None:
        """Returns where the form ends, or up to where it is certainly no call; None when that is not known yet."""
        held = self._held
        if len(held) > MAX_CALL_CHARS:
            return len(held)
        if self._form == BEGIN:
            at = held.find(END)
            return at + len(END) if at >= 0 else None
        if self._form == _CODE:
            at = held.find(FENCE)
            return at + len(FENCE) if at >= 0 else len(held) - _begun(held, FENCE) or None
        if self._form == FENCE:
            head = _FENCE_HEAD.match(held)
            if head is None:
                return len(FENCE) if "\n" in held else None
            body = held[head.end() :]
            if len(body) > LIKELY_CHARS and not _LIKELY.match(body):
                return len(FENCE)
            at = body.find("\n" + FENCE)
            return head.end() + at + 1 + len(FENCE) if at >= 0 else None
        if len(held) > LIKELY_CHARS and not _LIKELY.match(held):
            return len(held)
        return self._scan.end(held)

    def _read(self, whole: str) -> tuple[ToolCall, ...]:
        """Returns the calls in the whole of a form; none unless all of them are valid."""
        inside = whole
        if self._form == BEGIN:
            inside = whole.removeprefix(BEGIN).removesuffix(END)
        elif self._form == FENCE:
            inside = _FENCE_HEAD.sub("", whole, count=1).removesuffix(FENCE)
        found = read_calls(inside)
        if not found or not all(self._is_valid(call) for call in found):
            return ()
        self.num_calls += len(found)
        return found

    def _is_valid(self, call: ToolCall) -> bool:
        return call.name in self._tools and conforms(call.arguments, self._tools[call.name])

    def _tidy(self, text: str) -> str:
        return "" if self.num_calls and not text.strip() else text


def read_calls(text: str) -> tuple[ToolCall, ...]:
    """Returns the calls that `text` is the JSON of: an object, an array, or several objects; none if it is not."""
    if len(text) > MAX_CALL_CHARS or not _shallow(text):
        return ()
    found: list[Any] = []
    at = 0
    try:
        while at < len(text):
            value, at = _DECODER.raw_decode(text, at)
            found += value if isinstance(value, list) else [value]
            at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,;"))
            if len(found) > MAX_CALLS:
                return ()
        return tuple(map(_call, found))
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return ()


def _call(given: Any) -> ToolCall:
    """Returns one call; `arguments` may be an object or its JSON."""
    inner = given.get("function") if isinstance(given, Mapping) else None
    given = inner if isinstance(inner, Mapping) else given
    if not isinstance(given, Mapping):
        raise TypeError
    arguments: Any = given.get("arguments", given.get("parameters", {}))
    if isinstance(arguments, str):
        arguments = json.loads(arguments, parse_constant=_refuse_constant)
    return ToolCall(id=f"call_{new_id()}", name=given["name"], arguments=arguments)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


class _Leading(json.JSONDecoder):
    """Skips what stands before a value."""

    def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
        return super().raw_decode(s, idx + len(s[idx:]) - len(s[idx:].lstrip()))


_DECODER = _Leading(parse_constant=_refuse_constant)


class _Braces:
    """Finds where brackets outside of strings are balanced, reading every character once."""

    def __init__(self) -> None:
        self._at = self._depth = 0
        self._in_string = self._escaped = False

    def end(self, text: str) -> int | None:
        """Returns the place after the closing bracket, or None; `text` is the same as before, or longer."""
        while self._at < len(text):
            letter = text[self._at]
            self._at += 1
            if self._in_string:
                self._in_string = self._escaped or letter != '"'
                self._escaped = letter == "\\" and not self._escaped
            elif letter == '"':
                self._in_string = True
            elif letter in "[{":
                self._depth += 1
            elif letter in "]}":
                self._depth -= 1
                if self._depth <= 0:
                    return self._at
        return None


def _begun(text: str, opening: str) -> int:
    """Returns how many letters at the end of `text` may be the beginning of `opening`."""
    for length in range(min(len(opening) - 1, len(text)), 0, -1):
        if text.endswith(opening[:length]):
            return length
    return 0


def _shallow(text: str) -> bool:
    """True when brackets outside of strings nest no deeper than `MAX_DEPTH`; the JSON reader itself would recurse."""
    depth = 0
    for bracket in re.sub(r'"(?:[^"\\]|\\.)*+"', "", text, flags=re.DOTALL):
        depth += (bracket in "[{") - (bracket in "]}")
        if depth > MAX_DEPTH:
            return False
    return True
