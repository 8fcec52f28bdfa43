"""Finds tool calls in the stream of a model that writes `<tool_call>{"name": …, "arguments": …}</tool_call>`.

Source: the Hermes function-calling format, used by Qwen 2.5 and others.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from inkseal.core.types import ToolCall, new_id

BEGIN = "<tool_call>"
END = "</tool_call>"
MAX_CALL_CHARS = 262_144
MAX_DEPTH = 64


class ToolCallParser:
    """Takes tool calls out of a text that comes in pieces; what is no valid call stays text.

    Attributes:
        num_calls: calls found so far.
    """

    def __init__(self, names: Collection[str]) -> None:
        """Takes the names of the tools that were offered; a call of another tool is no call."""
        self._names = frozenset(names)
        self._held = ""
        self._inside = False
        self.num_calls = 0

    def push(self, text: str) -> tuple[str, tuple[ToolCall, ...]]:
        """Returns the text that is certainly no call, and the calls that are complete."""
        self._held += text
        shown: list[str] = []
        calls: list[ToolCall] = []
        while True:
            if not self._inside:
                at = self._held.find(BEGIN)
                if at < 0:
                    cut = len(self._held) - _begun(self._held)
                    shown.append(self._held[:cut])
                    self._held = self._held[cut:]
                    break
                shown.append(self._held[:at])
                self._held = self._held[at:]
                self._inside = True
            at = self._held.find(END)
            if at < 0:
                if len(self._held) > MAX_CALL_CHARS:
                    self._give_up(shown)
                    continue
                break
            whole = self._held[: at + len(END)]
            self._held, self._inside = self._held[at + len(END) :], False
            call = self._read(whole[len(BEGIN) : at])
            if call is None:
                shown.append(whole)
            else:
                calls.append(call)
        return self._tidy("".join(shown)), tuple(calls)

    def finish(self) -> tuple[str, tuple[ToolCall, ...]]:
        """Returns what is left at the end of the stream; an unclosed call counts if its JSON is whole."""
        held, self._held = self._held, ""
        if self._inside and (call := self._read(held[len(BEGIN) :])) is not None:
            return "", (call,)
        return self._tidy(held), ()

    def _give_up(self, shown: list[str]) -> None:
        shown.append(self._held)
        self._held, self._inside = "", False

    def _tidy(self, text: str) -> str:
        return "" if self.num_calls and not text.strip() else text

    def _read(self, inside: str) -> ToolCall | None:
        call = read_call(inside)
        if call is None or call.name not in self._names:
            return None
        self.num_calls += 1
        return call


def read_call(text: str) -> ToolCall | None:
    """Returns the call that `text` is the JSON of, or None; `arguments` may be an object or its JSON."""
    if len(text) > MAX_CALL_CHARS or not _shallow(text):
        return None
    try:
        given = json.loads(text)
        if not isinstance(given, Mapping):
            return None
        arguments: Any = given.get("arguments", {})
        if isinstance(arguments, str):
            arguments = json.loads(arguments)
        return ToolCall(id=f"call_{new_id()}", name=given["name"], arguments=arguments)
    except (ValueError, KeyError, ValidationError):
        return None


def _begun(text: str) -> int:
    """Returns how many letters at the end of `text` may be the beginning of a call."""
    for length in range(min(len(BEGIN) - 1, len(text)), 0, -1):
        if text.endswith(BEGIN[:length]):
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
