"""What clients continue by id: bounded, and of its owner alone."""

import pytest

from inkseal.core.types import Message
from inkseal.serve import conversations
from inkseal.serve.conversations import Conversations


def keep(kept: Conversations, name: str, owner: str = "ann", text: str = "x") -> None:
    kept.keep(name, owner, (Message.of("user", text),), {"id": name}, [])


def test_an_answer_exists_for_its_owner_alone() -> None:
    kept = Conversations()
    keep(kept, "one")
    assert kept.find("one", "bob") is None
    assert not kept.forget("one", "bob")
    found = kept.find("one", "ann")
    assert found is not None
    assert found.body == {"id": "one"}
    assert kept.forget("one", "ann")
    assert kept.find("one", "ann") is None


def test_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_CONVERSATIONS", 2)
    kept = Conversations()
    for name in ("one", "two", "three"):
        keep(kept, name)
    assert [name for name in ("one", "two", "three") if kept.find(name, "ann")] == ["two", "three"]


def test_long_ones_make_room_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_CHARS", 100)
    kept = Conversations()
    keep(kept, "one", text="x" * 60)
    keep(kept, "two", text="x" * 60)
    assert kept.find("one", "ann") is None
    assert kept.find("two", "ann") is not None


def test_age_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_AGE_SECONDS", -1)
    kept = Conversations()
    keep(kept, "one")
    assert kept.find("one", "ann") is None
