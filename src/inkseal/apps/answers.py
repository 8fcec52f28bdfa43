"""What becomes of a model's words: read, held against a schema, and put the way rules judge them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inkseal.apps.contracts import Answer, Facts, RuleConfig
from inkseal.apps.misfit import misfit
from inkseal.apps.template import Piece, look_up
from inkseal.core.language import say
from inkseal.core.types import Message, Origin, Part, Usage
from inkseal.formats.json_schema import conforms


def applies(config: RuleConfig, facts: Facts) -> bool:
    """Returns whether a rule is asked in this run."""
    if config.language not in (None, facts.language):
        return False
    return config.when is None or not is_empty(look_up(config.when, facts.scope).value)


def is_empty(value: Any) -> bool:
    """Returns whether a condition on the value does not hold."""
    return value is None or value is False or value in ("", [], {})


def answer_of(value: Any) -> Answer:
    """Returns a step's value as rules judge it."""
    if isinstance(value, str):
        return Answer(value)
    return Answer(json.dumps(value, ensure_ascii=False), value)


def message_of(role: Any, pieces: Sequence[Piece]) -> Message:
    """Returns a message of the pieces, each with its origin."""
    return Message(role=role, parts=tuple(Part(text=piece.text, origin=piece.origin) for piece in pieces))


def with_schema(message: Message, schema: Any) -> Message:
    """Returns the message with the schema told at its end, for engines that cannot be made to keep it."""
    text = say("\n\nAnswer with JSON alone that meets this schema:\n", "\n\n只用符合下列模式的 JSON 作答：\n")
    part = Part(text=text + json.dumps(schema, ensure_ascii=False), origin=Origin.SYSTEM)
    return message.model_copy(update={"parts": (*message.parts, part)})


def read(text: str, schema: Mapping[str, Any] | None) -> tuple[Answer, str]:
    """Returns the answer, and what is wrong with it as such; empty when it can be read."""
    if schema is None:
        why = "" if text.strip() else say("It is empty.", "内容为空。")
        return Answer(text.strip("\n")), why
    bare = text.strip()
    if bare.startswith("```"):
        bare = bare.split("\n", 1)[-1].rsplit("```", 1)[0]
    try:
        data = json.loads(bare)
    except (ValueError, RecursionError) as error:
        return Answer(text), say(f"It is no JSON: {error}.", f"不是有效的 JSON：{error}。")
    if isinstance(data, dict) and "properties" in data and "properties" not in schema.get("properties", {}):
        data = data["properties"]  # a small model that is told a schema fills it in
        text = json.dumps(data, ensure_ascii=False)
    if not conforms(data, schema):
        return Answer(text), misfit(data, schema)
    return Answer(text, data), ""


def together(one: Usage, other: Usage) -> Usage:
    """Returns what two runs cost together."""
    energy = one.energy
    if other.energy is not None:
        joules = other.energy.energy_joules + (energy.energy_joules if energy else 0)
        energy = other.energy.model_copy(update={"energy_joules": joules})
    first = one.first_chunk_seconds if one.first_chunk_seconds is not None else other.first_chunk_seconds
    peaks = [peak for peak in (one.peak_memory_bytes, other.peak_memory_bytes) if peak is not None]
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        first_chunk_seconds=first,
        total_seconds=round(one.total_seconds + other.total_seconds, 4),
        peak_memory_bytes=max(peaks) if peaks else None,
        energy=energy,
    )
