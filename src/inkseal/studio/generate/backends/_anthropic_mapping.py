"""Our request as Anthropic's, and Anthropic's stream as ours. Pure data; knows no connection.

Source: the Anthropic API reference, "Create a Message" and "Streaming Messages", version 2023-06-01.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from inkseal.core.errors import Unsupported
from inkseal.core.language import say
from inkseal.core.types import FinishReason, Message
from inkseal.modalities.text.request import Sampling, TextRequest
from inkseal.studio.generate.prompting import offered_tools
from inkseal.studio.generate.remote.answers import Tally

MAX_STOPS = 16
_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "blocked",
}
_PASSED = frozenset({"temperature", "top_p", "top_k"})


def refuse_unsupported(request: TextRequest) -> None:
    """Raises Unsupported when the protocol lacks what the request asks for; nothing is left out in silence."""
    usual = Sampling()
    for name in Sampling.model_fields:
        if name not in _PASSED and getattr(request.sampling, name) != getattr(usual, name):
            raise _lacks(name)
    if request.sampling.temperature > 1:
        raise _lacks(say("temperature above 1", "大于 1 的 temperature"))
    if request.top_logprobs:
        raise _lacks("top_logprobs")
    if request.raw_prompt:
        raise _lacks("raw_prompt")
    if request.constraint is not None and request.constraint.json_schema is None:
        raise _lacks(say("constraint but a JSON schema", "JSON Schema 以外的约束"))
    if any(part.artifact or part.media_type != "text/plain" for message in request.messages for part in message.parts):
        raise _lacks(say("parts that are no text", "非文本内容"))
    if all(message.role == "system" for message in request.messages):
        raise _lacks(say("conversation of system messages alone", "仅含 system 消息的对话"))


def _lacks(what: str) -> Unsupported:
    return Unsupported(say(f"Anthropic's protocol gives no {what}.", f"Anthropic 协议不提供 {what}。"))


def prompt(request: TextRequest, model: str) -> dict[str, Any]:
    """Returns what makes the prompt: model, system, messages, tools."""
    found: dict[str, Any] = {"model": model, "messages": _turns(request.messages)}
    system = "\n\n".join(message.text for message in request.messages if message.role == "system")
    if system:
        found["system"] = system
    offered = offered_tools(request)
    if offered:
        found["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in offered
        ]
        choice = {"auto": {"type": "auto"}, "required": {"type": "any"}}
        found["tool_choice"] = choice.get(request.tool_choice, {"type": "tool", "name": request.tool_choice})
    return found


def body(request: TextRequest, model: str) -> dict[str, Any]:
    """Returns the JSON body of the call; the request has passed `refuse_unsupported`."""
    sampling = request.sampling
    found = prompt(request, model) | {"stream": True, "max_tokens": request.max_tokens}
    found["temperature"] = sampling.temperature
    # Newer models refuse both together, so a top_p that nobody chose is not sent.
    if sampling.top_p != Sampling().top_p:
        found["top_p"] = sampling.top_p
    if sampling.top_k:
        found["top_k"] = sampling.top_k
    if request.stop:
        found["stop_sequences"] = list(request.stop)
    if request.constraint is not None:
        schema = {"type": "json_schema", "schema": request.constraint.json_schema}
        found["output_config"] = {"format": schema}
    return found


def _turns(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Returns user and assistant turns in alternation; results of tools are the user's."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if not turns or turns[-1]["role"] != role:
            turns.append({"role": role, "content": []})
        turns[-1]["content"] += _blocks(message)
    return [turn for turn in turns if turn["content"]]


def _blocks(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id or "", "content": message.text}]
    blocks: list[dict[str, Any]] = [{"type": "text", "text": message.text}] if message.text.strip() else []
    return blocks + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in message.tool_calls
    ]


def pieces(events: Iterable[tuple[str, str]], tally: Tally) -> Iterator[tuple[int, str]]:
    """Yields (0, text) from the stream's events and fills the tally.

    Raises:
        EngineFailed: an event is malformed, or says that the engine failed.
    """
    for _, data in events:
        found = tally.client.parse(data)
        kind = found.get("type")
        if kind == "error":
            raise tally.client.failed(str(_table(found, "error", tally).get("message", "")))
        if kind == "message_stop":
            tally.over = True
            return
        text = _read(kind, found, tally)
        if text:
            yield 0, text


def _read(kind: Any, found: dict[str, Any], tally: Tally) -> str:
    """Takes one event in; returns its text."""
    if kind == "message_start":
        message = _table(found, "message", tally)
        tally.note("model", message.get("model"))
        _count(message.get("usage"), tally)
    elif kind == "message_delta":
        reason = _table(found, "delta", tally).get("stop_reason")
        if reason is not None:
            tally.finished[0] = _REASONS.get(str(reason), "stop")
        _count(found.get("usage"), tally)
    elif kind == "content_block_start":
        block = _table(found, "content_block", tally)
        if block.get("type") == "tool_use":
            call = tally.call(0, _place(found))
            call.id, call.name = str(block.get("id") or ""), str(block.get("name") or "")
        return _text(block.get("text"), tally)
    elif kind == "content_block_delta":
        delta = _table(found, "delta", tally)
        if delta.get("type") == "input_json_delta":
            tally.add_arguments(tally.call(0, _place(found)), _text(delta.get("partial_json"), tally))
        return _text(delta.get("text"), tally)
    return ""


def _table(found: dict[str, Any], name: str, tally: Tally) -> dict[str, Any]:
    value = found.get(name)
    if not isinstance(value, dict):
        raise tally.client.failed(say(f"an event has no {name}", f"事件缺少 {name}"))
    return value


def _text(value: Any, tally: Tally) -> str:
    if value is not None and not isinstance(value, str):
        raise tally.client.failed(say("a text in an event is none", "事件中的文本格式不正确"))
    return value or ""


def _place(found: dict[str, Any]) -> int:
    place = found.get("index")
    return place if isinstance(place, int) and 0 <= place < 256 else 0


def _count(usage: Any, tally: Tally) -> None:
    """Adds up the input's three kinds; cached tokens are those that were read from the cache."""
    if not isinstance(usage, dict):
        return
    read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    given = usage.get("input_tokens")
    if isinstance(given, int):
        tally.prompt_tokens = given + sum(value for value in (read, written) if isinstance(value, int))
        tally.cached_tokens = read if isinstance(read, int) else None
    made = usage.get("output_tokens")
    if isinstance(made, int) and made >= 0:
        tally.completion_tokens = made
