"""What was made: lists, stories, contents and labelled files. Each caller's own; an admin's are all."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from inkseal.core.types import Artifact, Closed, Regime
from inkseal.serve import audit
from inkseal.serve.callers import AnyCaller
from inkseal.store import artifacts
from inkseal.studio.provenance.manifest import SignedManifest

router = APIRouter(prefix="/api/v1/artifacts", tags=["artifacts"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The artifact.")]
BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


class Page(Closed):
    """Artifacts, newest or best first; `next` is what to give as `before` for more."""

    artifacts: tuple[Artifact, ...]
    next: str | None = None


@router.get("", summary="List or search artifacts")
def list_artifacts(
    request: Request,
    caller: AnyCaller,
    query: Annotated[str, Query(max_length=1000, description="Words to find; the newest when empty.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-z]{26}$", description="Where the last page ended.")] = None,
) -> Page:
    studio = request.app.state.studio
    if query.strip():
        return Page(artifacts=tuple(studio.search(query, limit, owner=caller.sees)))
    with studio.store.reading() as session:
        found = artifacts.newest(session, limit=limit, before=before, owner=caller.sees)
    return Page(artifacts=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.get("/{artifact_id}", summary="The story of an artifact")
def show(artifact_id: Id, request: Request, caller: AnyCaller) -> SignedManifest:
    found: SignedManifest = request.app.state.studio.manifest(artifact_id, owner=caller.sees)
    return found


@router.get("/{artifact_id}/content", summary="The content, unaltered", response_class=Response, responses=BYTES)
def content(artifact_id: Id, request: Request, caller: AnyCaller) -> Response:
    studio = request.app.state.studio
    with studio.store.reading() as session:
        row = artifacts.row(session, artifact_id, owner=caller.sees)
    media_type = row.media_type if row.media_type.startswith(("image/", "audio/", "video/")) else "text/plain"
    data = b"" if row.state == "withdrawn" else studio.content(artifact_id, owner=caller.sees)
    return _file(data, media_type, artifact_id, "attachment", artifact_id)


@router.get("/{artifact_id}/export", summary="A labelled file", response_class=Response, responses=BYTES)
def export(
    artifact_id: Id,
    request: Request,
    caller: AnyCaller,
    format: Annotated[str, Query(pattern=r"^[a-z0-9_]{1,32}$", description="A writer's name.")] = "markdown",
    regime: Annotated[Regime | None, Query(description="Labelling rules; the artifact's own when absent.")] = None,
) -> Response:
    studio = request.app.state.studio
    data, report = studio.export_bytes(artifact_id, format, regime, owner=caller.sees)
    audit.note(studio.store, caller.key_id, "exported", artifact_id, request.state.request_id)
    return _file(data, report.media_type, f"{artifact_id}.{format}", "attachment", artifact_id)


def _file(data: bytes, media_type: str, name: str, disposition: str, artifact_id: str) -> Response:
    # What a model wrote must never run here: it is saved, not shown, and the policy of every answer lets it do nothing.
    headers = {"Content-Disposition": f'{disposition}; filename="{name}"', "inkseal-artifact": artifact_id}
    return Response(data, media_type=media_type, headers=headers)
