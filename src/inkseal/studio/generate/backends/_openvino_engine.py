"""A loaded OpenVINO text model: plans a request, runs it in the shared batch, streams its chunks."""

import secrets
import time
from collections import deque
from collections.abc import Generator, Sequence

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
    refuse_unsupported,
)
from inkseal.studio.generate.backends._openvino_grammar import GrammarGate
from inkseal.studio.generate.backends._openvino_loop import Job, StepLoop
from inkseal.studio.generate.long_counts import AnswerCheck
from inkseal.studio.generate.prompting import offered_tools, prompt_ids, refuse_overflow, text_request
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
        asked = text_request(request)
        refuse_unsupported(asked)
        spec = grammar_spec(asked)
        check = AnswerCheck(asked)
        ids = self._prompt(asked)
        refuse_overflow(len(ids), asked.max_tokens, self._limit_tokens)
        if spec is not None:
            self._grammars.admit(spec)
        outbox = Outbox()
        answers, jobs = self._plan(asked, ids, spec, outbox)
        first: float | None = None
        unfinished = set(range(asked.n))
        waiting = deque(jobs)
        try:
            self._loop.submit(waiting.popleft())
            while unfinished and not cancel.is_set():
                for chunk in outbox.take(POLL_SECONDS):
                    first = first if first is not None else time.monotonic() - begun
                    if chunk.finish_reason is not None:
                        unfinished.discard(chunk.index)
                    check.take(chunk)
                    yield chunk
                # the other results follow once the first has left the prompt in the prefix cache
                while waiting and (answers[0].num_tokens or 0 not in unfinished):
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
        return len(self._prompt(text_request(request)))

    def close(self) -> None:
        """Frees all memory; running requests end with EngineFailed."""
        self._loop.close()
        self._grammars.close()
        if self._template is not None:
            self._template.close()

    def _prompt(self, request: TextRequest) -> list[int]:
        return prompt_ids(request, self._tokenizer, self._template)

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
