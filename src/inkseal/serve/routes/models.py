"""What models there are, and which are here."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from inkseal.catalog.providers import remote_facts
from inkseal.core.protocols import LocalModel
from inkseal.core.types import Closed
from inkseal.serve.callers import AnyCaller

router = APIRouter(prefix="/api/v1/models", tags=["models"])


class ModelFacts(Closed):
    """A model's card in short; the files and their hashes with `GET` of one model.

    A provider's model has neither card nor files: nobody here can prove which weights answer.

    Attributes:
        here: its files are on this machine, or it needs none; never true of a provider's.
        provider: the service that answers, by its name in the settings.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    task: str
    context_tokens: int
    licence: str
    size_bytes: int
    here: bool
    problem: str
    provider: str | None = None


class ModelDetails(ModelFacts):
    """A model's card."""

    description: str
    limits: str
    languages: tuple[str, ...]
    files: tuple[dict[str, Any], ...]


@router.get("", summary="List models")
def list_models(request: Request, caller: AnyCaller) -> tuple[ModelFacts, ...]:
    catalog = request.app.state.studio.catalog
    remote = [_remote(model) for _, model in sorted(catalog.remote.items())]
    return tuple(ModelFacts(**facts) for facts in [*map(_facts, catalog.list()), *remote])


@router.get("/{name:path}", summary="A model's card")
def show(name: Annotated[str, Path(max_length=200)], request: Request, caller: AnyCaller) -> ModelDetails:
    catalog = request.app.state.studio.catalog
    if name in catalog.remote:
        return ModelDetails(**_remote(catalog.remote[name]), description="", limits="", languages=(), files=())
    entry = catalog.show(name)
    card = entry.card
    return ModelDetails(
        **_facts(entry),
        description=str(card.description),
        limits=str(card.limits),
        languages=tuple(card.languages),
        files=tuple(file.model_dump(mode="json") for file in card.files),
    )


def _remote(model: LocalModel) -> dict[str, Any]:
    facts = {name: value for name, value in remote_facts(model).items() if name != "sha256"}
    return facts | {"title": model.name, "aliases": (), "size_bytes": 0, "here": False, "problem": ""}


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
