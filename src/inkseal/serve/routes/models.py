"""What models there are, which are here, what they take and how fast they are; and how to bring, load and remove them.

A model of one's own is imported on the command line only: a web page must not name folders of the server.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from inkseal.catalog.card import Card
from inkseal.catalog.catalog import Entry
from inkseal.catalog.providers import remote_facts
from inkseal.core.errors import InksealError, InUse, ModelMissing
from inkseal.core.language import say
from inkseal.core.protocols import LocalModel
from inkseal.core.types import Closed
from inkseal.serve import audit, model_work
from inkseal.serve.callers import Admin, AnyCaller, Caller
from inkseal.serve.capacity import LOADABLE, Need, need
from inkseal.serve.errors import Refused
from inkseal.serve.tasks import Kind, TaskFacts, Work
from inkseal.store import runs
from inkseal.store.runs import Pace

router = APIRouter(prefix="/api/v1/models", tags=["models"])
Name = Annotated[str, Path(max_length=100, description="Name or alias of a model.")]


class Source(Closed):
    """Where the files can come from; `online` sources are passed over when the installation is offline."""

    name: str
    where: str
    online: bool


class ModelFacts(Closed):
    """A model's card, whether it is here, what it takes, and how fast it was here.

    A provider's model has neither card nor files: nobody here can prove which weights answer.

    Attributes:
        here: its files are on this machine, or it needs none; never true of a provider's.
        provider: the service that answers, by its name in the settings.
        choices: what the model knows of a request's field that is open to any word, by the field's name.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    task: str
    modality: str = "text"
    format: str
    description: str
    limits: str
    languages: tuple[str, ...]
    parameters: int | None
    context_tokens: int
    licence: str
    licence_url: str
    size_bytes: int
    here: bool
    needs_files: bool
    source: str
    installed_at: datetime | None
    problem: str
    need: Need
    pace: Pace | None
    choices: dict[str, tuple[str, ...]] = {}
    provider: str | None = None


class ModelDetails(ModelFacts):
    """With the files and their hashes, and the sources in the order they are asked."""

    files: tuple[dict[str, Any], ...]
    sources: tuple[Source, ...]


class Done(Closed):
    """Whether there was anything to do."""

    model: str
    changed: bool


@router.get("", summary="List models")
def list_models(request: Request, caller: AnyCaller) -> tuple[ModelFacts, ...]:
    studio = request.app.state.studio
    with studio.store.reading() as session:
        paces = runs.paces(session)
    own = [_facts(studio, entry, paces) for entry in studio.catalog.list()]
    remote = [_remote(model, paces) for _, model in sorted(studio.catalog.remote.items())]
    return tuple(ModelFacts(**facts) for facts in [*own, *remote])


@router.get("/{name:path}", summary="A model's card")
def show(
    name: Annotated[str, Path(max_length=200, description="Name or alias of a model.")],
    request: Request,
    caller: AnyCaller,
) -> ModelDetails:
    studio = request.app.state.studio
    with studio.store.reading() as session:
        paces = runs.paces(session)
    if name in studio.catalog.remote:
        return ModelDetails(**_remote(studio.catalog.remote[name], paces), files=(), sources=())
    entry = studio.catalog.show(name)
    return ModelDetails(
        **_facts(studio, entry, paces),
        files=tuple(file.model_dump(mode="json") for file in entry.card.files),
        sources=tuple(map(_source, entry.card.sources)),
    )


@router.post("/{name}/pull", summary="Fetch a model, or join the fetching", status_code=202)
def pull(name: Name, request: Request, caller: Admin) -> TaskFacts:
    studio = request.app.state.studio
    card = studio.catalog.card(name)
    if not card.files:
        raise Refused(409, "nothing_to_fetch", say(f"{card.name} needs no files.", f"{card.name} 不需要文件。"))
    return _start(request, caller, "pull", card, model_work.pulling(studio, card))


@router.post("/{name}/load", summary="Load a model into memory", status_code=202)
def load(name: Name, request: Request, caller: Admin) -> TaskFacts:
    studio = request.app.state.studio
    card = _loadable(studio, name)
    return _start(request, caller, "load", card, model_work.loading(studio, card))


@router.post("/{name}/measure", summary="Measure a model's speed on this machine", status_code=202)
def measure(name: Name, request: Request, caller: Admin) -> TaskFacts:
    studio, queue = request.app.state.studio, request.app.state.queue
    card = _loadable(studio, name)
    if card.task != "generate":
        raise Refused(409, "not_measured", say("Only text models are measured.", "只测量文本模型。"))
    if queue.num_running:
        raise Refused(
            409,
            "others_run",
            say("Others are generating; a measurement now would be wrong.", "正在生成内容；此时测量结果不准。"),
        )
    return _start(request, caller, "measure", card, model_work.measuring(studio, card, lambda: queue.num_running > 0))


@router.post("/{name}/unload", summary="Free a model's memory")
def unload(name: Name, request: Request, caller: Admin) -> Done:
    card = request.app.state.studio.catalog.card(name)
    changed = _unload(request, card)
    if changed:
        audit.note(request.app.state.studio.store, caller.key_id, "model_unloaded", card.name, request.state.request_id)
    return Done(model=card.name, changed=changed)


@router.delete("/{name}", summary="Remove a model's files")
def remove(name: Name, request: Request, caller: Admin) -> Done:
    state = request.app.state
    card = state.studio.catalog.card(name)
    if state.tasks.running(card.name) is not None:
        raise _at_work(card.name)
    _unload(request, card)
    try:
        changed = state.studio.catalog.remove(card.name)
    except InUse:  # another process fetches it
        raise _at_work(card.name) from None
    if changed:
        audit.note(state.studio.store, caller.key_id, "model_removed", card.name, request.state.request_id)
    return Done(model=card.name, changed=changed)


def _start(request: Request, caller: Caller, kind: Kind, card: Card, work: Work) -> TaskFacts:
    state = request.app.state
    facts: TaskFacts = state.tasks.start(kind, card.name, work)
    audit.note(state.studio.store, caller.key_id, f"model_{kind}", card.name, request.state.request_id)
    return facts


def _loadable(studio: Any, name: str) -> Card:
    """Returns the card of a model that an engine can be made of.

    Raises:
        Refused: it is not here, or no model that runs.
    """
    card: Card = studio.catalog.card(name)
    if card.task not in LOADABLE:
        raise Refused(
            409, "not_loadable", say(f"{card.name} is no model that runs.", f"{card.name} 不是可运行的模型。")
        )
    try:
        studio.catalog.local(card.name, verify=False)
    except ModelMissing as error:
        raise Refused(409, "model_not_here", error.what) from None
    return card


def _unload(request: Request, card: Card) -> bool:
    """Frees the engines of a model; returns whether there were any.

    Raises:
        Refused: one of them is at work.
    """
    pool = request.app.state.studio.engines.pool
    own = [loaded for loaded in pool.state() if loaded.engine.model.name == card.name]
    for loaded in own:
        if not pool.unload(loaded.key) and loaded.key in pool.loaded():
            raise _at_work(card.name)
    return bool(own)


def _at_work(name: str) -> Refused:
    return Refused(
        409,
        "model_at_work",
        say(f"{name} is at work.", f"{name} 正在使用中。"),
        fix=say("Try again when it is done.", "请在其完成后重试。"),
    )


def _remote(model: LocalModel, paces: dict[str, Pace]) -> dict[str, Any]:
    told = {name: value for name, value in remote_facts(model).items() if name != "sha256"}
    nothing: dict[str, Any] = dict.fromkeys(("description", "limits", "licence_url", "source", "problem"), "")
    return (
        told
        | nothing
        | {
            "title": model.name,
            "aliases": (),
            "format": model.format,
            "languages": (),
            "parameters": None,
            "size_bytes": 0,
            "here": False,
            "needs_files": False,
            "installed_at": None,
            "need": Need(),
            "pace": paces.get(model.name),
        }
    )


def _facts(studio: Any, entry: Entry, paces: dict[str, Pace]) -> dict[str, Any]:
    card = entry.card
    return {
        "name": card.name,
        "title": str(card.title),
        "aliases": tuple(card.aliases),
        "task": card.task,
        "modality": card.modality,
        "format": card.format,
        "description": str(card.description),
        "limits": str(card.limits),
        "languages": tuple(card.languages),
        "parameters": card.parameters,
        "context_tokens": card.context_tokens,
        "licence": str(card.licence),
        "licence_url": card.licence.upstream_url,
        "size_bytes": card.size_bytes,
        "here": entry.installed is not None or not card.files,
        "needs_files": bool(card.files),
        "source": entry.installed.source if entry.installed else "",
        "installed_at": entry.installed.installed_at if entry.installed else None,
        "problem": entry.problem,
        "need": need(studio, entry),
        "pace": paces.get(card.name),
        "choices": card.profile.choices,
    }


def _source(entry: dict[str, Any]) -> Source:
    from inkseal.catalog.sources import sources

    name = str(entry["source"])
    parts = entry.get("parts") or [entry]
    words = dict.fromkeys(str(part[key]) for part in parts for key in ("repo", "package", "url") if key in part)
    shown = ", ".join(list(words)[:3]) + (f" … ({len(words)})" if len(words) > 3 else "")
    try:
        online = sources[name].online
    except InksealError:
        online = True
    return Source(name=name, where=shown, online=online)
