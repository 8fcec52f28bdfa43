"""Makes things, and tells how a run goes: one route for each modality, its body the modality's own request."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from inkseal.core import types
from inkseal.core.errors import InksealError
from inkseal.core.events import Event
from inkseal.core.types import Artifact, Closed, ToolCall, Usage, Verdict
from inkseal.modalities import modalities
from inkseal.serve.bridge import batches, call
from inkseal.serve.callers import AnyCaller, Creator
from inkseal.serve.feeds import frame, told
from inkseal.serve.ownership import check_inputs
from inkseal.serve.routes._outcome import Outcome, gather
from inkseal.serve.routes._stream import EVENTS, RESPOND_ASYNC, STREAM, LastEvent, Prefer, follow, open_stream
from inkseal.serve.sse import PING
from inkseal.store import runs
from inkseal.store.runs import RunRecord

router = APIRouter(prefix="/api/v1", tags=["runs"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The run.")]


class Result(Closed):
    """One result."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    artifact: Artifact | None = None
    withdrawn: bool = False


class Made(Closed):
    """What a run made; texts as the model wrote them, without any label in them."""

    run_id: str
    results: tuple[Result, ...]
    verdicts: tuple[Verdict, ...]
    usage: Usage
    label: str
    """What a result must be shown with."""


class BegunRun(Closed):
    """A run that goes on by itself; its events are at `GET /api/v1/runs/{run_id}/events`."""

    run_id: str
    label: str
    """What its results must be shown with."""


def _route(kind: type[types.Request]) -> Callable[..., Any]:
    async def generate(
        asked: types.Request,
        request: Request,
        caller: Creator,
        prefer: Prefer = "",
    ) -> Response:
        studio = request.app.state.studio
        await call(check_inputs, studio, asked, caller)
        if RESPOND_ASYNC in prefer:
            begun = BegunRun(
                run_id=await request.app.state.begun.begin(asked, caller), label=studio.visible_label(asked)
            )
            return JSONResponse(begun.model_dump(), 202, {"preference-applied": RESPOND_ASYNC})
        events = batches(studio, asked, caller, request)
        if "text/event-stream" in request.headers.get("accept", ""):
            return await open_stream(events, EventFrames((str(studio.settings.data_dir),)))
        outcome = await gather(events)
        made = Made(
            run_id=outcome.run_id,
            results=tuple(_made(outcome, index) for index in range(asked.n)),
            verdicts=tuple(outcome.verdicts),
            usage=outcome.usage,
            label=studio.visible_label(asked),
        )
        return JSONResponse(made.model_dump(mode="json"), headers=outcome.headers())

    generate.__annotations__["asked"] = kind
    return generate


for _name in modalities:
    _modality = modalities[_name]
    router.add_api_route(
        f"/generate/{_name}",
        _route(_modality.request),
        methods=["POST"],
        name=f"generate_{_name}",
        summary=f"Make {_name}, checked, sealed and recorded",
        responses={200: {"model": Made, "content": STREAM}, 202: {"model": BegunRun}},
        response_model=None,
    )


@router.get("/runs", summary="List runs, newest first")
def list_runs(
    request: Request,
    caller: AnyCaller,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-z]{26}$")] = None,
) -> tuple[RunRecord, ...]:
    with request.app.state.studio.store.reading() as session:
        return tuple(runs.newest(session, limit=limit, before=before, owner=caller.sees))


@router.get("/runs/{run_id}", summary="How a run stands")
def show(run_id: Id, request: Request, caller: AnyCaller) -> RunRecord:
    with request.app.state.studio.store.reading() as session:
        return runs.get(session, run_id, owner=caller.sees)


@router.delete("/runs/{run_id}", summary="Stop a run that goes on by itself", status_code=204)
async def stop(run_id: Id, request: Request, caller: Creator) -> None:
    request.app.state.begun.stop(run_id, caller)


@router.get("/runs/{run_id}/events", summary="A run's events, as they come", response_class=Response, responses=EVENTS)
async def events(run_id: Id, request: Request, caller: AnyCaller, last_event_id: LastEvent = 0) -> Response:
    return follow(request, caller, request.app.state.feeds.of(run_id, caller), last_event_id)


class EventFrames:
    """Events as they are, numbered; without the texts that are hidden."""

    def __init__(self, hidden: tuple[str, ...] = ()) -> None:
        self.outcome = Outcome()
        self._hidden = hidden
        self._number = 0

    def take(self, event: Event) -> bytes:
        """Returns the event's frame."""
        self.outcome.take(event)
        self._number += 1
        return frame(self._number, told(event, self._hidden))

    def ping(self) -> bytes:
        """Returns a sign of life."""
        return PING

    def end(self) -> bytes:
        """Returns nothing: the last event was `finished`."""
        return b""

    def fail(self, error: InksealError) -> bytes:
        """Returns nothing: the last event was `failed`."""
        return b""


def _made(outcome: Outcome, index: int) -> Result:
    return Result(
        text=outcome.text(index),
        tool_calls=tuple(outcome.calls[index]),
        finish_reason=outcome.reason(index),
        artifact=outcome.artifacts.get(index),
        withdrawn=index in outcome.withdrawn,
    )
