"""Tool calls are found however the stream is cut, and nothing is lost when they are none."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.types import ToolCall
from inkseal.formats.tool_calls import MAX_CALL_CHARS, ToolCallParser, read_call

CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "北京"}}\n</tool_call>'


def _run(pieces: list[str]) -> tuple[str, list[ToolCall]]:
    parser = ToolCallParser(["weather", "time"])
    text, calls = "", []
    for piece in pieces:
        shown, found = parser.push(piece)
        text += shown
        calls += found
    shown, found = parser.finish()
    return text + shown, [*calls, *found]


@given(cuts=st.lists(st.integers(0, 200), max_size=20))
def test_a_call_is_found_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream = f"Let me look. {CALL}\n{CALL.replace('北京', '上海')}"
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    text, calls = _run([stream[a:b] for a, b in pairwise(places)])
    assert text.strip() == "Let me look."
    assert [call.arguments for call in calls] == [{"city": "北京"}, {"city": "上海"}]


@pytest.mark.parametrize(
    "stream",
    [
        "<tool_call>not json</tool_call>",
        '<tool_call>{"name": "../../x", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "unknown", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "weather", "arguments": [1]}</tool_call>',
        '<tool_call>{"arguments": {}}</tool_call>',
        '<tool_call>{"name": "weather", "arguments": {"city": "北',
        "a < b and <tool> or <tool_cal",
        "<tool_call>" + "[" * 100_000 + "</tool_call>",
        "<tool_call>" + "x" * (MAX_CALL_CHARS + 10),
    ],
)
def test_fault_17_what_is_no_call_stays_text(stream: str) -> None:
    text, calls = _run([stream[i : i + 997] for i in range(0, len(stream), 997)])
    assert calls == []
    assert text == stream


def test_an_unclosed_call_with_whole_json_counts() -> None:
    assert [call.name for call in _run([CALL.removesuffix("\n</tool_call>")])[1]] == ["weather"]


def test_arguments_may_come_as_their_json() -> None:
    call = read_call(json.dumps({"name": "weather", "arguments": '{"city": "Paris"}'}))
    assert call is not None
    assert call.arguments == {"city": "Paris"}


def test_ids_of_calls_differ() -> None:
    first, second = _run([CALL + CALL])[1]
    assert first.id != second.id
