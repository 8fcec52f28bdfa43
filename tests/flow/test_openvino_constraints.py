"""Prescribed answers on the real engine: they are kept, and a bad grammar hurts nobody else."""

import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from inkseal.core.errors import AnswerRefused, InvalidRequest, Unsupported
from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest
from inkseal.studio.generate.backends._openvino_engine import OpenvinoEngine
from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

pytestmark = pytest.mark.model

NEVER = threading.Event()
GREEDY = Sampling(temperature=0)


@pytest.fixture(scope="module")
def engine(tiny_model: LocalModel) -> Iterator[OpenvinoEngine]:
    loaded = Openvino(OpenvinoConfig(grammar_seconds=5)).load(tiny_model, 2, ignore, NEVER)
    yield loaded
    loaded.close()


def ask(engine: OpenvinoEngine, prompt: str, **constraint: Any) -> str:
    request = TextRequest.of(prompt, max_tokens=150, sampling=GREEDY, constraint=Constraint(**constraint))
    return "".join(chunk.text for chunk in engine.generate(request, NEVER))


class Person(BaseModel):
    name: str
    age: int
    mood: Literal["happy", "sad"]


class Answer(BaseModel):
    person: Person
    numbers: list[int]


def test_an_answer_meets_its_schema(engine: OpenvinoEngine) -> None:
    schema = Answer.model_json_schema()
    schema["properties"]["numbers"]["maxItems"] = 3
    found = Answer.model_validate_json(ask(engine, "Describe Mike, aged 25.", json_schema=schema))
    assert len(found.numbers) <= 3


def test_an_answer_meets_its_pattern(engine: OpenvinoEngine) -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", ask(engine, "A date, please.", regex=r"\d{4}-\d{2}-\d{2}"))


@pytest.mark.parametrize("choice", [("好的", "不行"), ('say "no"\n', "back\\slash"), ("a",)])
def test_an_answer_is_one_of_the_choices(engine: OpenvinoEngine, choice: tuple[str, ...]) -> None:
    assert ask(engine, "Choose.", choice=choice) in choice


def test_usual_lengths_are_prepared_in_time(tiny_model: LocalModel) -> None:
    engine = Openvino(OpenvinoConfig()).load(tiny_model, 2, ignore, NEVER)
    for length in (50, 200, 2_000):
        text = {"type": "string", "maxLength": length}
        tags = {"type": "array", "items": text | {"pattern": "^[a-z ]{1,100}$"}, "minItems": 1, "maxItems": 40}
        fields = {"title": text, "summary": text, "tags": tags}
        schema = {"type": "object", "properties": fields, "required": ["title"]}
        request = TextRequest.of("A red house, in JSON.", max_tokens=8, constraint=Constraint(json_schema=schema))
        chunks = list(engine.generate(request, NEVER))
        assert "".join(chunk.text for chunk in chunks).startswith("{")
        assert chunks[-1].finish_reason == "length"
    engine.close()


def test_an_answer_meets_lengths_that_are_not_in_the_grammar(engine: OpenvinoEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["cat"]}, "words": {"type": "string", "maxLength": 900}},
    }
    schema |= {"required": ["kind", "words"], "additionalProperties": False}
    found = json.loads(ask(engine, 'Answer exactly {"kind": "cat", "words": "soft"}.', json_schema=schema))
    assert len(found["words"]) <= 900


def test_a_finished_answer_beyond_its_limits_is_refused(engine: OpenvinoEngine) -> None:
    long = {"type": "object", "properties": {"words": {"type": "string", "minLength": 400}}, "required": ["words"]}
    with pytest.raises(AnswerRefused, match="minLength: 400"):
        ask(
            engine,
            'Answer exactly {"words": "one two three four"}.',
            json_schema=long | {"additionalProperties": False},
        )
    assert ask(engine, "Choose.", choice=("a", "b")) in ("a", "b")


def test_a_recursive_schema_is_kept(engine: OpenvinoEngine) -> None:
    node = {"type": "object", "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}}}
    node |= {"required": ["next"]}
    text = ask(engine, "null", json_schema={"$ref": "#/$defs/node", "$defs": {"node": node}})
    assert text.startswith("{")
    if text.endswith("}"):
        assert "next" in json.loads(text)


def test_fault_13_a_grammar_the_engine_cannot_read_hurts_nobody_else(engine: OpenvinoEngine) -> None:
    other = engine.generate(TextRequest.of("Tell a long story.", max_tokens=300, sampling=GREEDY), NEVER)
    next(other)
    with pytest.raises((InvalidRequest, Unsupported)):
        ask(engine, "x", regex=r"(?P<name>a)\b[[:nonsense:]]\Z")
    assert next(other).text
    other.close()
    assert ask(engine, "Choose.", choice=("a", "b")) in ("a", "b")


def test_fault_13_a_grammar_that_takes_too_long_is_stopped(tiny_model: LocalModel) -> None:
    engine = Openvino(OpenvinoConfig(grammar_seconds=0.5)).load(tiny_model, 2, ignore, NEVER)
    wide = {"type": "object", "properties": {f"p{i}": {"type": "string"} for i in range(900)}}
    engine._grammars._child.start()
    for _ in range(5):
        begun = time.monotonic()
        with pytest.raises(Unsupported, match=r"0\.5 s"):
            ask(engine, "x", json_schema=wide)
        assert time.monotonic() - begun < 5
        if engine._grammars._known:  # nothing is remembered of a machine that had no time for it
            break
    begun = time.process_time()
    with pytest.raises(Unsupported):  # remembered: costs nothing the second time
        ask(engine, "x", json_schema=wide)
    assert time.process_time() - begun < 0.5
    assert ask(engine, "Choose.", choice=("a", "b")) in ("a", "b")
    engine.close()
