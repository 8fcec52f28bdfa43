"""Runs of apps that go on by themselves: which there are, how they go, and how to stop them. Each caller's own."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from inkseal.serve.app_runs import AppRunFacts
from inkseal.serve.callers import AnyCaller, Creator
from inkseal.serve.routes._stream import EVENTS, LastEvent, follow

router = APIRouter(prefix="/api/v1/app-runs", tags=["apps"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The run.")]


@router.get("", summary="List runs of apps, newest first")
def list_app_runs(
    request: Request,
    caller: AnyCaller,
    app: Annotated[str, Query(max_length=40, description="Of this app.")] = "",
) -> tuple[AppRunFacts, ...]:
    found: tuple[AppRunFacts, ...] = request.app.state.app_runs.listed(caller, app)
    return found


@router.get("/{run_id}", summary="How a run of an app stands")
def show(run_id: Id, request: Request, caller: AnyCaller) -> AppRunFacts:
    found: AppRunFacts = request.app.state.app_runs.of(run_id, caller).facts
    return found


@router.delete("/{run_id}", summary="Stop a run of an app", status_code=204)
async def stop(run_id: Id, request: Request, caller: Creator) -> None:
    request.app.state.app_runs.stop(run_id, caller)


@router.get("/{run_id}/events", summary="The events of a run of an app", response_class=Response, responses=EVENTS)
async def events(run_id: Id, request: Request, caller: AnyCaller, last_event_id: LastEvent = 0) -> Response:
    return follow(request, caller, request.app.state.app_runs.of(run_id, caller).feed, last_event_id)
