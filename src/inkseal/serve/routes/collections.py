"""Collections: named sets of artifacts, each caller's own."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from inkseal.core.types import Closed
from inkseal.serve.callers import AnyCaller, Creator
from inkseal.store import collections
from inkseal.store.collections import MAX_NAME_CHARS, Collection

router = APIRouter(prefix="/api/v1/collections", tags=["artifacts"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The collection.")]
ArtifactId = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The artifact.")]


class Naming(Closed):
    """What a collection is called."""

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARS)


@router.get("", summary="List collections")
def list_collections(request: Request, caller: AnyCaller) -> tuple[Collection, ...]:
    with request.app.state.studio.store.reading() as session:
        return tuple(collections.listed(session, owner=caller.sees))


@router.post("", summary="Make a collection", status_code=201)
def create(naming: Naming, request: Request, caller: Creator) -> Collection:
    with request.app.state.studio.store.transaction() as session:
        return collections.create(session, naming.name, owner=caller.owner)


@router.put("/{collection_id}", summary="Rename a collection", status_code=204)
def rename(collection_id: Id, naming: Naming, request: Request, caller: Creator) -> None:
    with request.app.state.studio.store.transaction() as session:
        collections.rename(session, collection_id, naming.name, owner=caller.sees)


@router.delete("/{collection_id}", summary="Remove a collection; its artifacts stay", status_code=204)
def remove(collection_id: Id, request: Request, caller: Creator) -> None:
    with request.app.state.studio.store.transaction() as session:
        collections.remove(session, collection_id, owner=caller.sees)


@router.put("/{collection_id}/artifacts/{artifact_id}", summary="Put an artifact in", status_code=204)
def put_in(collection_id: Id, artifact_id: ArtifactId, request: Request, caller: Creator) -> None:
    with request.app.state.studio.store.transaction() as session:
        collections.put_in(session, collection_id, artifact_id, owner=caller.sees)


@router.delete("/{collection_id}/artifacts/{artifact_id}", summary="Take an artifact out", status_code=204)
def take_out(collection_id: Id, artifact_id: ArtifactId, request: Request, caller: Creator) -> None:
    with request.app.state.studio.store.transaction() as session:
        collections.take_out(session, collection_id, artifact_id, owner=caller.sees)
