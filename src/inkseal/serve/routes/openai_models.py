"""The models that are here, as OpenAI's and Anthropic's clients list them; the request's headers tell which asks."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request

from inkseal.catalog.catalog import Entry
from inkseal.catalog.providers import remote_facts
from inkseal.core.errors import ModelMissing
from inkseal.core.language import say
from inkseal.core.protocols import LocalModel
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
_UNKNOWN_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""For models without a date of their own; clients insist on one."""


def error_shape(request: Request, refusal: Refusal) -> dict[str, Any]:
    """Returns an error in the shape of the protocol whose client asks."""
    return error_body(request, refusal) if _is_anthropic(request) else native_shape(request, refusal)


@router.get("/models", response_model=dict[str, Any])
async def list_models(http: Request, caller: AnyCaller) -> dict[str, Any]:
    """Lists the models that are on this machine and can be asked."""
    bodies = await call(_bodies, http)
    if _is_anthropic(http):
        ends = {"first_id": bodies[0]["id"], "last_id": bodies[-1]["id"]} if bodies else {}
        return {"data": bodies, "has_more": False, "first_id": None, "last_id": None} | ends
    return {"object": "list", "data": bodies}


@router.get("/models/{model:path}", response_model=dict[str, Any])
async def show_model(model: str, http: Request, caller: AnyCaller) -> dict[str, Any]:
    """Shows one model, by name or alias."""
    return await call(_one, http, model)


def _bodies(http: Request) -> list[dict[str, Any]]:
    studio = http.app.state.studio
    remote = [model for _, model in sorted(studio.catalog.remote.items()) if model.task in TASKS]
    return [_body(http, entry, entry.card.name) for entry in _here(studio)] + [_remote(http, model) for model in remote]


def _here(studio: Studio) -> list[Entry]:
    """Returns the models that are here; those without files need none."""
    return [
        entry
        for entry in studio.catalog.list()
        if entry.card.task in TASKS and not entry.problem and (entry.installed or not entry.card.files)
    ]


def _one(http: Request, name: str) -> dict[str, Any]:
    studio = http.app.state.studio
    known = known_model(studio, name)
    if known in studio.catalog.remote:
        return _remote(http, studio.catalog.remote[known])
    for entry in _here(studio):
        if entry.card.name == known:
            return _body(http, entry, name)
    raise ModelNotFound(ModelMissing(say(f"{name[:80]!r} answers nothing.", f"{name[:80]!r} 不能用于问答。")))


def _body(http: Request, entry: Entry, name: str) -> dict[str, Any]:
    since = entry.installed.installed_at if entry.installed else _UNKNOWN_SINCE
    card = entry.card
    if _is_anthropic(http):
        return _anthropic_body(name, str(card.title), since, card.context_tokens)
    facts: dict[str, Any] = {"title": str(card.title), "task": card.task, "context_tokens": card.context_tokens or None}
    facts |= {"name": card.name, "aliases": card.aliases, "languages": card.languages}
    return {"id": name, "object": "model", "created": int(since.timestamp()), "owned_by": "inkseal", "inkseal": facts}


def _remote(http: Request, model: LocalModel) -> dict[str, Any]:
    facts = remote_facts(model)
    if _is_anthropic(http):
        return _anthropic_body(model.name, model.name, _UNKNOWN_SINCE, model.context_tokens) | {"inkseal": facts}
    head = {"id": model.name, "object": "model", "created": int(_UNKNOWN_SINCE.timestamp())}
    return head | {"owned_by": facts["provider"], "inkseal": facts}


def _anthropic_body(name: str, title: str, since: datetime, context_tokens: int) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": title,
        "created_at": since.isoformat(),
        "lifecycle": "active",
        "max_input_tokens": context_tokens or None,
    }


def _is_anthropic(http: Request) -> bool:
    return "anthropic-version" in http.headers
