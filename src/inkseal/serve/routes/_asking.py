"""From a protocol's words to a `TextRequest` that this installation can run."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inkseal.core.errors import InvalidRequest, ModelMissing, Unsupported
from inkseal.core.language import say
from inkseal.core.types import Message, Origin, Part, ToolCall
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest, ToolSpec
from inkseal.serve.errors import Refused
from inkseal.serve.routes._protocol import FieldError, naming
from inkseal.studio.studio import Studio

MAX_MESSAGES = 2048
MAX_STOPS = 16
MAX_ARGUMENT_CHARS = 262_144
DEFAULT_TOKENS = 4096
"""Longest answer when the client names no limit; less where the model's context ends before."""
TOKENS_PER_MESSAGE = 64
"""No template writes more tokens of its own around a message."""


class ModelNotFound(Refused):
    """No such model here."""

    def __init__(self, error: InvalidRequest | ModelMissing) -> None:
        super().__init__(404, "model_not_found", error.what, param="model", fix=error.fix)


def known_model(studio: Studio, name: str) -> str:
    """Returns the name as it is, if the model is here.

    Raises:
        ModelNotFound: it is not, or nothing can be called so.
    """
    try:
        return studio.catalog.local(name, verify=False).name
    except (InvalidRequest, ModelMissing) as error:
        raise ModelNotFound(error) from None


def fitted(studio: Studio, request: TextRequest, max_tokens: int | None) -> TextRequest:
    """Returns the request with the answer's limit: the client's, else the default within the model's context.

    Raises:
        ModelNotFound: the model is not here.
    """
    known_model(studio, request.model)
    if max_tokens is not None:
        return request.model_copy(update={"max_tokens": max_tokens})
    context = studio.engines.local_model(request.model).context_tokens
    size = sum(len(message.text.encode("utf-8", "replace")) + TOKENS_PER_MESSAGE for message in request.messages)
    size += sum(len(json.dumps(tool.model_dump())) for tool in request.tools)
    # A token is at least a byte, so there may be no need to count; a provider's context may be unknown.
    if not context or size + DEFAULT_TOKENS <= context:
        return request.model_copy(update={"max_tokens": DEFAULT_TOKENS})
    try:
        left = context - count_tokens(studio, request)
    except Unsupported:  # the provider counts nothing beforehand; should this be too much, it says so itself
        left = max(context - size, context // 4)
    return request.model_copy(update={"max_tokens": max(1, min(DEFAULT_TOKENS, left))})


def count_tokens(studio: Studio, request: TextRequest) -> int:
    """Returns the exact number of tokens of the prompt, as the model is given it when no check redacts it.

    Raises:
        ModelNotFound: the model is not here.
        Unsupported: the model is none for text.
    """
    known_model(studio, request.model)
    return studio.count_tokens(request)


def message(role: Any, texts: list[str], param: str, **fields: Any) -> Message:
    """Returns a message whose parts all come from its role."""
    with naming(param):
        parts = tuple(Part(text=text, origin=Origin(role)) for text in texts)
        return Message(role=role, parts=parts, **fields)


def tool_call(call_id: str, name: str, arguments: str | Mapping[str, Any], param: str) -> ToolCall:
    """Returns a call that an earlier answer made; `arguments` is a JSON object or its text.

    Raises:
        FieldError: it is none, or too large.
    """
    if isinstance(arguments, str):
        if len(arguments) > MAX_ARGUMENT_CHARS:
            raise FieldError(
                say(
                    f"{param}: more than {MAX_ARGUMENT_CHARS} characters.",
                    f"{param}：超过 {MAX_ARGUMENT_CHARS} 个字符。",
                ),
                param=param,
            )
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            arguments = ""
    if not isinstance(arguments, Mapping):
        raise FieldError(say(f"{param}: not a JSON object.", f"{param}：不是 JSON 对象。"), param=param)
    with naming(param):
        return ToolCall(id=call_id, name=name, arguments=dict(arguments))


def tool_spec(name: str, description: str | None, parameters: Mapping[str, Any] | None, param: str) -> ToolSpec:
    """Returns a tool the model may call."""
    given: dict[str, Any] = {"name": name, "description": description or ""}
    if parameters:
        given["parameters"] = dict(parameters)
    with naming(param):
        return ToolSpec(**given)


def schema_constraint(schema: Mapping[str, Any] | None, param: str) -> Constraint:
    """Returns the constraint to a JSON schema.

    Raises:
        FieldError: there is no schema.
    """
    if not isinstance(schema, Mapping):
        raise FieldError(
            say(f"{param}: the schema is missing.", f"{param}：缺少模式。"),
            param=param,
            code="missing_required_parameter",
        )
    return Constraint(json_schema=dict(schema))


JSON_OBJECT = Constraint(json_schema={"type": "object"})


def sampling(**fields: Any) -> Sampling:
    """Returns how tokens are drawn; fields that are None keep the installation's default."""
    with naming("sampling"):
        return Sampling(**{name: value for name, value in fields.items() if value is not None})


def not_text(param: str, kind: str) -> FieldError:
    """Returns the refusal of a part that no text model takes; nothing of it is fetched or decoded."""
    return FieldError(
        say(f"{param}: a text model takes no {kind[:40]!r}.", f"{param}：文本模型不接受 {kind[:40]!r}。"),
        param=param,
        code="unsupported_content",
    )


def unknown_tool_choice(param: str) -> FieldError:
    """Returns the refusal of a `tool_choice` in a form that is not kept."""
    return FieldError(
        say(f"{param}: this form is not supported.", f"{param}：不支持该形式。"),
        param=param,
        code="unsupported_parameter",
    )


def missing(param: str) -> FieldError:
    """Returns the refusal of a body that lacks a field."""
    return FieldError(say(f"{param} is missing.", f"缺少 {param}。"), param=param, code="missing_required_parameter")


def misplaced(param: str) -> FieldError:
    """Returns the refusal of a field that does not belong where it stands."""
    return FieldError(say(f"{param} does not belong here.", f"{param} 不应出现在此处。"), param=param)


def tool_choice(choice: str, tools: Sequence[ToolSpec]) -> str:
    """Returns the choice.

    Raises:
        FieldError: it asks for a tool that is not offered.
    """
    names = {tool.name for tool in tools}
    if choice not in ("auto", "none") and not (names if choice == "required" else choice in names):
        raise FieldError(
            say(f"tool_choice: no tool {choice[:64]!r} is offered.", f"tool_choice：未提供工具 {choice[:64]!r}。"),
            param="tool_choice",
        )
    return choice


def request(**fields: Any) -> TextRequest:
    """Returns the request of those fields.

    Raises:
        FieldError: a field is off in a way that the protocol's own body lets pass.
    """
    with naming("body"):
        return TextRequest(**fields)
