"""The deterministic fake: answers with the last user message, word by word, or draws discs. For tests and dry runs.

A token is a word with the blank before it, or any other single character. It counts, stops and cancels as a model does.
"""

import re
import time
from collections.abc import Generator, Iterator
from typing import Any, ClassVar

from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.errors import EngineFailed, Unsupported
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.core.types import Chunk, FinishReason, Request, ToolCall, Usage
from inkseal.modalities.image.request import ImageRequest
from inkseal.modalities.text.request import TextRequest, ToolSpec
from inkseal.studio.generate.backends._echo_picture import draw
from inkseal.studio.generate.prompting import refuse_overflow, text_request
from inkseal.studio.generate.smallest import smallest_text, smallest_value
from inkseal.studio.generate.streaming import StopMatcher

TOKEN = re.compile(r" ?[A-Za-z0-9_]+|[\s\S]")


class EchoConfig(ComponentConfig):
    """How the fake behaves."""

    seconds_per_token: float = Field(0, ge=0, le=10, description="How long it pretends to think about each token.")
    any_model: bool = Field(False, description="Stand in for every text model, not only for those of the format echo.")


class Echo:
    """The deterministic fake: answers with the last user message, word by word."""

    name: ClassVar[str] = "echo"
    tasks: ClassVar[frozenset[str]] = frozenset({"generate"})
    config: ClassVar[type[ComponentConfig]] = EchoConfig

    def __init__(self, config: ComponentConfig) -> None:
        self._config = EchoConfig.model_validate(config.model_dump())

    def fits(self, model: LocalModel) -> str | None:
        """Returns None for models of the format `echo`, and for all text models when `any_model` is set."""
        if model.task == "generate" and (self._config.any_model or model.format == "echo"):
            return None
        return say("It is a fake, for models of the format 'echo'.", "它是测试替身，只用于 'echo' 格式的模型。")

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns 0: it keeps nothing."""
        return 0

    def facts(self) -> dict[str, Any]:
        """Returns the config; there is nothing else that decides its results."""
        return self._config.model_dump()

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> "EchoEngine":
        """Returns at once; reads no file."""
        return EchoEngine(model, self._config.seconds_per_token)


class EchoEngine:
    """Implements `GenerativeEngine`.

    Result 0 is the last user message; result i begins with its i-th token and goes round. A choice gives the first, a
    schema or pattern its smallest text. A tool is called when `tool_choice` asks for it, or when it is "auto" and the
    message has the tool's name; its arguments are the smallest the schema allows. Nothing depends on the seed.
    """

    def __init__(self, model: LocalModel, seconds_per_token: float) -> None:
        self.model = model
        self._seconds_per_token = seconds_per_token
        self._closed = False

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields one chunk a token, result after result; see `GenerativeEngine.generate`."""
        begun = time.monotonic()
        if isinstance(request, ImageRequest):
            return (yield from draw(request, self.count_tokens(request), cancel))
        asked = text_request(request)
        if asked.sampling.logit_bias or asked.top_logprobs:
            raise Unsupported(say("The fake has no probabilities.", "测试替身没有概率。"))
        num_prompt = self.count_tokens(asked)
        refuse_overflow(num_prompt, asked.max_tokens, self.model.context_tokens)
        answer, call = _answer(asked)
        first: float | None = None
        num_tokens = 0
        for index in range(asked.n):
            for chunk in self._stream(index, answer, call, asked, cancel):
                first = time.monotonic() - begun if first is None else first
                num_tokens += chunk.num_tokens
                yield chunk
        return Usage(
            prompt_tokens=num_prompt,
            cached_tokens=0,
            completion_tokens=num_tokens,
            first_chunk_seconds=first,
            total_seconds=time.monotonic() - begun,
        )

    def count_tokens(self, request: Request) -> int:
        """Returns the number of tokens in the text of all messages."""
        asked = request if isinstance(request, ImageRequest) else text_request(request)
        return sum(len(TOKEN.findall(message.text)) for message in asked.messages)

    def close(self) -> None:
        """Ends running requests with EngineFailed."""
        self._closed = True

    def _stream(
        self, index: int, answer: str, call: ToolCall | None, request: TextRequest, cancel: Cancel
    ) -> Iterator[Chunk]:
        if call is not None:
            yield Chunk(index=index, tool_calls=(call,), num_tokens=1, finish_reason="tool_calls")
            return
        tokens = TOKEN.findall(answer)
        start = 0 if request.constraint else index % max(1, len(tokens))
        tokens = (tokens[start:] + tokens[:start])[: request.max_tokens]
        reason: FinishReason = "length" if len(tokens) == request.max_tokens else "stop"
        stops = StopMatcher(request.stop)
        unseen = 0
        for token in tokens:
            if self._closed:
                raise EngineFailed(say("The engine was closed.", "引擎已关闭。"))
            if cancel.is_set():
                yield Chunk(index=index, num_tokens=unseen, finish_reason="cancelled")
                return
            time.sleep(self._seconds_per_token)
            text = stops.push(token)
            unseen += 1
            if stops.matched is not None:
                ended = {"finish_reason": "stop", "stopped_by": stops.matched}
                yield Chunk(index=index, text=text, num_tokens=unseen, **ended)
                return
            if text:
                yield Chunk(index=index, text=text, num_tokens=unseen)
                unseen = 0
        yield Chunk(index=index, text=stops.finish(), num_tokens=unseen, finish_reason=reason)


def _answer(request: TextRequest) -> tuple[str, ToolCall | None]:
    said = [message.text for message in request.messages if message.role == "user"]
    last = said[-1] if said else request.messages[-1].text
    tool = _wanted_tool(request, last)
    if tool is not None:
        return "", ToolCall(id=f"call_{tool.name}", name=tool.name, arguments=smallest_value(tool.parameters) or {})
    return (smallest_text(request.constraint) if request.constraint else last), None


def _wanted_tool(request: TextRequest, said: str) -> ToolSpec | None:
    for tool in request.tools:
        wanted = request.tool_choice in ("required", tool.name)
        if wanted or (request.tool_choice == "auto" and tool.name in said):
            return tool
    return None
