"""The one thread that owns an OpenVINO pipeline: takes requests in, steps, hands tokens out.

All running requests share each step. Knows tokens only, no text.
"""

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import EngineFailed, InksealError
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.core.types import FinishReason
from inkseal.studio.generate.streaming import Sink

if TYPE_CHECKING:
    from openvino_genai import ContinuousBatchingPipeline, GenerationConfig

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """One result that the pipeline works on."""

    ids: Sequence[int]
    config: "GenerationConfig"
    sink: Sink
    language: Language = field(default_factory=current_language)
    cancelled: bool = False
    handle: Any = None


class StepLoop:
    """Runs the pipeline in a thread of its own until closed."""

    def __init__(self, make: "Callable[[], ContinuousBatchingPipeline]") -> None:
        """Takes what makes the pipeline: it is called now, and again should the pipeline break."""
        self._make = make
        self._pipeline: ContinuousBatchingPipeline | None = make()
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: list[Job] = []
        self._closing = False
        self._next_id = 0
        self._thread = threading.Thread(target=self._run, name="inkseal-openvino", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queues a job; it joins the batch at the next step.

        Raises:
            EngineFailed: the engine is closed or broken.
        """
        with self._changed:
            if self._closing:
                raise _closed()
            self._waiting.append(job)
            self._changed.notify()

    def cancel(self, job: Job) -> None:
        """Frees the job's place before the next step; harmless when it is done."""
        with self._changed:
            job.cancelled = True
            self._changed.notify()

    @property
    def num_running(self) -> int:
        """Results in the batch or waiting for it."""
        with self._changed:
            return len(self._running) + len(self._waiting)

    def close(self) -> None:
        """Ends all jobs with EngineFailed, waits for the thread, and frees the pipeline."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            while self._admit():
                try:
                    self._step()
                except RuntimeError as error:  # what every failure of the C++ engine arrives as
                    self._start_again(error)
        except RuntimeError as error:
            log.error("the engine cannot be started again: %s", error)
        finally:
            with self._changed:
                self._closing = True
            self._end_all("")
            self._clear()
            self._pipeline = None

    def _clear(self) -> None:
        """Lets the pipeline drop what was cancelled: it complains of blocks that are still taken when it goes."""
        with contextlib.suppress(RuntimeError):
            if self._pipeline is not None and self._pipeline.has_non_finished_requests():
                self._pipeline.step()

    def _start_again(self, error: RuntimeError) -> None:
        """Ends all jobs and makes a new pipeline: after a failed step the old one keeps failing."""
        log.error("the engine broke off: %s", error)
        self._end_all(_last_line(error))
        self._pipeline = None  # its memory must be free before the new one takes as much
        self._pipeline = self._make()

    def _admit(self) -> bool:
        """Waits until there is work; moves new jobs into the pipeline and cancelled ones out. False when closing."""
        with self._changed:
            while not (self._closing or self._waiting or self._running):
                self._changed.wait()
            if self._closing:
                return False
            new = [job for job in self._waiting if not job.cancelled]
            self._waiting.clear()
            gone = [job for job in self._running if job.cancelled]
            self._running = [job for job in self._running if not job.cancelled] + new
        for job in gone:
            job.handle.cancel()
        for job in new:
            try:
                self._add(job)
            except RuntimeError as error:  # raised before the pipeline took it in: the others are safe
                self._forget([job])
                with use_language(job.language):
                    job.sink.fail(_broke_off(_last_line(error)))
        return True

    def _add(self, job: Job) -> None:
        import numpy as np
        import openvino as ov

        assert self._pipeline is not None
        self._next_id += 1
        ids = ov.Tensor(np.asarray([job.ids], dtype=np.int64))
        job.handle = self._pipeline.add_request(self._next_id, ids, job.config)

    def _step(self) -> None:
        assert self._pipeline is not None
        if self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        self._forget([job for job in self._running if self._deliver(job)])

    def _forget(self, jobs: Sequence[Job]) -> None:
        if jobs:
            with self._changed:
                self._running = [job for job in self._running if job not in jobs]

    def _deliver(self, job: Job) -> bool:
        """Hands the job's new tokens to its sink; True when the job is over."""
        from openvino_genai import GenerationStatus

        tokens: list[int] = []
        reason: FinishReason | None = None
        while job.handle.can_read():
            for output in job.handle.read().values():
                tokens += output.generated_ids
                reason = reason or _REASONS.get(output.finish_reason.name)
        status = job.handle.get_status()
        if reason is None and status == GenerationStatus.IGNORED:
            with use_language(job.language):
                job.sink.fail(_no_room())
            return True
        if reason is None and status == GenerationStatus.FINISHED:
            reason = "stop"
        if not tokens and reason is None:
            return False
        enough = job.sink.push(tokens, reason)
        if enough and reason is None:
            job.handle.stop()
        return enough

    def _end_all(self, why: str) -> None:
        with self._changed:
            jobs = [*self._running, *self._waiting]
            self._running, self._waiting = [], deque()
        for job in jobs:
            if job.handle is not None:
                job.handle.cancel()
            with use_language(job.language):
                job.sink.fail(_broke_off(why) if why else _closed())


_REASONS: dict[str, FinishReason] = {"STOP": "stop", "LENGTH": "length", "TOOL_CALL": "stop"}


def _last_line(error: RuntimeError) -> str:
    return (str(error).strip().splitlines() or [""])[-1][:200]


def _closed() -> InksealError:
    return EngineFailed(
        say("The engine was closed.", "引擎已关闭。"), fix=say("Load the model again.", "请重新加载模型。")
    )


def _broke_off(why: str) -> InksealError:
    return EngineFailed(
        say(f"The engine broke off: {why}", f"引擎中断：{why}"),
        fix=say("It has been started again; repeat the request.", "引擎已重新启动，请重试。"),
    )


def _no_room() -> InksealError:
    return EngineFailed(
        say("The engine's cache has no room for this request.", "引擎缓存容不下此请求。"),
        fix=say("Raise cache_tokens, or shorten the prompt.", "请增大 cache_tokens，或缩短提示词。"),
    )
