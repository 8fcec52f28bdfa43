"""Turns a request model into command-line options and back, so that a new field or modality needs no code here."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import current_language, say
from inkseal.core.types import Closed, Request

NOT_OPTIONS = {"modality", "messages", "parents"}


def parameters(request: type[Request]) -> list[inspect.Parameter]:
    """Returns one keyword parameter for each option that the request has; absent means the model's default."""
    found = []
    for path, field in _leaves(request):
        help_text = _help(field)
        name = option_name(path, field)
        kind: Any = _option_type(field.annotation)
        annotation: Any = Annotated[kind, typer.Option(f"--{name}", help=help_text, show_default=False)]
        default: Any = False if kind is bool else None
        found.append(
            inspect.Parameter("__".join(path), inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    return found


def fill(request: type[Request], options: dict[str, Any], **fixed: Any) -> Request:
    """Builds the request from parsed options.

    Raises:
        InvalidRequest: a value is out of range or malformed; names the option.
    """
    values: dict[str, Any] = dict(fixed)
    for path, field in _leaves(request):
        value = options.get("__".join(path))
        if value is None or value is False or value == []:
            continue
        spot = values
        for step in path[:-1]:
            spot = spot.setdefault(step, {})
        spot[path[-1]] = _parse(option_name(path, field), field.annotation, value)
    try:
        return request.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise InvalidRequest(
            say(
                f"{where}: {first['msg']} (given: {str(first.get('input'))[:80]!r}).", f"{where} 无效：{first['msg']}。"
            ),
            fix=say("See `inkseal generate --help`.", "请查看 `inkseal generate --help`。"),
        ) from None


def option_name(path: tuple[str, ...], field: FieldInfo) -> str:
    """Returns the option's name without dashes in front."""
    extra = field.json_schema_extra
    own = extra.get("option") if isinstance(extra, dict) else None
    return str(own or path[-1]).replace("_", "-")


def _leaves(model: type[Closed], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for name, field in model.model_fields.items():
        if not above and name in NOT_OPTIONS:
            continue
        inner = _plain(field.annotation)
        if isinstance(inner, type) and issubclass(inner, Closed):
            yield from _leaves(inner, (*above, name))
        else:
            yield (*above, name), field


def _help(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    chinese = extra.get("zh") if isinstance(extra, dict) else None
    text = str(chinese) if chinese and current_language() == "zh" else field.description or ""
    default = field.default
    shown = (
        default if isinstance(default, int | float | str) and not isinstance(default, bool) and default != "" else None
    )
    return f"{text} ({shown})" if shown is not None else text


def _plain(annotation: Any) -> Any:
    """Returns the type without `| None` and Annotated."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _option_type(annotation: Any) -> Any:
    plain = _plain(annotation)
    if plain is bool:
        return bool
    if plain in (int, float, str):
        return plain | None
    if get_origin(plain) is Literal:
        return str | None
    if get_origin(plain) is tuple and _plain(get_args(plain)[0]) is str:
        return list[str] | None
    return str | None  # JSON text or @FILE


def _parse(name: str, annotation: Any, value: Any) -> Any:
    plain = _plain(annotation)
    if not isinstance(value, str) or plain is str or get_origin(plain) is Literal:
        return value
    try:
        text = Path(value[1:]).read_text(encoding="utf-8") if value.startswith("@") else value
        return json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidRequest(
            say(f"--{name}: not JSON: {error}.", f"--{name}：不是有效的 JSON：{error}。"),
            fix=say("Give JSON, or @FILE with JSON in it.", "请给出 JSON，或 @文件。"),
        ) from None
