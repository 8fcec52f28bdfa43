"""What was made: lists, stories, descents, contents, labelled files, deletion. Each caller's own."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime

from inkseal.core.types import Closed, Regime
from inkseal.serve import audit
from inkseal.serve.callers import AnyCaller, Creator
from inkseal.store import artifacts
from inkseal.store.artifacts import State
from inkseal.store.listing import Facet, Filters, Listed
from inkseal.studio.deletion import Deletion
from inkseal.studio.gallery import By, Descent, Found
from inkseal.studio.provenance.manifest import SignedManifest

router = APIRouter(prefix="/api/v1/artifacts", tags=["artifacts"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The artifact.")]
BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}

Steps = Annotated[bool, Query(description="Also the answers of an app's steps, of which its result is made.")]


def _filters(
    modality: Annotated[str, Query(max_length=32, description="Of this modality.")] = "",
    model: Annotated[str, Query(max_length=200, description="Made by this model.")] = "",
    app: Annotated[str, Query(max_length=200, description="Made by this application.")] = "",
    regime: Annotated[str, Query(max_length=16, description="Labelled by this regime.")] = "",
    verdict: Annotated[
        Literal["", "allow", "flag", "redact", "block"], Query(description="The strictest action of any check.")
    ] = "",
    check: Annotated[str, Query(max_length=64, description="This check did not simply allow it.")] = "",
    collection: Annotated[str, Query(max_length=26, description="In this collection.")] = "",
    since: Annotated[AwareDatetime | None, Query(description="Made at this moment or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Made before this moment.")] = None,
    state: Annotated[State, Query(description="In this state.")] = "active",
    steps: Steps = True,
) -> Filters:
    given = {name: value for name, value in locals().items() if value not in ("", None)}
    return Filters(**given)


class Facets(Closed):
    """The values that the filters of the list may take, each with how many artifacts have it."""

    modality: tuple[Facet, ...]
    model: tuple[Facet, ...]
    app: tuple[Facet, ...]
    regime: tuple[Facet, ...]
    verdict: tuple[Facet, ...]
    check: tuple[Facet, ...]
    meaning: bool
    """Whether a search by meaning is possible: the embedding model is here."""


@router.get("", summary="List or search artifacts")
def list_artifacts(
    request: Request,
    caller: AnyCaller,
    filters: Annotated[Filters, Depends(_filters)],
    query: Annotated[str, Query(max_length=1000, description="What to find; the newest when empty.")] = "",
    by: Annotated[By, Query(description="How to look for it: by its words, or by its meaning.")] = "words",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[
        str | None,
        Query(pattern=r"^([0-9a-z]{26}|[0-9]{1,6})$", description="`next` of the page before; or how many to skip."),
    ] = None,
) -> Found:
    gallery = request.app.state.studio.gallery
    found: Found = gallery.page(filters, query, by, limit=limit, before=before, owner=caller.sees)
    return found


@router.get("/facets", summary="What the list can be narrowed to")
def facets(request: Request, caller: AnyCaller, steps: Steps = True) -> Facets:
    studio = request.app.state.studio
    return Facets(
        **studio.gallery.facets(owner=caller.sees, steps=steps), meaning=studio.meaning.embedder() is not None
    )


@router.get("/{artifact_id}", summary="The story of an artifact")
def show(artifact_id: Id, request: Request, caller: AnyCaller) -> SignedManifest:
    found: SignedManifest = request.app.state.studio.manifest(artifact_id, owner=caller.sees)
    return found


@router.get("/{artifact_id}/listed", summary="An artifact as the list shows it")
def listed(artifact_id: Id, request: Request, caller: AnyCaller) -> Listed:
    found: Listed = request.app.state.studio.gallery.one(artifact_id, owner=caller.sees)
    return found


@router.get("/{artifact_id}/descent", summary="Where an artifact comes from, and what became of it")
def descent(artifact_id: Id, request: Request, caller: AnyCaller) -> Descent:
    found: Descent = request.app.state.studio.gallery.descent(artifact_id, owner=caller.sees)
    return found


@router.get("/{artifact_id}/deletion", summary="What a deletion removes, and what stays")
def account(artifact_id: Id, request: Request, caller: AnyCaller) -> Deletion:
    found: Deletion = request.app.state.studio.deleter.account(artifact_id, owner=caller.sees)
    return found


@router.delete("/{artifact_id}", summary="Delete an artifact; its ledger entries stay")
def delete(artifact_id: Id, request: Request, caller: Creator) -> Deletion:
    state = request.app.state
    found: Deletion = state.studio.deleter.delete(artifact_id, owner=caller.sees, by=caller.key_id)
    state.feeds.forget(artifact_id)
    state.app_runs.forget(artifact_id)
    audit.note(state.studio.store, caller.key_id, "deleted", artifact_id, request.state.request_id)
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
    format: Annotated[
        str, Query(pattern=r"^([a-z0-9_]{1,32})?$", description="A writer's name; the artifact's own when empty.")
    ] = "",
    regime: Annotated[Regime | None, Query(description="Labelling rules; the artifact's own when absent.")] = None,
) -> Response:
    studio = request.app.state.studio
    data, report = studio.export_bytes(artifact_id, format, regime, owner=caller.sees)
    audit.note(studio.store, caller.key_id, "exported", artifact_id, request.state.request_id)
    return _file(data, report.media_type, f"{artifact_id}.{report.format}", "attachment", artifact_id)


def _file(data: bytes, media_type: str, name: str, disposition: str, artifact_id: str) -> Response:
    # What a model wrote must never run here: it is saved, not shown, and the policy of every answer lets it do nothing.
    headers = {"Content-Disposition": f'{disposition}; filename="{name}"', "inkseal-artifact": artifact_id}
    return Response(data, media_type=media_type, headers=headers)
