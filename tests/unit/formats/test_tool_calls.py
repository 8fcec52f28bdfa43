"""Tool calls are found however the stream is cut, and nothing is lost when they are none."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.types import ToolCall
from inkseal.formats.tool_calls import MAX_CALL_CHARS, ToolCallParser, read_calls

CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "北京"}}\n</tool_call>'


CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
    "additionalProperties": False,
}


def _run(pieces: list[str]) -> tuple[str, list[ToolCall]]:
    parser = ToolCallParser({"weather": CITY, "time": {}})
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
    (call,) = read_calls(json.dumps({"name": "weather", "arguments": '{"city": "Paris"}'}))
    assert call.arguments == {"city": "Paris"}


PARIS = '{"name": "weather", "arguments": {"city": "Paris"}}'
LLAMA = '{"name": "weather", "parameters": {"city": "Paris"}}'
FORMS = [
    f"<tool_call>\n{PARIS}\n</tool_call>",
    f"```json\n{PARIS}\n```",
    f"```\n{LLAMA}\n```",
    f"```JSON  \n[{PARIS}]\n```",
    f"```json\n{PARIS}",
    PARIS,
    f"\n {LLAMA}\n",
    '{"type": "function", "function": ' + LLAMA + "}",
    f"[{PARIS}]",
]


@pytest.mark.parametrize("stream", FORMS)
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_the_forms_that_models_write_are_calls(stream: str, step: int) -> None:
    text, calls = _run([stream[at : at + step] for at in range(0, len(stream), step)])
    assert [(call.name, call.arguments) for call in calls] == [("weather", {"city": "Paris"})]
    assert text.strip() == ""


def test_a_call_in_a_block_may_follow_text_and_be_followed_by_it() -> None:
    text, calls = _run(list(f"Sure:\n```json\n{PARIS}\n{LLAMA}\n```\nDone."))
    assert [call.arguments["city"] for call in calls] == ["Paris", "Paris"]
    assert text.split() == ["Sure:", "Done."]


@pytest.mark.parametrize(
    "call",
    [
        '{"name": "unknown", "arguments": {}}',
        '{"name": "weather", "arguments": {}}',
        '{"name": "weather", "arguments": {"city": 7}}',
        '{"name": "weather", "arguments": {"city": "x", "days": 0}}',
        '{"name": "weather", "arguments": {"city": "x", "days": true}}',
        '{"name": "weather", "arguments": {"city": "x", "days": NaN}}',
        '{"name": "weather", "arguments": {"city": "x", "other": 1}}',
        '{"name": "weather", "arguments": "not json"}',
        '{"name": "weather", "arguments": "' + "[" * 100_000 + '"}',
        '{"name": "Ada", "age": 36}',
        '{"city": "Paris"}',
        "{}",
        '{"name": "weather"',
    ],
)
@pytest.mark.parametrize("form", ["<tool_call>%s</tool_call>", "```json\n%s\n```", "%s", "Here:\n```\n%s\n```\nok"])
@pytest.mark.parametrize("step", [1, 1000])
def test_what_names_no_tool_or_breaks_its_schema_stays_text(call: str, form: str, step: int) -> None:
    stream = form % call
    text, calls = _run([stream[at : at + step] for at in range(0, len(stream), step)])
    assert calls == []
    assert text == stream


@pytest.mark.parametrize(
    "stream",
    [
        f"```python\nprint({PARIS!r})\n```\n",
        f"The call would be {PARIS} here.",
        f"```python\nx = 1\n```\n\n```text\n{PARIS}\n```\n",
        "``` inline ``` and ```` four ````",
        '{"name": "weather", "arguments": {"city": "Paris"}, "and": [1, 2',
    ],
)
def test_code_and_prose_about_a_call_stay_text(stream: str) -> None:
    text, calls = _run(list(stream))
    assert (text, calls) == (stream, [])


def test_other_json_is_not_held_back() -> None:
    parser = ToolCallParser({"weather": CITY})
    shown, _ = parser.push("```json\n" + json.dumps({"answer": "x" * 200}))
    assert len(shown) > 200
    assert parser.push("\n```\n" + f"```json\n{PARIS}\n```")[1]


@given(text=st.text(st.sampled_from('`{}[]"\\:,jsonx \n<tool_call>/'), max_size=120), step=st.integers(1, 7))
def test_nothing_is_lost_or_doubled(text: str, step: int) -> None:
    assert _run([text[at : at + step] for at in range(0, len(text), step)]) == (text, [])


def test_ids_of_calls_differ() -> None:
    first, second = _run([CALL + CALL])[1]
    assert first.id != second.id
