"""What models there are, and which are here."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from inkseal.core.types import Closed
from inkseal.serve.callers import AnyCaller

router = APIRouter(prefix="/api/v1/models", tags=["models"])


class ModelFacts(Closed):
    """A model's card in short; the files and their hashes with `GET` of one model."""

    name: str
    title: str
    aliases: tuple[str, ...]
    task: str
    context_tokens: int
    licence: str
    size_bytes: int
    here: bool
    problem: str


class ModelDetails(ModelFacts):
    """A model's card."""

    description: str
    limits: str
    languages: tuple[str, ...]
    files: tuple[dict[str, Any], ...]


@router.get("", summary="List models")
def list_models(request: Request, caller: AnyCaller) -> tuple[ModelFacts, ...]:
    return tuple(ModelFacts(**_facts(entry)) for entry in request.app.state.studio.catalog.list())


@router.get("/{name}", summary="A model's card")
def show(name: Annotated[str, Path(max_length=100)], request: Request, caller: AnyCaller) -> ModelDetails:
    entry = request.app.state.studio.catalog.show(name)
    card = entry.card
    return ModelDetails(
        **_facts(entry),
        description=str(card.description),
        limits=str(card.limits),
        languages=tuple(card.languages),
        files=tuple(file.model_dump(mode="json") for file in card.files),
    )


def _facts(entry: Any) -> dict[str, Any]:
    card = entry.card
    return {
        "name": card.name,
        "title": str(card.title),
        "aliases": tuple(card.aliases),
        "task": card.task,
        "context_tokens": card.context_tokens,
        "licence": str(card.licence),
        "size_bytes": card.size_bytes,
        "here": entry.installed is not None or not card.files,
        "problem": entry.problem,
    }
