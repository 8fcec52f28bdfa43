"""A backup as a download: made as a task, then sent. Restoring is left to the command line.

It stays here until it is removed, another is made, or the server stops or starts. A restore fills an empty data folder
in which no server runs: the one that could be asked is the one that holds the records to be replaced.
"""

from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse

from inkseal.core.errors import UnknownName
from inkseal.core.types import Closed
from inkseal.serve import audit
from inkseal.serve.backup_work import backup_file, making
from inkseal.serve.callers import Admin
from inkseal.serve.tasks import TaskFacts

router = APIRouter(prefix="/api/v1/backups", tags=["backup"])
Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The task that made it.")]
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}
SUBJECT = "backup"


class BackupOptions(Closed):
    """What goes into it besides records, artifacts, keys and settings."""

    models: bool = False
    allow_damaged: bool = False


@router.post("", summary="Make a backup, or join the one being made", status_code=202)
def make(options: BackupOptions, request: Request, caller: Admin) -> TaskFacts:
    state = request.app.state
    facts: TaskFacts = state.tasks.start(
        "backup",
        SUBJECT,
        making(state.studio.settings.data_dir, models=options.models, allow_damaged=options.allow_damaged),
    )
    audit.note(state.studio.store, caller.key_id, "backup_made", "", request.state.request_id)
    return facts


@router.get("/{task_id}", summary="Download a backup", response_class=Response, responses=ZIP)
def take(task_id: Id, request: Request, caller: Admin) -> Response:
    state = request.app.state
    facts, path = _made(request, task_id)
    audit.note(state.studio.store, caller.key_id, "backup_taken", "", request.state.request_id)
    name = f"inkseal-{facts.started_at:%Y%m%d-%H%M%S}.zip"
    return FileResponse(path, media_type="application/zip", filename=name)


@router.delete("/{task_id}", summary="Remove a backup from the server", status_code=204)
def remove(task_id: Id, request: Request, caller: Admin) -> None:
    facts, path = _made(request, task_id)
    path.unlink(missing_ok=True)
    request.app.state.tasks.of(task_id).facts = facts.model_copy(update={"result": facts.result | {"file": ""}})


def _made(request: Request, task_id: str) -> tuple[TaskFacts, FilePath]:
    """Returns a backup that lies here.

    Raises:
        UnknownName: there is none of that task.
    """
    state = request.app.state
    facts: TaskFacts = state.tasks.of(task_id).facts
    path = backup_file(state.studio.settings.data_dir, str(facts.result.get("file")))
    if facts.kind != "backup" or not path.is_file():
        raise UnknownName("task", task_id, ())
    return facts, path
