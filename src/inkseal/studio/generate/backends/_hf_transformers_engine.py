"""A loaded torch text model: plans a request, takes its turns in the shared batch, streams its chunks."""

import secrets
import time
from collections.abc import Generator, Mapping
from typing import Any

from inkseal.core.errors import Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel, TextWatermark
from inkseal.core.types import Chunk, Request, Usage
from inkseal.formats.chat_template import ChatTemplate
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tool_calls import ToolCallParser
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.generate.backends._hf_transformers_batch import Prompt
from inkseal.studio.generate.backends._hf_transformers_turns import Job, Turns
from inkseal.studio.generate.prompting import offered_tools, prompt_ids, refuse_overflow, text_request
from inkseal.studio.generate.sampling import Sampler
from inkseal.studio.generate.streaming import Answer, Outbox

PATIENCE_SECONDS = 0.05
Facts = Mapping[str, str | int | float | bool]


class HfTransformersEngine:
    """Implements `GenerativeEngine`."""

    def __init__(
        self,
        model: LocalModel,
        turns: Turns,
        tokenizer: Tokenizer,
        template: ChatTemplate | None,
        limit_tokens: int,
        marks: "Marks",
        facts: Facts,
    ) -> None:
        """Takes the parts ready made; `facts` is what it says of every run: device and precision."""
        self.model = model
        self._turns = turns
        self._tokenizer = tokenizer
        self._template = template
        self._limit_tokens = limit_tokens
        self._marks = marks
        self._facts = facts

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields the chunks of all results; see `GenerativeEngine.generate`."""
        begun = time.monotonic()
        asked = text_request(request, self._marks.names)
        _refuse_unsupported(asked)
        mark = self._marks.choose(asked)
        ids = self._prompt(asked)
        refuse_overflow(len(ids), asked.max_tokens, self._limit_tokens)
        outbox = Outbox()
        answers, jobs = self._plan(asked, ids, mark, outbox)
        first: float | None = None
        unfinished = set(range(asked.n))
        try:
            self._turns.submit(jobs)
            while unfinished and not cancel.is_set():
                chunks = outbox.take(0)
                for chunk in chunks:
                    first = first if first is not None else time.monotonic() - begun
                    if chunk.finish_reason is not None:
                        unfinished.discard(chunk.index)
                    yield chunk
                if not chunks:
                    self._turns.advance(PATIENCE_SECONDS)
            for index in sorted(unfinished):
                yield Chunk(index=index, finish_reason="cancelled")
        finally:
            self._turns.drop(jobs)
        return Usage(
            prompt_tokens=len(ids),
            cached_tokens=0,
            completion_tokens=sum(answer.num_tokens for answer in answers),
            first_chunk_seconds=first,
            total_seconds=time.monotonic() - begun,
            reported={**self._facts, **self._marks.facts(mark)},
        )

    def count_tokens(self, request: Request) -> int:
        """Returns the exact number of prompt tokens."""
        return len(self._prompt(text_request(request, self._marks.names)))

    def close(self) -> None:
        """Frees all memory; running requests end with EngineFailed."""
        self._turns.close()
        if self._template is not None:
            self._template.close()

    def _prompt(self, request: TextRequest) -> list[int]:
        return prompt_ids(request, self._tokenizer, self._template)

    def _plan(
        self, request: TextRequest, ids: list[int], mark: TextWatermark | None, outbox: Outbox
    ) -> tuple[list[Answer], list[Job]]:
        seed = request.seed if request.seed is not None else secrets.randbits(32)
        tools = {tool.name: tool.parameters for tool in offered_tools(request)}
        answers: list[Answer] = []
        jobs: list[Job] = []
        prompt, sharers = Prompt(ids), set[int]()
        for index in range(request.n):
            decoder = self._tokenizer.decoder(begins=not request.raw_prompt)
            parser = ToolCallParser(tools) if tools else None
            answers.append(Answer(index, decoder, request.stop, outbox, parser))
            tilt = mark.begin() if mark is not None else None
            greedy = mark is not None and mark.works_greedily
            sampler = Sampler(request.sampling, ids, (seed + index) % 2**32, tilt, greedy_tilt=greedy)
            job = Job(prompt, sharers, sampler, request.max_tokens, self._tokenizer.end_ids, answers[-1])
            sharers.add(id(job))
            jobs.append(job)
        return answers, jobs


class Marks:
    """The watermarks that an engine can put in, and which of them a request gets.

    Args:
        known: by name; none when the installation handed no key.
        default: the one that "auto" stands for; empty for none.
        key_id: the public name of the key.
    """

    def __init__(self, known: Mapping[str, TextWatermark], default: str, key_id: str) -> None:
        self.names = frozenset(known)
        self._known = known
        self._default = default
        self._key_id = key_id

    def choose(self, request: TextRequest) -> TextWatermark | None:
        """Returns the request's watermark: "auto" gives way to greedy choice and to tools, a name does not.

        Raises:
            Unsupported: it needs chance, and the request leaves none.
        """
        asked = request.watermark
        greedy = request.sampling.temperature == 0
        if asked == "none" or not self._known:
            return None
        found = self._known.get(self._default if asked == "auto" else asked)
        if found is None or not greedy or found.works_greedily:
            return found
        if asked == "auto":
            return None
        raise Unsupported(
            say(
                f"The watermark {asked!r} needs chance; temperature 0 leaves none.",
                f"水印 {asked!r} 需要随机性，温度为 0 时没有。",
            ),
            fix=say("Raise the temperature, or take kgw.", "请提高温度，或使用 kgw。"),
        )

    def facts(self, mark: TextWatermark | None) -> dict[str, Any]:
        """Returns what a manifest says of a watermark: its name, its public parameters, and which key it has."""
        if mark is None:
            return {}
        facts = {f"watermark_{name}": value for name, value in mark.facts().items()}
        return {"watermark": mark.name, "watermark_key": self._key_id} | facts


def _refuse_unsupported(request: TextRequest) -> None:
    if request.top_logprobs:
        raise Unsupported(
            say("This backend passes no probabilities on (top_logprobs).", "该后端不传递候选概率（top_logprobs）。")
        )
    if request.constraint is not None or request.tool_choice not in ("auto", "none"):
        raise Unsupported(
            say(
                "This backend has no grammar to hold an answer to: no constraint, and no forced tool call.",
                "该后端没有语法约束引擎：不支持输出约束和强制工具调用。",
            ),
            fix=say("Use the backend openvino or llama_cpp.", "请使用 openvino 或 llama_cpp 后端。"),
        )
