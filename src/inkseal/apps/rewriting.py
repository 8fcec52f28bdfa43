"""Writes anew the values of a JSON answer that break a rule, and leaves the rest as it is."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from inkseal.apps.contracts import Answer, Facts, NamesPlaces, Place, Rule
from inkseal.core.language import say
from inkseal.core.types import Message, Origin, Part

MOST_PLACES = 4
"""With more to write anew, the whole answer is."""


def places_of(broken: Sequence[Rule], answer: Answer, facts: Facts) -> list[Place]:
    """Returns the places to write anew so that these rules are met; [] when that cannot be said of one of them."""
    found: list[Place] = []
    for rule in broken:
        places = rule.places(answer, facts) if isinstance(rule, NamesPlaces) and answer.data is not None else []
        if not places:
            return []
        found += places
    # A value that stands in another that is written anew goes with it.
    outer = [place for place in dict.fromkeys(found) if not any(place[: len(one)] == one != place for one in found)]
    return outer if len(outer) <= MOST_PLACES else []


def schema_of(place: Place, schema: Any) -> dict[str, Any]:
    """Returns the schema of an object that holds the value at a place, under the name `value`."""
    for step in place:
        schema = schema["items"] if isinstance(step, int) else schema["properties"][step]
    return {"type": "object", "required": ["value"], "additionalProperties": False, "properties": {"value": schema}}


def asked_anew(place: Place, answer: Answer, base: Sequence[Message]) -> list[Message]:
    """Returns what is asked for one place."""
    name = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")
    text = say(
        f"`{name}` says what an earlier one says. Write another one for this place alone, unlike all the others, as "
        'JSON: {"value": …}',
        f'`{name}` 与前面的某一项相同。请只为这一处另写一个，与其他各项都不同，用 JSON 作答：{{"value": …}}',
    )
    return [
        *base,
        Message(role="assistant", parts=(Part(text=answer.text, origin=Origin.ASSISTANT),)),
        Message(role="user", parts=(Part(text=text, origin=Origin.SYSTEM),)),
    ]


def put(value: Any, place: Place, answer: Answer) -> Answer:
    """Returns the answer with another value at a place."""
    data = copy.deepcopy(answer.data)
    at = data
    for step in place[:-1]:
        at = at[step]
    assert isinstance(at, list | Mapping)
    at[place[-1]] = value  # type: ignore[index]
    return Answer(json.dumps(data, ensure_ascii=False), data)
