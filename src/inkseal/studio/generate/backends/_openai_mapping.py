"""Our request as OpenAI's, and OpenAI's stream as ours. Pure data; knows no connection.

Source: the OpenAI API reference, "Create chat completion" and "Streaming".
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from inkseal.core.types import FinishReason, Message
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.generate.backends._openai_profile import Profile
from inkseal.studio.generate.prompting import offered_tools
from inkseal.studio.generate.remote.answers import Tally

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "blocked",
}


def body(request: TextRequest, model: str, profile: Profile, num_results: int, seed: int | None) -> dict[str, Any]:
    """Returns the JSON body of the call; the request has passed `refuse_unsupported`."""
    sampling = request.sampling
    found: dict[str, Any] = {
        "model": model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens" if request.raw_prompt else profile.max_tokens: request.max_tokens,
    }
    if request.raw_prompt:
        found["prompt"] = "".join(message.text for message in request.messages)
    else:
        found["messages"] = messages(request)
    if profile.many:
        found["n"] = num_results
    if profile.seed and seed is not None:
        found["seed"] = seed
    for name in ("presence_penalty", "frequency_penalty"):
        if getattr(sampling, name):
            found[name] = getattr(sampling, name)
    for name, theirs in profile.samplers.items():
        found |= {theirs: _sampler(name, getattr(sampling, name))}
    if sampling.logit_bias:
        found["logit_bias"] = {str(token): bias for token, bias in sampling.logit_bias.items()}
    if request.stop:
        found["stop"] = list(request.stop)
    return found | _tools(request) | _constraint(request, profile)


def _sampler(name: str, value: float) -> float:
    return -1 if name == "top_k" and value == 0 else value


def messages(request: TextRequest) -> list[dict[str, Any]]:
    """Returns the conversation in OpenAI's form."""
    return [_message(message) for message in request.messages]


def _message(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.tool_call_id is not None:
        found["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        found["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)},
            }
            for call in message.tool_calls
        ]
    return found


def tools(request: TextRequest) -> list[dict[str, Any]]:
    """Returns the offered tools in OpenAI's form."""
    return [{"type": "function", "function": tool.model_dump()} for tool in offered_tools(request)]


def _tools(request: TextRequest) -> dict[str, Any]:
    offered = tools(request)
    if not offered:
        return {}
    choice: Any = request.tool_choice
    if choice not in ("auto", "none", "required"):
        choice = {"type": "function", "function": {"name": choice}}
    return {"tools": offered, "tool_choice": choice}


def _constraint(request: TextRequest, profile: Profile) -> dict[str, Any]:
    asked = request.constraint
    if asked is None:
        return {}
    if asked.json_schema is not None:
        schema = {"name": "answer", "schema": asked.json_schema}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    kind = "regex" if asked.regex is not None else "choice"
    value: Any = asked.regex if asked.regex is not None else list(asked.choice or ())
    written = profile.structured[kind]
    if written == "grammar":
        return {"grammar": "root ::= " + " | ".join(json.dumps(text, ensure_ascii=False) for text in value)}
    return {written: {kind: value} if written == "structured_outputs" else value}


def pieces(events: Iterable[tuple[str, str]], tally: Tally) -> Iterator[tuple[int, str]]:
    """Yields (result, text) from the stream's events and fills the tally.

    Raises:
        EngineFailed: an event is malformed, or says that the engine failed.
    """
    for _, data in events:
        if data.strip() == "[DONE]":
            tally.over = True
            return
        found = tally.client.parse(data)
        if "error" in found:
            error = found["error"]
            raise tally.client.failed(str(error.get("message", "")) if isinstance(error, dict) else str(error))
        tally.note("model", found.get("model"))
        tally.note("system_fingerprint", found.get("system_fingerprint"))
        _count(found.get("usage"), tally)
        choices = found.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            yield _choice(choice, tally)


def _choice(choice: Any, tally: Tally) -> tuple[int, str]:
    if not isinstance(choice, dict) or not isinstance(choice.get("index", 0), int):
        raise tally.client.failed("a chunk is malformed")
    index: int = choice.get("index", 0)
    delta = choice.get("delta") or {}
    if not isinstance(delta, dict):
        raise tally.client.failed("a chunk is malformed")
    reason = choice.get("finish_reason")
    if reason is not None:
        tally.finished[index] = _REASONS.get(str(reason), "stop")
    for call in delta.get("tool_calls") or ():
        _tool_call(call, index, tally)
    text = choice.get("text", "") if "text" in choice else delta.get("content")
    if text is not None and not isinstance(text, str):
        raise tally.client.failed("a chunk's text is no text")
    return index, text or delta.get("refusal") or ""


def _tool_call(call: Any, index: int, tally: Tally) -> None:
    if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
        raise tally.client.failed("a tool call is malformed")
    place = call.get("index", 0)
    kept = tally.call(index, place if isinstance(place, int) and 0 <= place < 128 else 0)
    kept.id = kept.id or str(call.get("id") or "")
    kept.name = kept.name or str(call["function"].get("name") or "")
    tally.add_arguments(kept, str(call["function"].get("arguments") or ""))


def _count(usage: Any, tally: Tally) -> None:
    if not isinstance(usage, dict):
        return
    tally.prompt_tokens = count(usage.get("prompt_tokens")) or tally.prompt_tokens
    tally.completion_tokens = count(usage.get("completion_tokens"))
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict):
        tally.cached_tokens = count(details.get("cached_tokens"))


def count(value: Any) -> int | None:
    """Returns a number of tokens that a provider tells, if it can be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None
