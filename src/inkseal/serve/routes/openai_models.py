"""The models that are here, as OpenAI's and Anthropic's clients list them; the request's headers tell which asks."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request

from inkseal.catalog.catalog import Entry
from inkseal.core.errors import ModelMissing
from inkseal.core.language import say
from inkseal.serve.bridge import call
from inkseal.serve.callers import AnyCaller
from inkseal.serve.errors import Refusal, native_shape
from inkseal.serve.routes._anthropic_answer import error_body
from inkseal.serve.routes._asking import ModelNotFound, known_model
from inkseal.serve.routes._openai_fields import ERRORS
from inkseal.serve.routes._protocol import ProtocolRoute
from inkseal.studio.studio import Studio

router = APIRouter(prefix="/v1", tags=["openai", "anthropic"], route_class=ProtocolRoute, responses=ERRORS)
TASKS = ("generate", "embed")


def error_shape(request: Request, refusal: Refusal) -> dict[str, Any]:
    """Returns an error in the shape of the protocol whose client asks."""
    return error_body(request, refusal) if _is_anthropic(request) else native_shape(request, refusal)


@router.get("/models", response_model=dict[str, Any])
async def list_models(http: Request, caller: AnyCaller) -> dict[str, Any]:
    """Lists the models that are on this machine and can be asked."""
    entries = await call(_here, http.app.state.studio)
    bodies = [_body(http, entry, entry.card.name) for entry in entries]
    if _is_anthropic(http):
        ends = {"first_id": bodies[0]["id"], "last_id": bodies[-1]["id"]} if bodies else {}
        return {"data": bodies, "has_more": False, "first_id": None, "last_id": None} | ends
    return {"object": "list", "data": bodies}


@router.get("/models/{model:path}", response_model=dict[str, Any])
async def show_model(model: str, http: Request, caller: AnyCaller) -> dict[str, Any]:
    """Shows one model, by name or alias."""
    return _body(http, await call(_one, http.app.state.studio, model), model)


def _here(studio: Studio) -> list[Entry]:
    """Returns the models that are here; those without files need none."""
    return [
        entry
        for entry in studio.catalog.list()
        if entry.card.task in TASKS and not entry.problem and (entry.installed or not entry.card.files)
    ]


def _one(studio: Studio, name: str) -> Entry:
    known = known_model(studio, name)
    for entry in _here(studio):
        if entry.card.name == known:
            return entry
    raise ModelNotFound(ModelMissing(say(f"{name[:80]!r} answers nothing.", f"{name[:80]!r} 不能用于问答。")))


def _body(http: Request, entry: Entry, name: str) -> dict[str, Any]:
    since = entry.installed.installed_at if entry.installed else datetime(2026, 1, 1, tzinfo=UTC)
    card = entry.card
    if _is_anthropic(http):
        return {
            "type": "model",
            "id": name,
            "display_name": str(card.title),
            "created_at": since.isoformat(),
            "lifecycle": "active",
            "max_input_tokens": card.context_tokens or None,
        }
    facts: dict[str, Any] = {"title": str(card.title), "task": card.task, "context_tokens": card.context_tokens or None}
    facts |= {"name": card.name, "aliases": card.aliases, "languages": card.languages}
    return {"id": name, "object": "model", "created": int(since.timestamp()), "owned_by": "inkseal", "inkseal": facts}


def _is_anthropic(http: Request) -> bool:
    return "anthropic-version" in http.headers
