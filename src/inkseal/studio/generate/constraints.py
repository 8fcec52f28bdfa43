"""Bounds what a caller may prescribe: schemas and patterns are refused before an engine spends time on them.

Knows sizes and forms, not the meaning of any value. What it lets through compiles in well under a second.
"""

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from re import _parser as regex_parser  # type: ignore[attr-defined]  # the standard library's own reader of patterns
from typing import Any

from inkseal.core.errors import InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.modalities.text.request import Constraint
from inkseal.studio.generate.long_counts import MOST_KEPT

MAX_SCHEMA_CHARS = 65_536
MAX_SCHEMA_NODES = 2_000
MAX_DEPTH = 32
MAX_ENUM = 1_000
MAX_COUNT = 100_000
"""Of letters, items and properties; long counts are not written out."""
MAX_REPEAT = 1_000
MAX_STATES = 4_000
"""Letters of a pattern after every counted repeat is written out."""

_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_NOTES = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
    | {"format", "discriminator"}
)
_RULES = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems", "enum"}
    | {"const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions", "pattern", "minLength", "maxLength"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minProperties", "maxProperties"}
)
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def check_constraint(constraint: Constraint) -> None:
    """Lets a constraint pass that is well formed, of bounded cost, and within what engines keep to the letter.

    Raises:
        InvalidRequest: it is malformed.
        Unsupported: it is too large, or asks for what would not be kept.
    """
    if constraint.json_schema is not None:
        check_schema(constraint.json_schema)
    if constraint.regex is not None:
        check_pattern(constraint.regex)
    for choice in constraint.choice or ():
        if not choice or len(choice) > MAX_STATES:
            raise InvalidRequest(say("A choice is empty or too long.", "某个选项为空或过长。"))


def check_schema(schema: Mapping[str, Any]) -> None:
    """Checks a JSON schema; see `check_constraint`."""
    try:
        size = len(json.dumps(schema, ensure_ascii=False))
    except (RecursionError, TypeError, ValueError) as error:
        raise InvalidRequest(say(f"The schema is no JSON: {error}.", f"该模式不是 JSON：{error}。")) from None
    if size > MAX_SCHEMA_CHARS:
        raise _too_large(f"{size} > {MAX_SCHEMA_CHARS}")
    _SchemaCheck(schema).node(schema, "#", 0)


class _SchemaCheck:
    """Walks one schema; counts what it meets and names where it stops."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.num_nodes = 0
        self.num_states = 0

    def node(self, schema: Any, path: str, depth: int) -> None:
        if isinstance(schema, bool):
            return
        if not isinstance(schema, Mapping):
            raise _malformed(path)
        self.num_nodes += 1
        if depth > MAX_DEPTH or self.num_nodes > MAX_SCHEMA_NODES:
            raise _too_large(path)
        for key in schema:
            if key not in _RULES and key not in _NOTES:
                raise Unsupported(
                    say(
                        f"The schema keyword {key!r} at {path} is not kept.", f"不支持 {path} 处的模式关键字 {key!r}。"
                    ),
                    fix=say("Leave it out and check the answer yourself.", "请去掉它，并自行检查结果。"),
                )
        self.own(schema, path)
        self.below(schema, path, depth)

    def own(self, schema: Mapping[str, Any], path: str) -> None:
        """Checks the keywords that hold no schemas."""
        kinds = schema.get("type", [])
        if not set(kinds if isinstance(kinds, list) else [kinds]) <= _TYPES:
            raise _malformed(f"{path}/type")
        for key in _COUNTS:
            count = schema.get(key, 0)
            if not isinstance(count, int) or count < 0:
                raise _malformed(f"{path}/{key}")
            if count > MAX_COUNT:
                raise _too_large(f"{path}/{key}")
            self.num_states += min(count, MOST_KEPT[key])
        for key in ("enum", "required"):
            values = schema.get(key, [])
            if not isinstance(values, list):
                raise _malformed(f"{path}/{key}")
            if len(values) > MAX_ENUM:
                raise _too_large(f"{path}/{key}")
        if "pattern" in schema:
            if not isinstance(schema["pattern"], str):
                raise _malformed(f"{path}/pattern")
            self.num_states += check_pattern(schema["pattern"])
        if self.num_states > 4 * MAX_STATES:
            raise _too_large(path)
        if "$ref" in schema:
            self.reference(schema["$ref"], path)

    def below(self, schema: Mapping[str, Any], path: str, depth: int) -> None:
        """Walks into the keywords that hold schemas."""
        for key in ("properties", "$defs", "definitions"):
            inner = schema.get(key, {})
            if not isinstance(inner, Mapping):
                raise _malformed(f"{path}/{key}")
            for name, value in inner.items():
                self.node(value, f"{path}/{key}/{name}", depth + 1)
        for key in ("items", "additionalProperties"):
            if key in schema:
                self.node(schema[key], f"{path}/{key}", depth + 1)
        for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            options = schema.get(key, [])
            if not isinstance(options, list):
                raise _malformed(f"{path}/{key}")
            for place, value in enumerate(options):
                self.node(value, f"{path}/{key}/{place}", depth + 1)
        if len(schema.get("allOf", [])) > 1 or not _exclusive(schema.get("oneOf", [])):
            raise Unsupported(
                say(
                    f"allOf of several, or oneOf of overlapping schemas, at {path}.",
                    f"{path} 处的 allOf 或 oneOf 无法保证。",
                ),
                fix=say("Use anyOf.", "请使用 anyOf。"),
            )

    def reference(self, reference: Any, path: str) -> None:
        """Follows a local reference; anything else would read a file or the network."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise Unsupported(
                say(
                    f"Only local references work, not {str(reference)[:80]!r}.",
                    f"只支持本地引用：{str(reference)[:80]!r}。",
                )
            )
        seen: set[str] = set()
        while True:
            if reference in seen:
                raise _malformed(f"{path}/$ref")
            seen.add(reference)
            found: Any = self.root
            for step in filter(None, reference[1:].split("/")):
                step = step.replace("~1", "/").replace("~0", "~")
                found = found.get(step) if isinstance(found, Mapping) else None
            if not isinstance(found, Mapping | bool):
                raise _malformed(f"{path}/$ref")
            if isinstance(found, bool) or "$ref" not in found:
                return
            reference = found["$ref"]


def _exclusive(options: Sequence[Any]) -> bool:
    """True when no value can meet two of the schemas: their types differ, or one required constant does."""
    if len(options) < 2:
        return True
    kinds = [option.get("type") if isinstance(option, Mapping) else None for option in options]
    if all(isinstance(kind, str) for kind in kinds) and len(set(kinds)) == len(kinds):
        return not {"integer", "number"} <= set(kinds)
    tags = [
        {
            (name, json.dumps(rule["const"]))
            for name, rule in option.get("properties", {}).items()
            if _is_tag(option, name)
        }
        for option in options
        if isinstance(option, Mapping)
    ]
    names = set.intersection(*({name for name, _ in tag} for tag in tags)) if len(tags) == len(options) else set()
    return any(len({value for tag in tags for key, value in tag if key == name}) == len(tags) for name in names)


def _is_tag(option: Mapping[str, Any], name: str) -> bool:
    rule = option["properties"][name]
    return isinstance(rule, Mapping) and "const" in rule and name in option.get("required", [])


def check_pattern(pattern: str) -> int:
    """Checks a regular expression and returns its size with all counted repeats written out.

    Raises:
        InvalidRequest: it is no regular expression.
        Unsupported: it is too large, or uses what is not regular (look-around, back references).
    """
    try:
        size = _size(_parsed(pattern), 0)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidRequest(
            say(f"The regular expression cannot be read: {error}.", f"无法读取正则表达式：{error}。")
        ) from None
    if size > MAX_STATES:
        raise _too_large(f"{size} > {MAX_STATES}")
    return size


def _parsed(pattern: str) -> Any:
    with warnings.catch_warnings():  # such as "possible nested set": a matter of taste
        warnings.simplefilter("ignore")
        return regex_parser.parse(pattern)


def _size(items: Any, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise _too_large(f"> {MAX_DEPTH} ()")
    return sum(_size_of(str(name), value, depth) for name, value in items)


def _size_of(name: str, value: Any, depth: int) -> int:
    if name in ("LITERAL", "NOT_LITERAL", "ANY", "AT"):
        return 1
    if name == "IN":
        return len(value)
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inner = value
        times = least + 1 if most == regex_parser.MAXREPEAT else most
        if times > MAX_REPEAT:
            raise _too_large(f"{{{least},{most}}}")
        return max(1, int(times)) * _size(inner, depth + 1)
    if name == "SUBPATTERN":
        return _size(value[-1], depth + 1)
    if name == "BRANCH":
        return sum(_size(branch, depth + 1) for branch in value[1])
    raise Unsupported(
        say(f"The pattern uses {name.lower()}, which is not regular.", f"正则表达式使用了非正则特性 {name.lower()}。"),
        fix=say("Write it without look-around and back references.", "请勿使用环视和反向引用。"),
    )


def _too_large(where: str) -> Unsupported:
    return Unsupported(
        say(f"The constraint is too large ({where[:120]}).", f"约束过大（{where[:120]}）。"),
        fix=say("Make it smaller.", "请缩小约束。"),
    )


def _malformed(where: str) -> InvalidRequest:
    return InvalidRequest(say(f"The schema is malformed at {where[:120]}.", f"模式在 {where[:120]} 处格式有误。"))
