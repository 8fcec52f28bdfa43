"""Conversations that clients continue by the id of an answer: in the records, for their owner alone, for a day.

What is kept is bounded; the oldest goes first.
"""

from typing import Any

from inkseal.core.types import Closed, Message
from inkseal.store.kept import Keep
from inkseal.store.store import Store

KIND = "response"
MAX_CONVERSATIONS = 2_000
MAX_BYTES = 64_000_000
MAX_AGE_SECONDS = 24 * 3600.0


class Kept(Closed):
    """One answer, with all that was said up to it.

    Attributes:
        messages: the conversation with the answer, without instructions.
        body: the answer as it was given.
        input_items: what the client had put in.
    """

    messages: tuple[Message, ...]
    body: dict[str, Any]
    input_items: list[dict[str, Any]]


class Conversations:
    """Answers by id. Safe for several threads."""

    def __init__(self, store: Store) -> None:
        limits = {"max_items": MAX_CONVERSATIONS, "max_bytes": MAX_BYTES}
        self._keep = Keep(store, KIND, seconds=MAX_AGE_SECONDS, **limits)

    def keep(self, answer_id: str, owner: str, kept: Kept) -> None:
        """Keeps an answer; others may have to go for it.

        Raises:
            InksealError: the records take nothing now.
        """
        self._keep.put(owner, answer_id, kept.model_dump_json().encode())

    def find(self, answer_id: str, owner: str) -> Kept | None:
        """Returns the answer, if there is one of this owner."""
        body = self._keep.get(owner, answer_id)
        return None if body is None else Kept.model_validate_json(body)

    def forget(self, answer_id: str, owner: str) -> bool:
        """Forgets an answer; returns whether there was one of this owner."""
        return self._keep.remove(owner, answer_id)
