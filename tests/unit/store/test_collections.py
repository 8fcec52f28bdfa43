"""Collections belong to one owner; what is in them stays when they go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inkseal.core.errors import InvalidRequest, UnknownName
from inkseal.core.types import Artifact, new_id, now
from inkseal.store import artifacts, collections
from inkseal.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def _add(store: Store, owner: str = "ann") -> str:
    facts = {"modality": "text", "media_type": "text/plain", "sha256": "0" * 64, "size_bytes": 1}
    artifact = Artifact(id=new_id(), created_at=now(), **facts)
    with store.transaction() as session:
        artifacts.add(session, artifact, owner=owner)
    return artifact.id


def test_a_collection_is_made_filled_renamed_and_removed(store: Store) -> None:
    mine = _add(store)
    with store.transaction() as session:
        made = collections.create(session, "  Rain \n in  Jiangnan ", owner="ann")
        assert made.name == "Rain in Jiangnan"
        collections.put_in(session, made.id, mine, owner="ann")
        collections.put_in(session, made.id, mine, owner="ann")
        collections.rename(session, made.id, "雨", owner="ann")
        (listed,) = collections.listed(session, owner="ann")
        assert (listed.name, listed.num_artifacts) == ("雨", 1)
        collections.take_out(session, made.id, mine, owner="ann")
        collections.take_out(session, made.id, mine, owner="ann")
        assert collections.listed(session)[0].num_artifacts == 0
        collections.put_in(session, made.id, mine)
        collections.remove(session, made.id, owner="ann")
        assert collections.listed(session) == []
        assert artifacts.get(session, mine).id == mine


def test_another_owners_collections_and_artifacts_do_not_exist(store: Store) -> None:
    mine, theirs = _add(store), _add(store, "bob")
    with store.transaction() as session:
        made = collections.create(session, "x", owner="ann")
    with store.transaction() as session:
        assert collections.listed(session, owner="bob") == []
        for deed in (
            lambda: collections.rename(session, made.id, "y", owner="bob"),
            lambda: collections.remove(session, made.id, owner="bob"),
            lambda: collections.put_in(session, made.id, theirs, owner="bob"),
            lambda: collections.take_out(session, made.id, theirs, owner="bob"),
            lambda: collections.put_in(session, "0" * 26, mine, owner="ann"),
        ):
            with pytest.raises(UnknownName) as caught:
                deed()
            assert caught.value.kind == "collection"
        for deed in (
            lambda: collections.put_in(session, made.id, theirs, owner="ann"),
            lambda: collections.take_out(session, made.id, theirs, owner="ann"),
        ):
            with pytest.raises(UnknownName) as caught:
                deed()
            assert caught.value.kind == "artifact"
        collections.put_in(session, made.id, theirs)  # an admin may


@pytest.mark.parametrize("name", ["", " \n ", "x" * 101])
def test_a_name_has_a_length(store: Store, name: str) -> None:
    with store.transaction() as session, pytest.raises(InvalidRequest):
        collections.create(session, name)


def test_there_is_a_number_beyond_which_there_are_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collections, "MAX_COLLECTIONS", 2)
    with store.transaction() as session:
        for _ in range(2):
            collections.create(session, "x", owner="ann")
        with pytest.raises(InvalidRequest, match="2 collections"):
            collections.create(session, "x", owner="ann")
        collections.create(session, "x", owner="bob")
