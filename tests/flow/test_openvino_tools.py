"""Tool calls on a model that was taught them; skipped where that model has not been fetched."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.core.types import Message, ToolCall
from inkseal.modalities.text.request import Sampling, TextRequest, ToolSpec
from inkseal.studio.generate.backends._openvino_engine import OpenvinoEngine
from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

pytestmark = [pytest.mark.model, pytest.mark.slow]

SET: dict[str, Any] = json.loads(Path(__file__).with_name("tool_questions.json").read_text("utf-8"))
FLOORS = {"a valid call": 17, "a call of the right tool": 16}
"""Of 20 questions; see docs/guide/en/text.md for what was measured."""
NEVER = threading.Event()
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = (
    ToolSpec(name="get_weather", description="Weather of a city", parameters=CITY),
    ToolSpec(name="get_time", description="Time in a city", parameters=CITY),
)


@pytest.fixture(scope="module")
def engine(small_model: LocalModel) -> Iterator[OpenvinoEngine]:
    loaded = Openvino(OpenvinoConfig(grammar_seconds=10)).load(small_model, 2, ignore, NEVER)
    yield loaded
    loaded.close()


def call(
    engine: OpenvinoEngine, prompt: str, choice: str, tools: tuple[ToolSpec, ...] = TOOLS
) -> tuple[str, list[ToolCall], str | None]:
    request = TextRequest.of(prompt, tools=tools, tool_choice=choice, max_tokens=80, sampling=Sampling(temperature=0))
    chunks = list(engine.generate(request, NEVER))
    calls = [found for chunk in chunks for found in chunk.tool_calls]
    return "".join(chunk.text for chunk in chunks), calls, chunks[-1].finish_reason


@pytest.mark.parametrize("choice", ["required", "get_weather"])
def test_a_forced_call_is_made_and_meets_its_schema(engine: OpenvinoEngine, choice: str) -> None:
    text, (found,), reason = call(engine, "What is the weather in Paris?", choice)
    assert (text.strip(), reason) == ("", "tool_calls")
    assert found.name == "get_weather"
    assert list(found.arguments) == ["city"]
    assert isinstance(found.arguments["city"], str)


def test_a_named_tool_is_the_only_one(engine: OpenvinoEngine) -> None:
    _, (found,), _ = call(engine, "What is the weather in Paris?", "get_time")
    assert found.name == "get_time"


def test_none_means_no_call(engine: OpenvinoEngine) -> None:
    text, calls, reason = call(engine, "What is the weather in Paris?", "none")
    assert text
    assert calls == []
    assert reason != "tool_calls"


def test_results_of_tools_go_into_the_prompt(engine: OpenvinoEngine) -> None:
    made = ToolCall(id="1", name="get_weather", arguments={"city": "巴黎"})
    turns = (Message.of("user", "巴黎天气？"), Message(role="assistant", tool_calls=(made,)))
    request = TextRequest(messages=turns, tools=TOOLS)
    longer = TextRequest(messages=(*turns, Message.of("tool", "晴，21 度")), tools=TOOLS)
    assert engine.count_tokens(longer) > engine.count_tokens(request) > 100


def test_most_questions_are_answered_by_a_valid_call(engine: OpenvinoEngine) -> None:
    tools = tuple(ToolSpec(**tool) for tool in SET["tools"])
    counts = dict.fromkeys(FLOORS, 0)
    for question, wanted in SET["questions"]:
        text, calls, reason = call(engine, question, "auto", tools)
        print(f"{question}\n    {[(found.name, found.arguments) for found in calls]} {text!r} {reason}")
        assert (reason == "tool_calls") == bool(calls)
        counts["a valid call"] += bool(calls)
        counts["a call of the right tool"] += [found.name for found in calls] == [wanted]
    print(counts)
    assert all(counts[name] >= floor for name, floor in FLOORS.items()), counts


@pytest.mark.parametrize("prompt", SET["without_tools"])
def test_what_needs_no_tool_is_answered_in_words(engine: OpenvinoEngine, prompt: str) -> None:
    text, calls, _ = call(engine, prompt, "auto", tuple(ToolSpec(**tool) for tool in SET["tools"]))
    assert text.strip() or calls  # a wrong call is the model's fault, silence would be ours
