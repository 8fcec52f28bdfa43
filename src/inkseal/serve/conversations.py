"""Conversations that clients continue by the id of an answer. In memory alone: the words of prompts go on no disk.

What is kept is bounded; the oldest goes first, and a restart forgets all.
"""

import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

from inkseal.core.types import Message

MAX_CONVERSATIONS = 2_000
MAX_CHARS = 64_000_000
MAX_AGE_SECONDS = 24 * 3600.0


class Kept(NamedTuple):
    """One answer, with all that was said up to it.

    Attributes:
        owner: for whom it exists.
        messages: the conversation with the answer, without instructions.
        body: the answer as it was given.
        input_items: what the client had put in.
    """

    owner: str
    messages: tuple[Message, ...]
    body: dict[str, Any]
    input_items: list[dict[str, Any]]
    num_chars: int
    kept_at: float


class Conversations:
    """Answers by id. Safe for several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._num_chars = 0
        self._lock = threading.Lock()

    def keep(
        self,
        answer_id: str,
        owner: str,
        messages: tuple[Message, ...],
        body: dict[str, Any],
        input_items: list[dict[str, Any]],
    ) -> None:
        """Keeps an answer; others may have to go for it."""
        num_chars = sum(len(message.text) for message in messages)
        with self._lock:
            self._kept[answer_id] = Kept(owner, messages, body, input_items, num_chars, time.monotonic())
            self._num_chars += num_chars
            while len(self._kept) > MAX_CONVERSATIONS or (self._num_chars > MAX_CHARS and len(self._kept) > 1):
                self._forget(next(iter(self._kept)))

    def find(self, answer_id: str, owner: str) -> Kept | None:
        """Returns the answer, if there is one of this owner."""
        with self._lock:
            found = self._kept.get(answer_id)
            if found is not None and time.monotonic() - found.kept_at > MAX_AGE_SECONDS:
                self._forget(answer_id)
                found = None
            return found if found is not None and found.owner == owner else None

    def forget(self, answer_id: str, owner: str) -> bool:
        """Forgets an answer; returns whether there was one of this owner."""
        with self._lock:
            found = self._kept.get(answer_id)
            if found is None or found.owner != owner:
                return False
            self._forget(answer_id)
            return True

    def _forget(self, answer_id: str) -> None:
        self._num_chars -= self._kept.pop(answer_id).num_chars
