"""A loaded llama.cpp model: each result is a call in a thread of its own; llama.cpp batches what runs together."""

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Generator, Mapping
from queue import Empty, Queue
from typing import Any

from inkseal.core.errors import EngineFailed, InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.core.types import Chunk, FinishReason, Request, ToolCall, Usage
from inkseal.formats.chat_template import ChatTemplate
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tool_calls import BEGIN, END, ToolCallParser
from inkseal.modalities.text.request import TextRequest, ToolSpec
from inkseal.studio.generate.constraints import check_constraint, check_schema
from inkseal.studio.generate.long_counts import AnswerCheck, loosened
from inkseal.studio.generate.prompting import offered_tools, prompt_ids, refuse_overflow, text_request

POLL_SECONDS = 0.05
_REASONS: dict[str | None, FinishReason] = {"stop": "stop", "length": "length"}
Event = dict[str, Any] | EngineFailed | None
"""What llama.cpp says, an error, or None at the end."""
Make = Callable[[Mapping[str, Any]], str]
"""A JSON schema → a grammar of llama.cpp's whose first rule is `root`."""


class LlamaCppEngine:
    """Implements `GenerativeEngine`."""

    def __init__(
        self,
        model: LocalModel,
        server: Any,
        grammar: Make,
        tokenizer: Tokenizer,
        template: ChatTemplate | None,
        limit_tokens: int,
    ) -> None:
        """Takes the parts ready made; `limit_tokens` is the longest prompt and answer together."""
        self.model = model
        self._server = server
        self._grammar = grammar
        self._tokenizer = tokenizer
        self._template = template
        self._limit_tokens = limit_tokens
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields the chunks of all results; see `GenerativeEngine.generate`."""
        begun = time.monotonic()
        asked = text_request(request)
        _refuse_unsupported(asked)
        check = AnswerCheck(asked)
        shared = _constraint(asked, self._grammar) | {"repeat_last_n": self._limit_tokens}
        ids = self._prompt(asked)
        refuse_overflow(len(ids), asked.max_tokens, self._limit_tokens)
        tools = {tool.name: tool.parameters for tool in offered_tools(asked)}
        results = [_Result(index, ToolCallParser(tools) if tools else None) for index in range(asked.n)]
        events: Queue[tuple[int, Event]] = Queue()
        left = threading.Event()
        seed = asked.seed if asked.seed is not None else secrets.randbits(32)
        first: float | None = None
        try:
            for result in results:
                self._start(result.index, _body(asked, ids, (seed + result.index) % 2**32) | shared, events, left)
            while any(result.reason is None for result in results) and not cancel.is_set():
                try:
                    index, event = events.get(timeout=POLL_SECONDS)
                except Empty:
                    continue
                for chunk in results[index].take(event):
                    first = time.monotonic() - begun if first is None else first
                    check.take(chunk)
                    yield chunk
            for result in results:
                if result.reason is None:
                    yield Chunk(index=result.index, finish_reason="cancelled")
        finally:
            left.set()
        return Usage(
            prompt_tokens=len(ids),
            cached_tokens=max(result.cached for result in results),
            completion_tokens=sum(result.num_tokens for result in results),
            first_chunk_seconds=first,
            total_seconds=time.monotonic() - begun,
        )

    def count_tokens(self, request: Request) -> int:
        """Returns the exact number of prompt tokens."""
        return len(self._prompt(text_request(request)))

    def close(self) -> None:
        """Frees all memory; running requests end with EngineFailed."""
        self._closing.set()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()
        self._server = None
        if self._template is not None:
            self._template.close()

    def _prompt(self, request: TextRequest) -> list[int]:
        return prompt_ids(request, self._tokenizer, self._template)

    def _start(
        self, index: int, body: dict[str, Any], events: "Queue[tuple[int, Event]]", left: threading.Event
    ) -> None:
        def heard(event: Any) -> bool:
            events.put((index, event if isinstance(event, dict) else {}))
            return left.is_set() or self._closing.is_set()

        def work() -> None:
            try:
                self._server.handle_completions(body, heard)  # there until this thread has ended
                events.put((index, _closed() if self._closing.is_set() else None))
            except Exception as error:  # noqa: BLE001 - failures of the C++ side arrive as many things
                events.put((index, _failed(str(error) or type(error).__name__)))
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=work, name="inkseal-llama-cpp", daemon=True)
        with self._lock:
            if self._closing.is_set():
                raise _closed()
            thread.start()
            self._threads.add(thread)


class _Result:
    """One result in the making."""

    def __init__(self, index: int, tools: ToolCallParser | None) -> None:
        self.index = index
        self.reason: FinishReason | None = None
        self.num_tokens = 0
        self.cached = 0
        self._tools = tools

    def take(self, event: Event) -> list[Chunk]:
        """Returns the chunks that an event makes.

        Raises:
            EngineFailed: it says that the engine broke off.
        """
        if self.reason is not None:
            return []
        if isinstance(event, EngineFailed):
            raise event
        if event is None:
            raise _failed(say("the answer has no end", "答案未正常结束"))
        if "choices" not in event:
            error = event.get("error", event)
            raise _failed(str(error.get("message", error) if isinstance(error, dict) else error))
        choice = event["choices"][0]
        text: str = choice.get("text", "")
        calls: tuple[ToolCall, ...] = ()
        reason = _REASONS.get(choice["finish_reason"])
        if self._tools is not None:
            text, calls = self._tools.push(text)
            if reason is not None:
                rest, late = self._tools.finish()
                text, calls = text + rest, calls + late
                reason = "tool_calls" if reason == "stop" and self._tools.num_calls else reason
        if reason is not None:
            usage = event.get("usage", {})
            self.num_tokens = int(usage.get("completion_tokens", 0))
            self.cached = int(usage.get("prompt_tokens_details", {}).get("cached_tokens", 0))
        self.reason = reason
        if not text and not calls and reason is None:
            return []
        counted = self.num_tokens if reason is not None else 0
        return [Chunk(index=self.index, text=text, tool_calls=calls, num_tokens=counted, finish_reason=reason)]


def _refuse_unsupported(request: TextRequest) -> None:
    if request.top_logprobs:
        raise Unsupported(
            say("This backend passes no probabilities on (top_logprobs).", "该后端不传递候选概率（top_logprobs）。")
        )
    if request.constraint is not None and request.constraint.regex is not None:
        raise Unsupported(
            say("llama.cpp keeps no regular expressions.", "llama.cpp 不支持正则表达式约束。"),
            fix=say("Use a choice or a JSON schema.", "请改用选项或 JSON Schema。"),
        )


def _body(request: TextRequest, ids: list[int], seed: int) -> dict[str, Any]:
    sampling = request.sampling
    return {
        "prompt": ids,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": request.max_tokens,
        "seed": seed,
        "stop": list(request.stop),
        "cache_prompt": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repetition_penalty,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "logit_bias": [[token, bias] for token, bias in sampling.logit_bias.items()],
        "samplers": ["penalties", "top_k", "top_p", "min_p", "temperature"],
    }


def _constraint(request: TextRequest, make: Make) -> dict[str, Any]:
    """Returns the grammar that the answer is held to, if any.

    Raises:
        InvalidRequest: a constraint is malformed, or tools and a constraint are asked for together.
        Unsupported: a constraint is too large, or would not be kept.
    """
    forced = offered_tools(request) if request.tool_choice not in ("auto", "none") else ()
    asked = request.constraint
    if asked is not None:
        if forced:
            raise InvalidRequest(
                say("A constraint and a forced tool call exclude each other.", "约束与强制工具调用不能同时使用。")
            )
        check_constraint(asked)
        if asked.choice is not None:
            return {"grammar": "root ::= " + " | ".join(json.dumps(text, ensure_ascii=False) for text in asked.choice)}
        assert asked.json_schema is not None
        return {"grammar": make(loosened(asked.json_schema)[0])}
    return {"grammar": _call_grammar(forced, make)} if forced else {}


def _call_grammar(tools: tuple[ToolSpec, ...], make: Make) -> str:
    calls = []
    for tool in tools:
        check_schema(tool.parameters)
        fields = {"name": {"const": tool.name}, "arguments": loosened(tool.parameters)[0]}
        calls.append({"type": "object", "properties": fields, "required": ["name", "arguments"]})
    rules = re.sub(r"(?m)^root ::=", "call ::=", make({"anyOf": calls} if len(calls) > 1 else calls[0]))
    return f"root ::= {json.dumps(BEGIN + chr(10))} call {json.dumps(chr(10) + END)}\n{rules}"


def _closed() -> EngineFailed:
    return EngineFailed(
        say("The engine was closed.", "引擎已关闭。"), fix=say("Load the model again.", "请重新加载模型。")
    )


def _failed(why: str) -> EngineFailed:
    shown = " ".join(why.split())[:200]
    return EngineFailed(say(f"llama.cpp broke off: {shown}", f"llama.cpp 中断：{shown}"))
