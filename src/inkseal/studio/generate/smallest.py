"""The smallest text that a constraint allows: what the fake answers when an answer's form is prescribed."""

import json
import re
from collections.abc import Mapping, Sequence
from re import _parser as regex_parser  # type: ignore[attr-defined]  # the standard library's own reader of patterns
from typing import Any

from inkseal.core.errors import InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.modalities.text.request import Constraint

MAX_DEPTH = 32


def smallest_text(constraint: Constraint) -> str:
    """Returns a short text that meets the constraint.

    Raises:
        Unsupported: none was found.
        InvalidRequest: the pattern is no regular expression.
    """
    if constraint.choice is not None:
        return constraint.choice[0]
    if constraint.json_schema is not None:
        return json.dumps(smallest_value(constraint.json_schema), ensure_ascii=False)
    assert constraint.regex is not None
    return _smallest_match(constraint.regex)


def smallest_value(schema: Mapping[str, Any] | bool) -> Any:
    """Returns a small JSON value that the schema allows; local references only."""
    return _value(schema, schema, MAX_DEPTH)


def _value(schema: Any, root: Any, depth: int) -> Any:
    if depth == 0:
        raise Unsupported(say("The schema has no value of finite depth.", "该模式没有有限深度的取值。"))
    if not isinstance(schema, Mapping):
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return _value(_resolve(schema["$ref"], root), root, depth - 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _first(schema[key], root, depth)
    kind = schema.get("type", "object" if "properties" in schema else "null")
    return _of_type(kind[0] if isinstance(kind, list) else kind, schema, root, depth)


def _first(options: Sequence[Any], root: Any, depth: int) -> Any:
    """Returns the value of the first option that has one of finite depth."""
    for option in options:
        try:
            return _value(option, root, depth - 1)
        except Unsupported:
            continue
    raise Unsupported(say("The schema has no value of finite depth.", "该模式没有有限深度的取值。"))


def _of_type(kind: str, schema: Mapping[str, Any], root: Any, depth: int) -> Any:
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: _value(fields.get(name, True), root, depth - 1) for name in schema.get("required", [])}
    if kind == "array":
        return [_value(schema.get("items", True), root, depth - 1)] * schema.get("minItems", 0)
    if kind == "string":
        return _smallest_match(schema["pattern"]) if "pattern" in schema else "x" * schema.get("minLength", 0)
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        return max(least, min(0, schema.get("maximum", 0)))
    return False if kind == "boolean" else None


def _resolve(reference: str, root: Any) -> Any:
    if not reference.startswith("#"):
        raise Unsupported(
            say(f"Only local references work, not {reference!r}.", f"只支持本地引用，不支持 {reference!r}。")
        )
    found = root
    for step in filter(None, reference[1:].split("/")):
        found = found.get(step) if isinstance(found, Mapping) else None
    if found is None:
        raise InvalidRequest(say(f"{reference!r} leads nowhere.", f"{reference!r} 没有指向任何内容。"))
    return found


def _smallest_match(pattern: str) -> str:
    try:
        text = "".join(_letters(item) for item in regex_parser.parse(pattern))
        if re.fullmatch(pattern, text):
            return text
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidRequest(
            say(f"The regular expression cannot be read: {error}.", f"无法读取正则表达式：{error}。")
        ) from None
    raise Unsupported(say("No match of the regular expression was found.", "未找到符合该正则表达式的文本。"))


def _letters(item: tuple[Any, Any]) -> str:
    """Returns the shortest text of one element of a parsed pattern; assertions give none."""
    name, value = str(item[0]), item[1]
    if name == "LITERAL":
        return chr(value)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return "".join(_letters(inner) for inner in value[2]) * min(int(value[0]), 10_000)
    if name == "SUBPATTERN":
        return "".join(_letters(inner) for inner in value[-1])
    if name == "BRANCH":
        return "".join(_letters(inner) for inner in value[1][0])
    if name == "IN":
        return _letter_of(value)
    return "x" if name in ("ANY", "NOT_LITERAL") else ""


def _letter_of(choices: Sequence[tuple[Any, Any]]) -> str:
    name, value = str(choices[0][0]), choices[0][1]
    if name == "RANGE":
        return chr(value[0])
    if name == "CATEGORY":
        return {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " "}.get(str(value), "x")
    return str(chr(value)) if name == "LITERAL" else "~"
