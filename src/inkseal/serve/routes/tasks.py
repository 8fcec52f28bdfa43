"""Long work of the installation: what runs, how it goes, and how to stop it."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from inkseal.serve.callers import Admin
from inkseal.serve.routes._stream import EVENTS, LastEvent, follow
from inkseal.serve.tasks import TaskFacts

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The task.")]


@router.get("", summary="List what runs and what ended lately, newest first")
def list_tasks(request: Request, caller: Admin) -> tuple[TaskFacts, ...]:
    return tuple(request.app.state.tasks.listed())


@router.get("/{task_id}", summary="How a task stands")
def show(task_id: Id, request: Request, caller: Admin) -> TaskFacts:
    found: TaskFacts = request.app.state.tasks.of(task_id).facts
    return found


@router.delete("/{task_id}", summary="Stop a task")
def stop(task_id: Id, request: Request, caller: Admin) -> TaskFacts:
    task = request.app.state.tasks.of(task_id)
    task.cancel.set()
    found: TaskFacts = task.facts
    return found


@router.get("/{task_id}/events", summary="A task's events, as they come", response_class=Response, responses=EVENTS)
async def events(task_id: Id, request: Request, caller: Admin, last_event_id: LastEvent = 0) -> Response:
    return follow(request, caller, request.app.state.tasks.of(task_id).feed, last_event_id)
