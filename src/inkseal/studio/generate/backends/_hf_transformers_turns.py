"""Lets the threads of several requests drive one batch together: whoever waits for tokens makes the next step for all.

So there is no thread that makes tokens nobody takes, and an engine without readers rests.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from inkseal.core.errors import EngineFailed, InksealError
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.core.types import FinishReason
from inkseal.studio.generate.backends._hf_transformers_batch import Batch, Logits, Prompt
from inkseal.studio.generate.sampling import Sampler
from inkseal.studio.generate.streaming import Sink

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """One result: a prompt that it may share with others, and how its tokens are chosen.

    Attributes:
        sharers: the jobs that go on from the prompt and have not begun.
    """

    prompt: Prompt
    sharers: set[int]
    sampler: Sampler
    max_tokens: int
    ends: frozenset[int]
    sink: Sink
    language: Language = field(default_factory=current_language)
    dropped: bool = False

    @property
    def need(self) -> int:
        """Most tokens that it may have in the cache."""
        return len(self.prompt.ids) + self.max_tokens


class Turns:
    """Owns the batch. Torch works in one thread of its own, whoever asks: each other one would bring its own pool."""

    def __init__(self, make: Callable[[], Batch], max_results: int, cache_tokens: int) -> None:
        """Takes what loads the model, and how much may stand in the cache: rows times the longest one's tokens."""
        self._worker = ThreadPoolExecutor(1, "inkseal-torch")
        self._turn = threading.Lock()
        self._changing = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._running: list[Job] = []
        self._closed = False
        try:
            self._batch: Batch | None = self._worker.submit(make).result()
            self._max_results = max_results if self._batch.can_share else 1
        except BaseException:
            self._worker.shutdown()
            raise
        self._cache_tokens = cache_tokens

    def submit(self, jobs: list[Job]) -> None:
        """Queues jobs; they join the batch as room permits.

        Raises:
            EngineFailed: the engine is closed.
        """
        with self._changing:
            if self._closed:
                raise closed()
            self._waiting.extend(jobs)

    def advance(self, patience_seconds: float) -> None:
        """Makes one step for all, unless another thread makes one for so long."""
        if not self._turn.acquire(timeout=patience_seconds):
            return
        try:
            if not self._closed:
                self._worker.submit(self._step).result()
        finally:
            self._turn.release()

    def drop(self, jobs: list[Job]) -> None:
        """Frees the jobs' places before the next step; harmless when they are done."""
        for job in jobs:
            job.dropped = True
        with self._turn:
            if not self._closed and any(job in self._running for job in jobs):
                self._worker.submit(self._sweep).result()

    def close(self) -> None:
        """Ends all jobs with EngineFailed and frees the model."""
        with self._changing:
            self._closed = True
        with self._turn:
            self._fail_all(closed)
            self._batch = None
        self._worker.shutdown()

    def _step(self) -> None:
        try:
            self._sweep()
            self._admit()
            if self._running:
                self._advance_all()
        except Exception as error:  # noqa: BLE001 - models of many makers raise what they like; all jobs must hear of it
            log.error("the model broke off: %s", error)
            why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            self._fail_all(lambda: broke_off(why))

    def _sweep(self) -> None:
        """Takes out whoever is done or was dropped."""
        assert self._batch is not None
        kept = [row for row, job in enumerate(self._running) if not job.dropped]
        self._batch.keep(kept)
        self._running = [self._running[row] for row in kept]

    def _admit(self) -> None:
        """Lets jobs in while there is room; a long prompt is read a stretch per step, so that others go on."""
        assert self._batch is not None
        while True:
            with self._changing:
                while self._waiting and self._waiting[0].dropped:
                    self._waiting.popleft()
                if not self._waiting or not self._has_room(self._waiting[0]):
                    return
                job = self._waiting[0]
            if job.prompt.logits is None:
                self._batch.read(job.prompt)
            if job.prompt.logits is None:
                return
            job.sharers.discard(id(job))
            self._batch.join(job.prompt, last=not job.sharers)
            with self._changing:  # until here it waits, so that it hears of a batch without memory for it
                self._waiting.popleft()
                self._running.append(job)
            self._deliver(job, job.prompt.logits.copy())
            self._sweep()

    def _has_room(self, job: Job) -> bool:
        needs = [other.need for other in self._running] + [job.need]
        return len(needs) <= self._max_results and len(needs) * max(needs) <= max(self._cache_tokens, job.need)

    def _advance_all(self) -> None:
        assert self._batch is not None
        logits = self._batch.step([job.sampler.answer[-1] for job in self._running])
        for job, row in zip(self._running, logits, strict=True):
            self._deliver(job, row)
        self._sweep()

    def _deliver(self, job: Job, logits: Logits) -> None:
        if not np.isfinite(logits.max()):
            job.dropped = True
            with use_language(job.language):
                job.sink.fail(_no_numbers())
            return
        token = job.sampler.draw(logits)
        reason: FinishReason | None = None
        if token in job.ends:
            reason = "stop"
        elif len(job.sampler.answer) >= job.max_tokens:
            reason = "length"
        job.dropped = job.sink.push([token], reason) or job.dropped

    def _fail_all(self, error: Callable[[], InksealError]) -> None:
        with self._changing:
            jobs = [*self._running, *self._waiting]
            self._running, self._waiting = [], deque()
        if self._batch is not None:
            self._batch.clear()
        for job in jobs:
            with use_language(job.language):
                job.sink.fail(error())


def closed() -> EngineFailed:
    return EngineFailed(
        say("The engine was closed.", "引擎已关闭。"), fix=say("Load the model again.", "请重新加载模型。")
    )


def broke_off(why: str) -> EngineFailed:
    return EngineFailed(
        say(f"The model broke off: {why}", f"模型中断：{why}"), fix=say("Repeat the request.", "请重试该请求。")
    )


def _no_numbers() -> EngineFailed:
    return EngineFailed(
        say("The model's logits are not numbers.", "模型输出的 logits 不是有效数值。"),
        fix=say("Set precision to float32.", "请将 precision 设为 float32。"),
    )
