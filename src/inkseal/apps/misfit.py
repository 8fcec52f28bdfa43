"""Says in words where a JSON value breaks its schema, so that a model can put that place right."""

from collections.abc import Mapping
from typing import Any

from inkseal.core.language import say
from inkseal.formats.json_schema import conforms


def misfit(value: Any, schema: Mapping[str, Any], place: str = "") -> str:
    """Returns a line on the first place at which a value does not meet a schema; names of keys lead there.

    Args:
        value: from a JSON reader; does not conform.
        schema: with its parts in place: references are not followed.
        place: where the value stands in the whole.
    """
    if isinstance(value, dict):
        known = schema.get("properties", {})
        if missing := [name for name in schema.get("required", []) if name not in value]:
            listed = ", ".join(f"`{name}`" for name in missing[:4])
            return _told(place, f"{listed} is missing", f"缺少 {listed}")
        for name, inner in value.items():
            if isinstance(known.get(name), Mapping) and not conforms(inner, known[name]):
                return misfit(inner, known[name], f"{place}.{name}" if place else name)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for number, inner in enumerate(value, 1):
            if not conforms(inner, schema["items"]):
                return misfit(inner, schema["items"], f"{place}[{number}]")
    return _sized(value, schema, place)


def _sized(value: Any, schema: Mapping[str, Any], place: str) -> str:
    if isinstance(value, str | list):
        least, most = ("minLength", "maxLength") if isinstance(value, str) else ("minItems", "maxItems")
        unit = ("characters", "个字符") if isinstance(value, str) else ("items", "项")
        if (limit := schema.get(most)) is not None and len(value) > limit:
            return _told(
                place,
                f"{len(value)} {unit[0]}; at most {limit} are allowed",
                f"有 {len(value)} {unit[1]}，最多 {limit} {unit[1]}",
            )
        if len(value) < (limit := schema.get(least, 0)):
            return _told(
                place,
                f"{len(value)} {unit[0]}; at least {limit} are needed",
                f"只有 {len(value)} {unit[1]}，至少要 {limit} {unit[1]}",
            )
    if "enum" in schema:
        listed = ", ".join(map(str, schema["enum"][:6]))
        return _told(place, f"it must be one of: {listed}", f"只能是以下之一：{listed}")
    return _told(place, "it does not meet the schema", "不符合规定的模式")


def _told(place: str, english: str, chinese: str) -> str:
    return say(
        f"`{place}`: {english}." if place else f"{english}.", f"`{place}`：{chinese}。" if place else f"{chinese}。"
    )
