"""What is kept for a while: of its owner alone, bounded, and gone in time."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from inkseal.core.clock import steady
from inkseal.store import kept, schema
from inkseal.store.kept import Keep
from inkseal.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def room(store: Store, **limits: float) -> Keep:
    return Keep(store, "x", **{"seconds": 60, "max_items": 100, "max_bytes": 10_000} | limits)  # type: ignore[arg-type]


def test_it_is_there_for_its_owner_until_it_is_removed(store: Store) -> None:
    keep = room(store)
    keep.put("ann", "one", b"\0words")
    assert keep.get("ann", "one") == b"\0words"
    assert keep.get("bob", "one") is None
    assert Keep(store, "y", seconds=60, max_items=1, max_bytes=1).get("ann", "one") is None
    keep.put("bob", "one", b"other")
    keep.put("ann", "one", b"again")
    assert (keep.get("ann", "one"), keep.get("bob", "one")) == (b"again", b"other")
    assert not keep.remove("eve", "one")
    assert keep.remove("ann", "one")
    assert not keep.remove("ann", "one")
    assert keep.get("ann", "one") is None


def test_the_oldest_goes_first_by_number_and_by_size(store: Store) -> None:
    few = room(store, max_items=2 * kept.OWNER_SHARE, max_bytes=10**9)
    for name in ("one", "two", "three"):
        few.put("ann", name, b"x")
    assert [few.get("ann", name) is not None for name in ("one", "two", "three")] == [False, True, True]
    small = room(store, max_bytes=100 * kept.OWNER_SHARE)
    small.put("bob", "one", b"x" * 60)
    small.put("bob", "two", b"x" * 60)
    small.put("bob", "huge", b"x" * 900)  # alone it is more than there may be; the newest stays
    assert [small.get("bob", name) is not None for name in ("one", "two", "huge")] == [False, False, True]


def test_nobody_drives_out_what_others_have(store: Store) -> None:
    keep = room(store, max_items=4 * kept.OWNER_SHARE)
    keep.put("bob", "his", b"x")
    for number in range(50):
        keep.put("ann", str(number), b"x")
    assert keep.get("bob", "his") == b"x"
    assert sum(keep.get("ann", str(number)) is not None for number in range(50)) == 4
    for number in range(50):
        keep.put(f"owner {number}", "one", b"x")
    with contextlib.closing(schema.connect(store.database)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone()[0] == 4 * kept.OWNER_SHARE


def test_it_is_gone_in_time_and_swept_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = room(store)
    keep.put("ann", "one", b"x")
    later = steady() + timedelta(seconds=61)
    monkeypatch.setattr(kept, "steady", lambda: later)
    assert keep.get("ann", "one") is None
    keep.put("ann", "two", b"x")
    with contextlib.closing(schema.connect(store.database)) as connection:
        assert connection.execute("SELECT name FROM kept").fetchall() == [("two",)]
        later += timedelta(seconds=61)
        kept.sweep(store)
        assert connection.execute("SELECT name FROM kept").fetchall() == []


def test_what_was_kept_when_the_clock_was_wrong_does_not_stay_for_years(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = room(store)
    with monkeypatch.context() as wrong:
        wrong.setattr(kept, "steady", lambda: steady() + timedelta(days=365))
        keep.put("ann", "one", b"x")
    assert keep.get("ann", "one") is None
    keep.put("ann", "two", b"x")
    with contextlib.closing(schema.connect(store.database)) as connection:
        assert connection.execute("SELECT name FROM kept").fetchall() == [("two",)]


def test_it_survives_another_start(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        room(store).put("ann", "one", b"x")
    with Store.open(tmp_path) as store:
        assert room(store).get("ann", "one") == b"x"
