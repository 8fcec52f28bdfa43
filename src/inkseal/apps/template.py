"""The language of an app's prompts: names, lists and conditions, and nothing that runs.

A template is read once, before any value is put in; values are never read as templates, whatever they hold. Every
piece of the result says where it comes from.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, groupby
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, StringConstraints

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Origin

MAX_CHARS = 12_000
MAX_DEPTH = 4
MAX_RENDERED_CHARS = 400_000
MAX_ROUNDS = 200_000
"""How often sections are put in at most, once for each item of a list."""

_TAG = re.compile(r"\{\{([#^/]?)(\.|@n|[a-z][a-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\}\}")
_ALONE = re.compile(r"^[ \t]*(\{\{[#^/][^{}\n]*\}\})[ \t]*\n", re.MULTILINE)


class Bound(NamedTuple):
    """What a name stands for, and where that comes from."""

    value: Any
    origin: Origin = Origin.USER


class Piece(NamedTuple):
    """A run of text of one origin."""

    text: str
    origin: Origin


class _Name(NamedTuple):
    path: tuple[str, ...]


class _Section(NamedTuple):
    path: tuple[str, ...]
    inverted: bool
    body: tuple[Any, ...]


class _Within(NamedTuple):
    """The innermost list item or object that names are looked up in first."""

    value: Any
    number: int
    origin: Origin


@lru_cache(maxsize=1024)
def parse(text: str) -> tuple[Any, ...]:
    """Returns the template's nodes.

    Raises:
        InvalidRequest: a tag is malformed, or a section is not closed.
    """
    if len(text) > MAX_CHARS:
        raise _malformed(say(f"longer than {MAX_CHARS} characters", f"超过 {MAX_CHARS} 个字符"))
    text = _ALONE.sub(r"\1", text)
    stack: list[tuple[str, str, list[Any]]] = [("", "", [])]
    at = 0
    for tag in _TAG.finditer(text):
        _literal(stack[-1][2], text[at : tag.start()])
        at = tag.end()
        mark, name = tag[1], tag[2]
        if mark in ("#", "^"):
            if len(stack) > MAX_DEPTH:
                raise _malformed(say("sections nest too deep", "条件段嵌套过深"))
            stack.append((mark, name, []))
        elif mark == "/":
            opened, inner_name, body = stack.pop()
            if not stack or inner_name != name:
                raise _malformed(f"{{{{/{name}}}}}")
            stack[-1][2].append(_Section(_path(name), opened == "^", tuple(body)))
        else:
            stack[-1][2].append(_Name(_path(name)))
    _literal(stack[-1][2], text[at:])
    if len(stack) > 1:
        raise _malformed(f"{{{{{stack[-1][0]}{stack[-1][1]}}}}}")
    return tuple(stack[0][2])


def checked(text: str) -> str:
    """Returns the text if it is a template; for validators of fields.

    Raises:
        ValueError: it is none.
    """
    try:
        parse(text)
    except InvalidRequest as error:
        raise ValueError(str(error)) from None
    return text


TemplateText = Annotated[str, StringConstraints(max_length=MAX_CHARS), AfterValidator(checked)]


def names(text: str) -> set[str]:
    """Returns the first parts of all names that the template asks for, outside of list items."""
    return set(_names(parse(text), within=False))


def render(text: str, scope: Mapping[str, Bound], own: Origin = Origin.SYSTEM) -> list[Piece]:
    """Returns the template with its names replaced, as pieces; neighbours of one origin are joined.

    Args:
        text: the template.
        scope: what names stand for.
        own: the origin of the template's own words.

    Raises:
        InvalidRequest: the result is too long.
    """
    pieces, size = [], 0
    for piece in _render(parse(text), scope, (), own, count()):
        size += len(piece.text)
        if size > MAX_RENDERED_CHARS:
            raise _too_long()
        if piece.text:
            pieces.append(piece)
    runs = groupby(pieces, key=lambda piece: piece.origin)
    return [Piece("".join(piece.text for piece in run), origin) for origin, run in runs]


def plain(text: str, scope: Mapping[str, Bound]) -> str:
    """Returns the template with its names replaced, as one text."""
    return "".join(piece.text for piece in render(text, scope))


def look_up(path: str, scope: Mapping[str, Bound]) -> Bound:
    """Returns what a dotted name stands for; None as its value where there is nothing."""
    return _find(tuple(path.split(".")), scope, ())


def filled(value: Any, scope: Mapping[str, Bound]) -> Any:
    """Returns a JSON value in which each string that is one name alone is replaced by what the name stands for.

    A key whose name stands for nothing is left out: an empty field bounds nothing.
    """
    if isinstance(value, str):
        tag = _TAG.fullmatch(value)
        return look_up(tag[2], scope).value if tag and not tag[1] else value
    if isinstance(value, Mapping):
        made = {key: filled(inner, scope) for key, inner in value.items()}
        return {key: inner for key, inner in made.items() if inner is not None or value[key] is None}
    if isinstance(value, list | tuple):
        return [filled(inner, scope) for inner in value]
    return value


def shown(value: Any) -> str:
    """Returns a value as it stands in a text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return say("yes", "是") if value else say("no", "否")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        return say(", ", "、").join(map(shown, value))
    return json.dumps(value, ensure_ascii=False)


def _literal(body: list[Any], text: str) -> None:
    if "{{" in text:
        raise _malformed(text[text.index("{{") :][:40])
    if text:
        body.append(text)


def _path(name: str) -> tuple[str, ...]:
    return (name,) if name in (".", "@n") else tuple(name.split("."))


def _names(nodes: Iterable[Any], *, within: bool) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, _Section):
            if not within:
                yield node.path[0]
            yield from _names(node.body, within=True)
        elif isinstance(node, _Name) and not within:
            yield node.path[0]


def _render(
    nodes: Sequence[Any], scope: Mapping[str, Bound], inside: tuple[_Within, ...], own: Origin, rounds: Iterator[int]
) -> Iterator[Piece]:
    if next(rounds) > MAX_ROUNDS:
        raise _too_long()
    for node in nodes:
        if isinstance(node, str):
            yield Piece(node, own)
            continue
        value, origin = _find(node.path, scope, inside)
        if isinstance(node, _Name):
            yield Piece(shown(value), origin)
        elif node.inverted:
            if _empty(value):
                yield from _render(node.body, scope, inside, own, rounds)
        elif not _empty(value):
            items = value if isinstance(value, list | tuple) else [value]
            for number, item in enumerate(items, 1):
                yield from _render(node.body, scope, (*inside, _Within(item, number, origin)), own, rounds)


def _find(path: tuple[str, ...], scope: Mapping[str, Bound], inside: tuple[_Within, ...]) -> Bound:
    if path[0] in (".", "@n"):
        if not inside:
            return Bound(None)
        here = inside[-1]
        return Bound(here.number, Origin.SYSTEM) if path[0] == "@n" else Bound(here.value, here.origin)
    for here in reversed(inside):
        if isinstance(here.value, Mapping) and path[0] in here.value:
            return Bound(_below(here.value, path), here.origin)
    bound = scope.get(path[0], Bound(None))
    return Bound(_below(bound.value, path[1:]), bound.origin)


def _below(value: Any, path: Iterable[str]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], (), {})


def _too_long() -> InvalidRequest:
    return InvalidRequest(say("The prompt becomes too long.", "提示词过长。"))


def _malformed(where: str) -> InvalidRequest:
    return InvalidRequest(
        say(f"The template is malformed: {where}.", f"模板格式有误：{where}。"),
        fix=say(
            "Write {{name}}, {{#name}}…{{/name}} or {{^name}}…{{/name}}.",
            "请写成 {{name}}、{{#name}}…{{/name}} 或 {{^name}}…{{/name}}。",
        ),
    )
