"""Tool calls on a model that was taught them; skipped where that model has not been fetched."""

import threading
from collections.abc import Iterator

import pytest

from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.core.types import Message, ToolCall
from inkseal.modalities.text.request import Sampling, TextRequest, ToolSpec
from inkseal.studio.generate.backends._openvino_engine import OpenvinoEngine
from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

pytestmark = [pytest.mark.model, pytest.mark.slow]

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


def call(engine: OpenvinoEngine, prompt: str, choice: str) -> tuple[str, list[ToolCall], str | None]:
    request = TextRequest.of(prompt, tools=TOOLS, tool_choice=choice, max_tokens=80, sampling=Sampling(temperature=0))
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
