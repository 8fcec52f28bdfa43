"""Takes long counts out of a schema, since a grammar writes each step of them out, and checks finished answers.

A grammar without them takes more than the schema does, never less. `regex` constraints are left as they are.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from inkseal.core.errors import AnswerRefused, ModelFileRefused, Unsupported
from inkseal.core.language import say
from inkseal.core.types import Chunk
from inkseal.formats.json_schema import conforms
from inkseal.formats.tokenizer_json import check_pattern
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.generate.prompting import offered_tools

MOST_REPEATS = 16
"""Repeats in a pattern up to here stay in the grammar; 64 of them take most of a second to prepare."""
MOST_KEPT = {
    "minLength": 8,
    "maxLength": 8,
    "minItems": 64,
    "maxItems": 64,
    "minProperties": 16,
    "maxProperties": 16,
}
"""Counts up to here stay in the grammar. Each letter of a string costs as much as tens of items: see decision 14."""

_NAMED = ("properties", "$defs", "definitions")
_ONE = ("items", "additionalProperties")
_SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems")
_REPEAT = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d*)(?:(,)(\d*))?\}", re.DOTALL)
"""An escaped letter, a class, or a counted repeat; only the last has groups."""


def loosened(schema: Any, kept: Mapping[str, int] = MOST_KEPT) -> tuple[Any, list[str]]:
    """Returns a schema without counts above those kept, and what was left out, such as `maxLength: 200`."""
    if not isinstance(schema, Mapping):
        return schema, []
    # An engine's grammar takes `minLength: 0` for exactly one letter; it says nothing, so it goes.
    found = {key: value for key, value in schema.items() if (key, value) != ("minLength", 0)}
    out = [f"{key}: {found[key]}" for key, most in kept.items() if found.get(key, 0) > most]
    for line in out:
        key = line.partition(":")[0]
        found[key] = kept[key]
        if key.startswith("max"):
            del found[key]
    if "pattern" in found and (pattern := _without_counts(found["pattern"])) != found["pattern"]:
        out.append(f"pattern: {found['pattern']}")
        found["pattern"] = pattern
    for key in _NAMED:
        if key in found:
            inner = {name: loosened(rule, kept) for name, rule in found[key].items()}
            found[key] = {name: rule for name, (rule, _) in inner.items()}
            out += [line for _, lines in inner.values() for line in lines]
    for key in (*_ONE, *_SEVERAL):
        if key in found:
            rules = [loosened(rule, kept) for rule in (found[key] if key in _SEVERAL else [found[key]])]
            found[key] = [rule for rule, _ in rules] if key in _SEVERAL else rules[0][0]
            out += [line for _, lines in rules for line in lines]
    return found, list(dict.fromkeys(out))


def _without_counts(pattern: str) -> str:
    """Returns the pattern with `+` or `*` for its long repeats."""

    def shorter(match: re.Match[str]) -> str:
        least, comma, most = match.groups()
        if (not least and not most) or max(int(least or 0), int(most or 0)) <= MOST_REPEATS:
            return match[0]
        return "*" if comma and int(least or 0) == 0 else "+"

    return _REPEAT.sub(shorter, pattern)


class AnswerCheck:
    """Refuses finished answers that break what was left out of the grammar; looks at chunks as they go by."""

    def __init__(self, request: TextRequest) -> None:
        """Takes a request whose schemas were checked.

        Raises:
            Unsupported: a pattern would take too long to be searched for in an answer.
        """
        schema = request.constraint.json_schema if request.constraint is not None else None
        forced = schema is None and request.constraint is None and request.tool_choice not in ("auto", "none")
        rules = [schema] if schema is not None else [tool.parameters for tool in offered_tools(request) if forced]
        self._left_out = list(dict.fromkeys(line for rule in rules for line in loosened(rule)[1]))
        self._schema = schema
        self._texts: dict[int, str] = {}
        self._called: set[int] = set()
        if self._left_out:
            _check_patterns(rules)

    def take(self, chunk: Chunk) -> None:
        """Reads the next chunk; call it before the chunk is passed on.

        Raises:
            AnswerRefused: the answer is whole, and does not meet the schema.
        """
        if not self._left_out:
            return
        self._texts[chunk.index] = self._texts.get(chunk.index, "") + chunk.text
        if chunk.tool_calls:
            self._called.add(chunk.index)
        if chunk.finish_reason == "stop" and not chunk.stopped_by and not self._met(chunk.index):
            raise self._refused()

    def _met(self, index: int) -> bool:
        if self._schema is None:
            return index in self._called
        try:
            return conforms(json.loads(self._texts[index]), self._schema)
        except ValueError:
            return False

    def _refused(self) -> AnswerRefused:
        limits = "; ".join(self._left_out)[:200]
        return AnswerRefused(
            say(f"The answer breaks a limit of its schema ({limits}).", f"回答不符合模式中的限制（{limits}）。"),
            fix=say("Ask again, or say in the prompt how long it may be.", "请重试，或在提示词中说明长度要求。"),
        )


def _check_patterns(rules: Any) -> None:
    """Walks over everything, notes too: a string there that only looks like a pattern does no harm."""
    if isinstance(rules, Mapping):
        if isinstance(rules.get("pattern"), str):
            try:
                check_pattern(rules["pattern"])
            except ModelFileRefused as error:
                raise Unsupported(error.what) from None
        rules = list(rules.values())
    for rule in rules if isinstance(rules, list) else ():
        _check_patterns(rule)
