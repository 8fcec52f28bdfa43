"""Conversations of the web studio, so that another device finds them. Each caller's own, also an admin's."""

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from inkseal.core.errors import InksealError, InvalidRequest, UnknownName
from inkseal.core.language import current_language, say
from inkseal.core.types import Artifact, Closed, FinishReason, Regime, Usage
from inkseal.modalities import modalities
from inkseal.serve.callers import AnyCaller, Caller, Creator
from inkseal.store import artifacts, conversations, runs
from inkseal.store.conversations import Conversation, Title, Turn
from inkseal.studio.provenance.regimes import visible_wordings
from inkseal.studio.studio import Studio

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])

Id = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The conversation.")]
TurnId = Annotated[str, Path(pattern=r"^[0-9a-z]{26}$", description="The turn.")]


class Heading(Closed):
    """What a conversation is called, and what it is asked with."""

    title: Title = ""
    settings: dict[str, Any] = {}


class Change(Closed):
    """What of a conversation is to be another; what is not given stays."""

    title: Title | None = None
    settings: dict[str, Any] | None = None


class ConversationPage(Closed):
    """Conversations, the last changed first; `next` is what to give as `before` for more."""

    conversations: tuple[Conversation, ...]
    next: str | None = None


class Answer(Closed):
    """What became of a run. The text is the artifact's; a deleted or withdrawn one has none."""

    run_id: str
    status: str
    error: str | None = None
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    model: str = ""
    artifact: Artifact | None = None
    state: str = ""
    label: str = ""
    """What the text must be shown with."""
    text: str = ""


class WholeConversation(Closed):
    """A conversation with all its turns, and what became of the runs they name."""

    conversation: Conversation
    turns: tuple[Turn, ...]
    answers: tuple[Answer, ...]


@router.get("", summary="List conversations")
def list_conversations(
    request: Request,
    caller: AnyCaller,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-z]{26}$", description="Where the last page ended.")] = None,
) -> ConversationPage:
    with request.app.state.studio.store.reading() as session:
        found = conversations.newest(session, caller.owner, limit=limit, before=before)
    return ConversationPage(conversations=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.put("/{conversation_id}", summary="Begin a conversation, or give it a whole new heading")
def save(conversation_id: Id, heading: Heading, request: Request, caller: Creator) -> Conversation:
    with request.app.state.studio.store.transaction() as session:
        return conversations.save(session, caller.owner, conversation_id, heading.title, heading.settings)


@router.patch("/{conversation_id}", summary="Rename a conversation, or ask with other settings")
def change(conversation_id: Id, given: Change, request: Request, caller: Creator) -> Conversation:
    with request.app.state.studio.store.transaction() as session:
        return conversations.change(session, caller.owner, conversation_id, title=given.title, settings=given.settings)


@router.get("/{conversation_id}", summary="A conversation with its turns")
def show(conversation_id: Id, request: Request, caller: AnyCaller) -> WholeConversation:
    studio = request.app.state.studio
    with studio.store.reading() as session:
        conversation, turns = conversations.get(session, caller.owner, conversation_id)
        named = dict.fromkeys(turn.run_id for turn in turns if turn.run_id)
        answers = [_answer(studio, session, run_id, caller) for run_id in named]
    return WholeConversation(
        conversation=conversation, turns=tuple(turns), answers=tuple(answer for answer in answers if answer)
    )


@router.delete("/{conversation_id}", summary="Forget a conversation; its artifacts stay", status_code=204)
def forget(conversation_id: Id, request: Request, caller: Creator) -> None:
    with request.app.state.studio.store.transaction() as session:
        conversations.delete(session, caller.owner, conversation_id)


@router.put("/{conversation_id}/turns/{turn_id}", summary="Add a turn, or say how its answer went on")
def put(conversation_id: Id, turn_id: TurnId, turn: Turn, request: Request, caller: Creator) -> Turn:
    if turn.id != turn_id:
        raise InvalidRequest(say("The turn's id is not the path's.", "轮次编号与路径不一致。"))
    with request.app.state.studio.store.transaction() as session:
        return conversations.put(session, caller.owner, conversation_id, turn)


def _answer(studio: Studio, session: "Session", run_id: str, caller: Caller) -> Answer | None:
    from inkseal.store.records import ManifestRow

    try:
        run = runs.get(session, run_id, owner=caller.sees)
    except UnknownName:
        return None
    known = Answer(run_id=run_id, status=run.status, error=run.error, usage=run.usage)
    if run.status == "running":  # its words are shown before there is an artifact
        known = known.model_copy(update={"label": _label(runs.regime(session, run_id) or studio.settings.regime)})
    try:
        row = artifacts.row(session, run_id, owner=caller.sees)  # a run's first result has the run's id
    except UnknownName:
        return known
    told = session.get(ManifestRow, run_id)
    manifest = json.loads(told.body) if told is not None else {}
    label = _label(manifest.get("regime", studio.settings.regime))
    facts: dict[str, Any] = {"artifact": artifacts.get(session, run_id), "state": row.state, "label": label}
    facts |= {"finish_reason": manifest.get("finish_reason"), "model": (manifest.get("model") or {}).get("name", "")}
    known = known.model_copy(update=facts)
    if row.state != "active":
        return known
    try:
        parts = modalities[row.modality]().parts(studio.store.blobs.get(row.sha256))
    except InksealError:  # a damaged content must not hide the rest of the conversation
        return known.model_copy(update={"state": "damaged"})
    return known.model_copy(update={"text": "".join(part.text for part in parts)})


def _label(regime: Regime) -> str:
    return " · ".join(visible_wordings(regime, current_language()))
