"""A loaded OpenVINO text model: plans a request, runs it in the shared batch, streams its chunks."""

import secrets
import time
from collections import deque
from collections.abc import Generator, Sequence

from inkseal.core.errors import ContextTooLong, InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.core.types import Chunk, Request, Usage
from inkseal.formats.chat_template import ChatTemplate
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tool_calls import ToolCallParser
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.generate.backends._openvino_config import (
    GrammarSpec,
    generation_config,
    grammar_spec,
    offered_tools,
    refuse_unsupported,
)
from inkseal.studio.generate.backends._openvino_grammar import GrammarGate
from inkseal.studio.generate.backends._openvino_loop import Job, StepLoop
from inkseal.studio.generate.streaming import Answer, Outbox

POLL_SECONDS = 0.05


class OpenvinoEngine:
    """Implements `GenerativeEngine`."""

    def __init__(
        self,
        model: LocalModel,
        loop: StepLoop,
        tokenizer: Tokenizer,
        template: ChatTemplate | None,
        grammars: GrammarGate,
        limit_tokens: int,
    ) -> None:
        """Takes the parts ready made; `limit_tokens` is the longest prompt and answer together."""
        self.model = model
        self._loop = loop
        self._tokenizer = tokenizer
        self._template = template
        self._grammars = grammars
        self._limit_tokens = limit_tokens

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields the chunks of all results; see `GenerativeEngine.generate`."""
        begun = time.monotonic()
        text_request = _text(request)
        refuse_unsupported(text_request)
        spec = grammar_spec(text_request)
        ids = self._prompt(text_request)
        self._refuse_overflow(len(ids), text_request.max_tokens)
        if spec is not None:
            self._grammars.admit(spec)
        outbox = Outbox()
        answers, jobs = self._plan(text_request, ids, spec, outbox)
        first: float | None = None
        unfinished = set(range(text_request.n))
        waiting = deque(jobs)
        try:
            self._loop.submit(waiting.popleft())
            while unfinished and not cancel.is_set():
                for chunk in outbox.take(POLL_SECONDS):
                    first = first if first is not None else time.monotonic() - begun
                    if chunk.finish_reason is not None:
                        unfinished.discard(chunk.index)
                    yield chunk
                # the other results follow once the first has left the prompt in the prefix cache
                while waiting and answers[0].num_tokens:
                    self._loop.submit(waiting.popleft())
            for index in sorted(unfinished):
                yield Chunk(index=index, finish_reason="cancelled")
        finally:
            for job in jobs:
                self._loop.cancel(job)
        return Usage(
            prompt_tokens=len(ids),
            completion_tokens=sum(answer.num_tokens for answer in answers),
            first_chunk_seconds=first,
            total_seconds=time.monotonic() - begun,
        )

    def count_tokens(self, request: Request) -> int:
        """Returns the exact number of prompt tokens."""
        return len(self._prompt(_text(request)))

    def close(self) -> None:
        """Frees all memory; running requests end with EngineFailed."""
        self._loop.close()
        self._grammars.close()
        if self._template is not None:
            self._template.close()

    def _prompt(self, request: TextRequest) -> list[int]:
        if request.raw_prompt:
            text = "".join(message.text for message in request.messages)
            begin = [] if self._tokenizer.bos_id is None else [self._tokenizer.bos_id]
            return begin + self._tokenizer.encode(text)
        if self._template is None:
            raise InvalidRequest(
                say("The model has no chat template.", "该模型没有对话模板。"),
                fix=say("Set raw_prompt to continue plain text.", "请设置 raw_prompt 以续写纯文本。"),
            )
        tools = [{"type": "function", "function": tool.model_dump()} for tool in offered_tools(request)]
        return self._template.encode(request.messages, tools)

    def _refuse_overflow(self, prompt_tokens: int, max_tokens: int) -> None:
        if prompt_tokens + max_tokens > self._limit_tokens:
            raise ContextTooLong(
                say(
                    f"{prompt_tokens} prompt tokens and {max_tokens} for the answer exceed {self._limit_tokens}.",
                    f"提示词 {prompt_tokens} 个词元加上答案 {max_tokens} 个，超过 {self._limit_tokens}。",
                ),
                fix=say("Shorten the prompt or lower max_tokens.", "请缩短提示词或减小 max_tokens。"),
            )

    def _plan(
        self, request: TextRequest, ids: list[int], spec: GrammarSpec | None, outbox: Outbox
    ) -> tuple[Sequence[Answer], Sequence[Job]]:
        seed = request.seed if request.seed is not None else secrets.randbits(32)
        tools = {tool.name: tool.parameters for tool in offered_tools(request)}
        answers = [
            Answer(
                index,
                self._tokenizer.decoder(begins=not request.raw_prompt),
                request.stop,
                outbox,
                ToolCallParser(tools) if tools else None,
            )
            for index in range(request.n)
        ]
        jobs = [
            Job(ids, generation_config(request, self._tokenizer, (seed + answer.index) % 2**32, spec), answer)
            for answer in answers
        ]
        return answers, jobs


def _text(request: Request) -> TextRequest:
    if not isinstance(request, TextRequest):
        raise Unsupported(
            say(f"A text model cannot make {request.modality}.", f"文本模型无法生成 {request.modality}。")
        )
    return request
