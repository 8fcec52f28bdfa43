"""The first story: check → generate → check → seal → record. Only this file knows the order."""

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from inkseal.core.errors import Blocked, Cancelled, EngineFailed, InksealError
from inkseal.core.events import ArtifactReady, Checked, Failed, Finished, Listener, Started
from inkseal.core.language import say
from inkseal.core.protocols import Backend, Check, Engine, GenerativeEngine, LocalModel
from inkseal.core.types import (
    Artifact,
    Chunk,
    Closed,
    FinishReason,
    MediaPart,
    Part,
    Regime,
    Request,
    ToolCall,
    Usage,
    Verdict,
    new_id,
)
from inkseal.runtime.device import peak_memory_bytes
from inkseal.runtime.energy import EnergyMeter
from inkseal.runtime.engine_process import EngineProcess
from inkseal.studio.draft import Draft
from inkseal.studio.engines import Engines
from inkseal.studio.guard.holdback import HoldBack
from inkseal.studio.guard.policy import rule
from inkseal.studio.limits import Deadline
from inkseal.studio.provenance.manifest import AppFacts
from inkseal.studio.provenance.regimes import asks_for
from inkseal.studio.recorder import Recorder


class Result(Closed):
    """What a run made. Withdrawn results are not in it."""

    run_id: str
    artifacts: tuple[Artifact, ...]
    texts: tuple[str, ...]
    finish_reasons: tuple[FinishReason, ...]
    tool_calls: tuple[tuple[ToolCall, ...], ...]
    verdicts: tuple[Verdict, ...]
    seed: int
    usage: Usage

    @property
    def text(self) -> str:
        """The first result's text."""
        return self.texts[0]


@dataclass
class Run:
    """One execution of the story: what was asked, and what is known of it so far.

    Attributes:
        original: the request as it came; only its digest is recorded.
        request: the request as the engine gets it, with a seed and with redactions.
        owner: whose the results are; empty for the command line.
        app: the app that asks, if one does.
    """

    original: Request
    request: Request
    emit: Listener
    cancel: Deadline
    checks: list[Check]
    owner: str = ""
    app: AppFacts | None = None
    id: str = field(default_factory=new_id)
    verdicts: list[Verdict] = field(default_factory=list)
    restore: dict[str, str] = field(default_factory=dict)
    model: LocalModel | None = None
    backend: Backend | None = None
    drafts: list[Draft] = field(default_factory=list)
    usage: Usage = Usage()


def tell(run: Run, engines: Engines, recorder: Recorder) -> Result:
    """Runs the story from beginning to end, and records how it ended either way.

    Raises:
        Blocked: a check refused the prompt, or withdrew every result.
        Cancelled: the caller, or the time limit, ended it before anything was shown. What was shown by then is sealed
            like every result, with the finish reason "cancelled".
        InksealError: whatever else went wrong; it is recorded as it is.
    """

    def make() -> None:
        check_prompt(run)
        generate(run, engines)

    return _told(run, recorder, make)


def tell_composed(run: Run, text: str, verdicts: Sequence[Verdict], engines: Engines, recorder: Recorder) -> Result:
    """Checks, seals and records a text that was composed of results made before, which are its parents.

    Args:
        run: its request names the parents and the model that wrote them.
        text: the whole text.
        verdicts: what was found of it before, to be sealed with it.

    Raises:
        Blocked: a check refuses it.
    """

    def make() -> None:
        run.model = engines.local_model(run.request.model)
        run.verdicts += verdicts
        draft = Draft(0, HoldBack(run.checks, {}))
        run.drafts = [draft]
        for event in draft.take(Chunk(text=text, finish_reason="stop")):
            run.emit(event)

    return _told(run, recorder, make)


def _told(run: Run, recorder: Recorder, make: Callable[[], None]) -> Result:
    recorder.begin(run)
    run.emit(Started(run_id=run.id, what=run.request.modality))
    try:
        make()
        check_results(run)
        artifacts = recorder.seal(run)
    except InksealError as error:
        _fail(run, recorder, error, str(error))
        raise
    except BaseException as error:
        words = say("Something went wrong that nobody foresaw.", "发生了未预料到的错误。")
        _fail(run, recorder, EngineFailed(type(error).__name__), words)
        raise
    kept = [draft for draft in run.drafts if draft.blocked is None]
    for draft, artifact in zip(kept, artifacts, strict=True):
        run.emit(ArtifactReady(artifact=artifact, index=draft.index))
    run.emit(Finished(run_id=run.id, usage=run.usage))
    return Result(
        run_id=run.id,
        artifacts=tuple(artifacts),
        texts=tuple(draft.text for draft in kept),
        finish_reasons=tuple(draft.finish_reason for draft in kept),
        tool_calls=tuple(draft.tool_calls for draft in kept),
        verdicts=tuple(run.verdicts),
        seed=run.request.seed or 0,
        usage=run.usage,
    )


def _fail(run: Run, recorder: Recorder, error: InksealError, words: str) -> None:
    """Records why the run ended, and tells it even where that cannot be recorded."""
    try:
        recorder.fail(run, error)
    finally:
        run.emit(Failed(run_id=run.id, code=error.code, message=words))


def begin(
    request: Request,
    checks: list[Check],
    emit: Listener,
    cancel: Any = None,
    owner: str = "",
    app: AppFacts | None = None,
    *,
    regime: Regime = "none",
) -> Run:
    """Returns a run of the request; draws the seed when there is none, so that every result can be made again.

    Args:
        regime: the installation's, for a request that names none. Where none asks for a watermark, "auto" is none.
    """
    seed = request.seed if request.seed is not None else random.SystemRandom().getrandbits(32)
    settled: dict[str, Any] = {"seed": seed}
    if request.watermark == "auto" and not asks_for("watermark", request.regime or regime, request.modality):
        settled["watermark"] = "none"
    ready = request.model_copy(update=settled)
    return Run(request, ready, emit, Deadline(request.timeout_seconds, cancel), checks, owner, app)


def check_prompt(run: Run) -> None:
    """Holds every part of every message against the checks, and takes over what they redact.

    Raises:
        Blocked: a check refuses the prompt.
    """
    parts = [part for message in run.request.messages for part in message.parts]
    ruling = rule(run.checks, parts, "prompt")
    _note(run, ruling.verdicts)
    run.restore |= ruling.restore
    if ruling.blocked is not None:
        raise _blocked(ruling.blocked, say("prompt", "提示词"))
    left = iter(ruling.parts)
    messages = tuple(
        message.model_copy(update={"parts": tuple(next(left) for _ in message.parts)})
        for message in run.request.messages
    )
    run.request = run.request.model_copy(update={"messages": messages})


def generate(run: Run, engines: Engines) -> None:
    """Lets the engine make the results; chunks leave through each result's hold-back window."""
    run.model = engines.local_model(run.request.model)
    run.backend = engines.backend_for(run.model, "generate")
    run.drafts = [Draft(i, HoldBack(run.checks, run.restore)) for i in range(run.request.n)]
    with engines.lease(run.model, "generate", run.emit, run.cancel) as engine, _measured(run, engine):
        if not isinstance(engine, GenerativeEngine):
            raise EngineFailed(say(f"{run.model.name!r} cannot generate.", f"{run.model.name!r} 不能生成内容。"))
        stream = engine.generate(run.request, run.cancel)
        try:
            while True:
                chunk = next(stream)
                draft = run.drafts[chunk.index]
                if draft.blocked is None:
                    for event in draft.take(chunk):
                        run.emit(event)
                if all(draft.blocked for draft in run.drafts):
                    break
        except StopIteration as end:
            run.usage = end.value
        finally:
            stream.close()
    if run.cancel.is_set() and not any(draft.text or draft.data for draft in run.drafts):
        raise _ended_early(run)
    if run.request.modality != "text":  # an empty text is an answer, half a picture is nothing
        run.drafts = [draft for draft in run.drafts if draft.data or not run.cancel.is_set()]


def check_results(run: Run) -> None:
    """Inspects each finished result as a whole; a late block withdraws it.

    Raises:
        Blocked: no result is left.
    """
    for draft in run.drafts:
        if draft.blocked is None:
            calls = tuple(Part(text=call.model_dump_json()) for call in draft.tool_calls)
            media = (MediaPart(data=draft.data),) if draft.data else ()
            ruling = rule(run.checks, (Part(text=draft.gate.raw), *calls, *media), "result")
            _note(run, ruling.verdicts)
            if ruling.blocked is not None:
                for event in draft.withdraw(ruling.blocked):
                    run.emit(event)
        else:
            _note(run, [draft.blocked])
    blocked = [draft.blocked for draft in run.drafts if draft.blocked is not None]
    if len(blocked) == len(run.drafts):
        raise _blocked(blocked[0], say("result", "结果"))


def _note(run: Run, verdicts: Any) -> None:
    for verdict in verdicts:
        run.verdicts.append(verdict)
        run.emit(Checked(verdict=verdict))


@contextmanager
def _measured(run: Run, engine: Engine) -> Iterator[None]:
    """Adds wall time, memory and energy of the block to the usage that the engine reports."""
    begin_seconds, meter = time.perf_counter(), EnergyMeter()
    yield
    facts: dict[str, object] = {"total_seconds": round(time.perf_counter() - begin_seconds, 4), "energy": meter.stop()}
    if engine.model.remote is None:
        facts["peak_memory_bytes"] = peak_memory_bytes(engine.pid if isinstance(engine, EngineProcess) else os.getpid())
    run.usage = run.usage.model_copy(update=facts)


def _blocked(verdict: Verdict, what: str) -> Blocked:
    rules = ", ".join(sorted({finding.rule for finding in verdict.findings}))
    return Blocked(
        say(
            f"The {what} was blocked by the check {verdict.check!r} ({rules}).",
            f"{what}被检查 {verdict.check!r} 拦截（{rules}）。",
        ),
        fix=say(
            "Change the wording, or the check's config in settings.toml.",
            "请修改措辞，或在 settings.toml 中调整该检查的配置。",
        ),
    )


def _ended_early(run: Run) -> Cancelled:
    if run.cancel.timed_out:
        seconds = run.request.timeout_seconds
        return Cancelled(
            say(f"The run took longer than {seconds:g} s.", f"运行超过了 {seconds:g} 秒。"),
            fix=say("Raise timeout_seconds or lower max_tokens.", "请调高 timeout_seconds 或调低 max_tokens。"),
        )
    return Cancelled(say("The run was cancelled.", "运行已取消。"))
