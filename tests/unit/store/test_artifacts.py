"""Artifact records: what goes in comes out, with parents, states and fingerprints."""

from collections.abc import Iterator

import pytest

from inkseal.core.errors import UnknownName
from inkseal.core.types import Artifact, new_id, now
from inkseal.store import artifacts
from inkseal.store.store import Store


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("artifacts")) as opened:
        yield opened


def _artifact(sha256: str = "0" * 64, parents: tuple[str, ...] = ()) -> Artifact:
    return Artifact(
        id=new_id(),
        modality="text",
        media_type="text/plain",
        sha256=sha256,
        size_bytes=3,
        created_at=now(),
        title="标题",
        parents=parents,
    )


def test_an_artifact_comes_back_equal_with_its_parents_in_order(store: Store) -> None:
    artifact = _artifact(parents=(new_id(), new_id(), new_id())[::-1])
    with store.transaction() as session:
        artifacts.add(session, artifact, model="tiny")
    with store.reading() as session:
        assert artifacts.get(session, artifact.id) == artifact
        assert artifacts.row(session, artifact.id).model == "tiny"


def test_an_unknown_artifact_is_named(store: Store) -> None:
    with store.reading() as session, pytest.raises(UnknownName, match="nobody"):
        artifacts.get(session, "nobody")


def test_pages_run_from_new_to_old_and_leave_out_the_deleted(store: Store) -> None:
    made = [_artifact() for _ in range(5)]
    with store.transaction() as session:
        for artifact in made:
            artifacts.add(session, artifact)
        artifacts.set_state(session, made[2].id, "deleted")
    ids = sorted((a.id for a in made if a != made[2]), reverse=True)
    with store.reading() as session:
        first = artifacts.newest(session, limit=3)
        rest = artifacts.newest(session, limit=3, before=first[-1].id)
    assert [a.id for a in first + rest] == ids


def test_artifacts_are_found_by_their_content(store: Store) -> None:
    same = [_artifact("a" * 64), _artifact("a" * 64)]
    with store.transaction() as session:
        for artifact in [*same, _artifact("b" * 64)]:
            artifacts.add(session, artifact)
    with store.reading() as session:
        assert artifacts.by_content(session, "a" * 64) == sorted(same, key=lambda a: a.id)


def test_fingerprints_meet_under_shared_keys_most_shared_first(store: Store) -> None:
    near, far, other = _artifact(), _artifact(), _artifact()
    with store.transaction() as session:
        for artifact, bands in ((near, b"abc"), (far, b"cde"), (other, b"xyz")):
            artifacts.add(session, artifact)
            keys = [bytes([band]) for band in bands]
            artifacts.add_fingerprints(session, artifact.id, {"k": artifact.id.encode()}, {"k": keys})
    with store.reading() as session:
        found = artifacts.meeting(session, "k", [b"a", b"b", b"c", b"c"])
        assert found == [(near.id, 3, near.id.encode()), (far.id, 1, far.id.encode())]
        assert artifacts.meeting(session, "another kind", [b"a"]) == []
        many = [number.to_bytes(8) for number in range(40_000)]
        assert artifacts.meeting(session, "k", [*many, b"x"]) == [(other.id, 1, other.id.encode())]
