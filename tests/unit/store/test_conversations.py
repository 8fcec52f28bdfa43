"""Conversations: each its owner's alone, a tree of turns that only grows."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkseal.core.errors import InvalidRequest, UnknownName
from inkseal.core.types import Part, ToolCall, new_id, now
from inkseal.store import conversations
from inkseal.store.conversations import Turn
from inkseal.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as found:
        yield found


def begin(store: Store, owner: str = "ann", title: str = "tea") -> str:
    number = new_id()
    with store.transaction() as session:
        conversations.save(session, owner, number, title, {"model": "echo"})
    return number


def turn(**facts: object) -> Turn:
    return Turn.model_validate({"id": new_id(), "role": "user", "created_at": now(), **facts})


def test_it_exists_for_its_owner_alone(store: Store) -> None:
    number = begin(store)
    said = turn(parts=(Part(text="hello"),))
    with store.transaction() as session:
        conversations.put(session, "ann", number, said)
    with store.reading() as session:
        found, turns = conversations.get(session, "ann", number)
        assert found.title == "tea"
        assert found.settings == {"model": "echo"}
        assert turns == [said]
        with pytest.raises(UnknownName):
            conversations.get(session, "bob", number)
        assert conversations.newest(session, "bob") == []
    for deed in (
        lambda session: conversations.save(session, "bob", number, "stolen", {}),
        lambda session: conversations.change(session, "bob", number, title="stolen"),
        lambda session: conversations.put(session, "bob", number, turn()),
        lambda session: conversations.delete(session, "bob", number),
    ):
        with pytest.raises(UnknownName), store.transaction() as session:
            deed(session)
    with store.reading() as session:
        assert conversations.get(session, "ann", number)[0].title == "tea"


def test_a_change_touches_only_what_it_names_and_makes_nothing(store: Store) -> None:
    number = begin(store)
    with store.transaction() as session:
        renamed = conversations.change(session, "ann", number, title="")
        other = conversations.change(session, "ann", number, settings={"model": "other"})
        same = conversations.change(session, "ann", number)
    assert (renamed.title, renamed.settings) == ("", {"model": "echo"})
    assert (other.title, other.settings) == (same.title, same.settings) == ("", {"model": "other"})
    with store.transaction() as session:
        conversations.delete(session, "ann", number)
    with pytest.raises(UnknownName), store.transaction() as session:
        conversations.change(session, "ann", number, title="back again")
    with store.reading() as session:
        assert conversations.newest(session, "ann") == []


def test_a_turn_is_completed_and_never_undone(store: Store) -> None:
    number = begin(store)
    first = turn(role="assistant", asked={"model": "echo"})
    run, other = new_id(), new_id()
    call = ToolCall(id="1", name="weather", arguments={})
    later = [
        first,
        first.model_copy(update={"run_id": run}),
        first.model_copy(update={"run_id": other, "finish_reason": "stop", "tool_calls": (call,)}),
        first.model_copy(update={"finish_reason": "cancelled", "error": "late", "parts": (Part(text="other words"),)}),
        first,
    ]
    for told in later:
        with store.transaction() as session:
            conversations.put(session, "ann", number, told)
    with store.reading() as session:
        kept = conversations.get(session, "ann", number)[1]
    assert kept == [
        first.model_copy(update={"run_id": run, "finish_reason": "stop", "tool_calls": (call,), "error": "late"})
    ]


def test_the_last_changed_comes_first_page_by_page(store: Store) -> None:
    numbers = [begin(store, title=str(count)) for count in range(5)]
    time.sleep(0.002)  # times are kept to the millisecond
    with store.transaction() as session:
        conversations.put(session, "ann", numbers[0], turn())
    seen: list[str] = []
    before = None
    while True:
        with store.reading() as session:
            page = conversations.newest(session, "ann", limit=2, before=before)
        if not page:
            break
        seen += [one.id for one in page]
        before = page[-1].id
    assert sorted(seen) == sorted(numbers)
    assert seen[0] == numbers[0]


def test_what_is_deleted_is_gone_with_its_words(store: Store, tmp_path: Path) -> None:
    number = begin(store)
    with store.transaction() as session:
        conversations.put(session, "ann", number, turn(parts=(Part(text="a secret of mine"),)))
        conversations.delete(session, "ann", number)
    with store.reading() as session, pytest.raises(UnknownName):
        conversations.get(session, "ann", number)


def test_there_is_an_end_to_what_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_TURNS", 2)
    monkeypatch.setattr(conversations, "MAX_CONVERSATIONS", 1)
    number = begin(store)
    with store.transaction() as session:
        for _ in range(2):
            conversations.put(session, "ann", number, turn())
    with pytest.raises(InvalidRequest), store.transaction() as session:
        conversations.put(session, "ann", number, turn())
    with pytest.raises(InvalidRequest):
        begin(store)
    begin(store, "bob")
