"""Makes things, and tells how a run goes: one route for each modality, its body the modality's own request."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from inkseal.core import types
from inkseal.core.errors import InksealError
from inkseal.core.events import ArtifactReady, Checked, Failed, Finished, Generated, Started, Withdrawn
from inkseal.core.types import Artifact, Closed, ToolCall, Usage, Verdict
from inkseal.modalities import modalities
from inkseal.serve.bridge import batches, call
from inkseal.serve.callers import AnyCaller, Creator
from inkseal.serve.errors import refusal_of
from inkseal.serve.feeds import frame, frames
from inkseal.serve.ownership import check_inputs
from inkseal.serve.sse import PING, EventStream
from inkseal.store import runs
from inkseal.store.runs import RunRecord

router = APIRouter(prefix="/api/v1", tags=["runs"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The run.")]
STREAM = {"text/event-stream": {"schema": {"type": "string"}}}
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": STREAM, "description": "The run's events, as they come."}}


class Made(Closed):
    """One result."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    artifact: Artifact | None = None
    withdrawn: bool = False


class Outcome(Closed):
    """What a run made; texts as the model wrote them, without any label in them."""

    run_id: str
    results: tuple[Made, ...]
    verdicts: tuple[Verdict, ...]
    usage: Usage
    label: str
    """What a result must be shown with."""


def _route(kind: type[types.Request]) -> Callable[..., Any]:
    async def generate(asked: Any, request: Request, caller: Creator) -> Response:
        studio = request.app.state.studio
        await call(check_inputs, studio, asked, caller)
        events = batches(studio, asked, caller, request)
        if "text/event-stream" in request.headers.get("accept", ""):
            return EventStream(_frames(request, events), {})
        async with aclosing(events):
            outcome = await _gather(events, studio.visible_label(asked))
        headers = {"X-Inkseal-Run": outcome.run_id}
        return JSONResponse(outcome.model_dump(mode="json"), headers=headers)

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
        responses={200: {"model": Outcome, "content": STREAM}},
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


@router.get("/runs/{run_id}/events", summary="A run's events, as they come", response_class=Response, responses=EVENTS)
async def events(
    run_id: Id,
    request: Request,
    caller: AnyCaller,
    last_event_id: Annotated[int, Header(ge=0, le=2**53, description="Go on after this event.")] = 0,
) -> Response:
    feeds = request.app.state.feeds
    feed = feeds.of(run_id, caller)

    async def watched() -> AsyncGenerator[bytes, None]:
        async with aclosing(frames(feed, last_event_id)) as pieces:
            async for piece in pieces:
                yield piece
                if await request.is_disconnected():
                    return

    feeds.check(caller)
    return EventStream(feeds.counted(caller, watched()), {})


async def _frames(request: Request, events: AsyncGenerator[list[Any], None]) -> AsyncGenerator[bytes, None]:
    number = 0
    async with aclosing(events):
        try:
            async for batch in events:
                pieces = []
                for event in batch:
                    number += 1
                    pieces.append(frame(number, event))
                yield b"".join(pieces) or PING
        except InksealError as error:
            if number:
                return  # the last event was `failed`
            refusal = refusal_of(error, request.state.request_id)
            yield frame(1, Failed(run_id="", code=refusal.code, message=refusal.message))


async def _gather(events: AsyncGenerator[list[Any], None], label: str) -> Outcome:
    run_id, usage, verdicts = "", Usage(), []
    made: dict[int, Made] = {}

    def change(index: int, **facts: Any) -> None:
        made[index] = made.get(index, Made(text="")).model_copy(update=facts)

    async for batch in events:
        for event in batch:
            match event:
                case Started():
                    run_id = event.run_id
                case Checked():
                    verdicts.append(event.verdict)
                case Generated(chunk=chunk):
                    so_far = made.get(chunk.index, Made(text=""))
                    change(
                        chunk.index,
                        text=so_far.text + chunk.text,
                        tool_calls=so_far.tool_calls + chunk.tool_calls,
                        finish_reason=chunk.finish_reason or so_far.finish_reason,
                    )
                case Withdrawn():
                    change(event.index, text="", withdrawn=True, finish_reason="blocked")
                case ArtifactReady():
                    change(event.index, artifact=event.artifact)
                case Finished():
                    usage = event.usage
    results = tuple(made[index] for index in sorted(made))
    return Outcome(run_id=run_id, results=results, verdicts=tuple(verdicts), usage=usage, label=label)
