"""Keeps the conversations of the web studio: each its owner's alone, a tree of turns that only grows.

Two pages that write the same conversation add turns beside each other; neither can undo the other's.
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from inkseal.core.errors import InvalidRequest, UnknownName
from inkseal.core.language import say
from inkseal.core.types import ArtifactId, Closed, FinishReason, Part, ToolCall, now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from inkseal.store.records import ConversationRow

MAX_TURNS = 5_000
MAX_CONVERSATIONS = 20_000
Title = Annotated[str, StringConstraints(max_length=200)]


class Turn(Closed):
    """One turn. An answer names the run that made it and holds none of its words.

    Attributes:
        parent: the turn before it; several turns with one parent are branches.
        asked: how an answer was asked for: model, sampling, constraint.
        finish_reason: why an answer ended; None while it goes on, or when it failed.
        error: what went wrong, in words.
    """

    id: ArtifactId
    parent: ArtifactId | None = None
    role: Literal["user", "assistant", "tool"]
    parts: tuple[Part, ...] = Field((), max_length=64)
    tool_calls: tuple[ToolCall, ...] = Field((), max_length=128)
    tool_call_id: str | None = Field(None, max_length=200)
    run_id: ArtifactId | None = None
    asked: dict[str, Any] = {}
    finish_reason: FinishReason | None = None
    error: str = Field("", max_length=2_000)
    created_at: datetime


class Conversation(Closed):
    """A conversation without its turns."""

    id: ArtifactId
    title: Title = ""
    settings: dict[str, Any] = {}
    created_at: datetime
    updated_at: datetime


def save(session: "Session", owner: str, conversation_id: str, title: str, settings: dict[str, Any]) -> Conversation:
    """Makes a conversation, or gives it another title and other settings.

    Raises:
        UnknownName: it is somebody else's.
        InvalidRequest: the owner has too many.
    """
    from sqlalchemy import func, select

    from inkseal.store.records import ConversationRow

    row = session.get(ConversationRow, conversation_id)
    if row is None:
        mine = select(func.count()).select_from(ConversationRow).where(ConversationRow.owner == owner)
        if (session.scalar(mine) or 0) >= MAX_CONVERSATIONS:
            raise _too_many()
        row = ConversationRow(id=conversation_id, owner=owner, created_at=now())
        session.add(row)
    elif row.owner != owner:
        raise _unknown(conversation_id)
    row.title, row.settings, row.updated_at = title, json.dumps(settings), now()
    session.flush()
    return _conversation(row)


def change(
    session: "Session",
    owner: str,
    conversation_id: str,
    *,
    title: str | None = None,
    settings: dict[str, Any] | None = None,
) -> Conversation:
    """Changes what is given of a conversation, and makes none: what another page deleted stays deleted.

    Raises:
        UnknownName: this owner has none of that id.
    """
    row = _row(session, owner, conversation_id)
    row.title = row.title if title is None else title
    row.settings = row.settings if settings is None else json.dumps(settings)
    row.updated_at = now()
    session.flush()
    return _conversation(row)


def newest(session: "Session", owner: str, *, limit: int = 50, before: str | None = None) -> list[Conversation]:
    """Returns an owner's conversations, the last changed first; `before` is the id the last page ended with."""
    from sqlalchemy import and_, or_, select

    from inkseal.store.records import ConversationRow

    when = ConversationRow.updated_at
    query = select(ConversationRow).where(ConversationRow.owner == owner)
    if before is not None:
        last = _row(session, owner, before)
        earlier = and_(when == last.updated_at, ConversationRow.id < last.id)
        query = query.where(or_(when < last.updated_at, earlier))
    query = query.order_by(when.desc(), ConversationRow.id.desc()).limit(limit)
    return [_conversation(row) for row in session.scalars(query)]


def get(session: "Session", owner: str, conversation_id: str) -> tuple[Conversation, list[Turn]]:
    """Returns a conversation and its turns, oldest first.

    Raises:
        UnknownName: this owner has none of that id.
    """
    from sqlalchemy import select

    from inkseal.store.records import TurnRow

    row = _row(session, owner, conversation_id)
    query = select(TurnRow.body).where(TurnRow.conversation_id == conversation_id).order_by(TurnRow.id)
    return _conversation(row), [Turn.model_validate_json(body) for body in session.scalars(query)]


def put(session: "Session", owner: str, conversation_id: str, turn: Turn) -> Turn:
    """Adds a turn, or says of one how its answer went on; returns what is kept.

    The words, the place and a run that is named stay what they were; an end stays the first that was told.

    Raises:
        UnknownName: this owner has no such conversation.
        InvalidRequest: the conversation is full.
    """
    from sqlalchemy import func, select

    from inkseal.store.records import TurnRow

    conversation = _row(session, owner, conversation_id)
    row = session.get(TurnRow, (conversation_id, turn.id))
    if row is None:
        count = select(func.count()).select_from(TurnRow).where(TurnRow.conversation_id == conversation_id)
        if (session.scalar(count) or 0) >= MAX_TURNS:
            raise _too_many()
        kept = turn
        session.add(TurnRow(conversation_id=conversation_id, id=turn.id, body=kept.model_dump_json()))
    else:
        kept = _further(Turn.model_validate_json(row.body), turn)
        row.body = kept.model_dump_json()
    conversation.updated_at = now()
    session.flush()
    return kept


def delete(session: "Session", owner: str, conversation_id: str) -> None:
    """Forgets a conversation and its turns; the artifacts stay.

    Raises:
        UnknownName: this owner has none of that id.
    """
    from sqlalchemy import delete as delete_rows

    from inkseal.store.records import TurnRow

    row = _row(session, owner, conversation_id)
    session.execute(delete_rows(TurnRow).where(TurnRow.conversation_id == conversation_id))
    session.delete(row)
    session.flush()


def _further(known: Turn, told: Turn) -> Turn:
    news = {
        "run_id": known.run_id or told.run_id,
        "tool_calls": known.tool_calls or told.tool_calls,
        "finish_reason": known.finish_reason or told.finish_reason,
        "error": known.error or told.error,
    }
    return known.model_copy(update=news)


def _row(session: "Session", owner: str, conversation_id: str) -> "ConversationRow":
    from inkseal.store.records import ConversationRow

    row = session.get(ConversationRow, conversation_id)
    if row is None or row.owner != owner:
        raise _unknown(conversation_id)
    return row


def _conversation(row: "ConversationRow") -> Conversation:
    return Conversation(
        id=row.id,
        title=row.title,
        settings=json.loads(row.settings),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _unknown(conversation_id: str) -> UnknownName:
    return UnknownName("conversation", conversation_id, ())


def _too_many() -> InvalidRequest:
    return InvalidRequest(
        say("There is no room for more.", "已达到数量上限。"),
        fix=say("Delete old conversations, or begin a new one.", "请删除旧对话，或新建对话。"),
    )
