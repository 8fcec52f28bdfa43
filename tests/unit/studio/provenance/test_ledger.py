import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from inkseal.core.errors import StoreError
from inkseal.studio.provenance.ledger import Head, Report
from inkseal.studio.provenance.sealer import Sealer

MakeSealer = Callable[[str], Sealer]
NUM_ENTRIES = 12


@pytest.fixture
def filled(sealer: Sealer) -> Sealer:
    with sealer.store.transaction() as session:
        for number in range(NUM_ENTRIES):
            sealer.ledger.append(session, "exported", {"number": number, "artifact_id": f"a{number}"})
    sealer.committed()
    return sealer


@contextmanager
def tampering(sealer: Sealer) -> Iterator[sqlite3.Connection]:
    """Somebody with the database file: the triggers are theirs to drop."""
    with closing(sqlite3.connect(sealer.store.database)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        connection.commit()


def verify(sealer: Sealer, since: Head | None = None) -> Report:
    with sealer.store.reading() as session:
        return sealer.ledger.verify(session, since)


def found(report: Report) -> set[tuple[int, str]]:
    return {(problem.seq, problem.field) for problem in report.problems}


def test_a_whole_ledger_is_valid(filled: Sealer) -> None:
    report = verify(filled)
    assert report.valid
    assert (report.num_entries, report.head_seq) == (NUM_ENTRIES, NUM_ENTRIES)


def test_an_empty_ledger_is_valid(sealer: Sealer) -> None:
    assert verify(sealer).valid


@pytest.mark.parametrize("statement", ["UPDATE ledger SET kind = 'x'", "DELETE FROM ledger"])
def test_the_database_itself_refuses(filled: Sealer, statement: str) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    with pytest.raises((DBAPIError, StoreError), match="append-only"), filled.store.transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_at", "2020-01-01T00:00:00.000Z"),
        ("kind", "artifact_sealed"),
        ("body", '{"number":99}'),
        ("body", b"\xff\xfe"),
        ("previous_sha256", "f" * 64),
        ("sha256", "e" * 64),
        ("signature", b"\x00" * 160),
        ("signature", b""),
        ("key_id", "d" * 64),
    ],
)
def test_an_edit_is_named_with_its_field(filled: Sealer, field: str, value: Any) -> None:
    with tampering(filled) as connection:
        if isinstance(value, bytes) and field == "body":
            connection.execute("UPDATE ledger SET body = CAST(? AS TEXT) WHERE seq = 5", (value,))
        else:
            connection.execute(f"UPDATE ledger SET {field} = ? WHERE seq = 5", (value,))
    assert (5, field) in found(verify(filled))


def test_every_changed_byte_of_a_body_is_named(filled: Sealer) -> None:
    with tampering(filled) as connection:
        (body,) = connection.execute("SELECT body FROM ledger WHERE seq = 5").fetchone()
    for position in range(len(body)):
        changed = body[:position] + chr(ord(body[position]) ^ 1) + body[position + 1 :]
        with tampering(filled) as connection:
            connection.execute("UPDATE ledger SET body = ? WHERE seq = 5", (changed,))
        assert found(verify(filled)) == {(5, "body")}


def test_a_removal_in_the_middle_is_named(filled: Sealer) -> None:
    with tampering(filled) as connection:
        connection.execute("DELETE FROM ledger WHERE seq IN (5, 6)")
    report = verify(filled)
    assert found(report) == {(5, "seq")}
    assert "5–6" in report.problems[0].reason


def test_removal_with_renumbering_is_named(filled: Sealer) -> None:
    with tampering(filled) as connection:
        connection.execute("DELETE FROM ledger WHERE seq = 5")
        for seq in range(6, NUM_ENTRIES + 1):
            connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (seq - 1, seq))
    assert {(seq, "seq") for seq in range(5, NUM_ENTRIES)} <= found(verify(filled))


def test_a_cut_off_end_is_named(filled: Sealer) -> None:
    with tampering(filled) as connection:
        connection.execute("DELETE FROM ledger WHERE seq > 9")
    report = verify(filled)
    assert found(report) == {(10, "seq")}
    assert "10–12" in report.problems[0].reason


def test_reordering_is_named(filled: Sealer) -> None:
    with tampering(filled) as connection:
        for old, new in ((4, 100), (5, 4), (100, 5)):
            connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (new, old))
    assert {(4, "seq"), (5, "seq")} <= found(verify(filled))


def test_an_entry_of_another_installation_is_named(filled: Sealer, make_sealer: MakeSealer) -> None:
    there = make_sealer("there")
    there.note("exported", {"number": 1})
    with tampering(there) as theirs:
        row = theirs.execute("SELECT * FROM ledger").fetchone()
    with tampering(filled) as connection:
        connection.execute("DELETE FROM ledger WHERE seq = 1")
        connection.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    assert (1, "signature") in found(verify(filled))


def test_a_whole_other_chain_by_the_same_key_does_not_fit_the_head(filled: Sealer) -> None:
    """The end is cut off and written anew with the real key: only the head can tell."""
    head = filled.ledger.head_file.read_bytes()
    with tampering(filled) as connection:
        connection.execute("DELETE FROM ledger WHERE seq > 9")
    for number in range(5):
        filled.note("exported", {"forged": number})
    filled.ledger.head_file.write_bytes(head)
    assert (NUM_ENTRIES, "sha256") in found(verify(filled))


def test_a_head_kept_elsewhere_tells_what_the_local_one_no_longer_does(filled: Sealer) -> None:
    with filled.store.reading() as session:
        kept = filled.ledger.head(session)
    with tampering(filled) as connection:
        connection.execute("DELETE FROM ledger WHERE seq > 9")
    filled.note("exported", {"forged": True})
    assert verify(filled).valid
    assert not verify(filled, kept).valid


@pytest.mark.parametrize("change", ["missing", "garbled", "longer", "foreign"])
def test_a_false_head_is_named(filled: Sealer, make_sealer: MakeSealer, change: str) -> None:
    file = filled.ledger.head_file
    facts = json.loads(file.read_bytes())
    if change == "missing":
        file.unlink()
    elif change == "garbled":
        file.write_bytes(file.read_bytes()[:-9])
    elif change == "longer":
        file.write_text(json.dumps({**facts, "seq": 99}))
    else:
        there = make_sealer("there")
        there.note("exported", {})
        file.write_bytes(there.ledger.head_file.read_bytes())
    assert (0, "head") in found(verify(filled))


def test_a_head_that_lags_after_a_crash_is_no_fault(filled: Sealer) -> None:
    head = filled.ledger.head_file.read_bytes()
    filled.note("exported", {"number": 13})
    filled.ledger.head_file.write_bytes(head)
    report = verify(filled)
    assert report.valid
    assert (report.num_entries, report.head_seq) == (NUM_ENTRIES + 1, NUM_ENTRIES)


def test_a_transaction_that_fails_leaves_no_entry(filled: Sealer) -> None:
    def broken_off() -> None:
        with filled.store.transaction() as session:
            filled.ledger.append(session, "exported", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken_off()
    report = verify(filled)
    assert report.valid
    assert report.num_entries == NUM_ENTRIES


def test_entries_are_read_by_kind_and_in_order(filled: Sealer) -> None:
    filled.note("unlabelled_export", {"agreed_by": "somebody"})
    with filled.store.reading() as session:
        (entry,) = filled.ledger.entries(session, kind="unlabelled_export")
        assert (entry.seq, entry.body) == (NUM_ENTRIES + 1, {"agreed_by": "somebody"})
        assert [e.seq for e in filled.ledger.entries(session, after=10)] == [11, 12, 13]


@pytest.mark.slow
def test_ten_thousand_entries_are_verified_in_seconds(sealer: Sealer) -> None:
    with sealer.store.transaction() as session:
        for number in range(10_000):
            sealer.ledger.append(session, "exported", {"number": number})
    sealer.committed()
    start = time.process_time()
    assert verify(sealer).valid
    assert time.process_time() - start < 10
