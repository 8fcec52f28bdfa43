"""The data folder: one writer, transactions that are whole, schema by migrations only."""

import concurrent.futures
import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from inkseal.core.errors import InUse, StoreError
from inkseal.core.types import Artifact, new_id, now
from inkseal.store import artifacts, schema
from inkseal.store.kept import Keep
from inkseal.store.records import LedgerRow, Row, RunRow
from inkseal.store.store import Store
from old_records import old_records


def _artifact(store: Store, content: bytes = b"x") -> Artifact:
    sha256, size_bytes = store.blobs.put(content)
    return Artifact(
        id=new_id(), modality="text", media_type="text/plain", sha256=sha256, size_bytes=size_bytes, created_at=now()
    )


def _entry(seq: int) -> LedgerRow:
    return LedgerRow(
        seq=seq, created_at=now(), kind="k", body="{}", previous_sha256="", sha256=str(seq), signature=b"", key_id="k"
    )


def test_the_migrated_schema_is_the_one_of_the_classes(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine

    Store.open(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'records.sqlite'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [change for change in compare_metadata(context, Row.metadata) if "words" not in str(change)]
    engine.dispose()
    assert found == []


def test_the_known_revisions_are_those_of_the_migrations() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert [revision.revision for revision in script.walk_revisions()][::-1] == schema.revisions()


def test_records_of_an_earlier_version_are_copied_and_brought_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir, artifact_id = tmp_path / "data", new_id()
    old_records(data_dir, "v0002", monkeypatch)
    facts = (artifact_id, "text", "text/plain", "0" * 64, 1, "2026-01-01T00:00:00.000Z", "t", "m", "active", "ann")
    with contextlib.closing(schema.connect(data_dir / "records.sqlite")) as connection:
        connection.execute(f"INSERT INTO artifacts VALUES ({','.join('?' * len(facts))})", facts)
    with Store.open(data_dir) as store:
        with store.reading() as session:
            assert artifacts.get(session, artifact_id, owner="ann").title == "t"
        Keep(store, "x", seconds=60, max_items=9, max_bytes=999).put("ann", "one", b"x")
    (copy,) = (data_dir / "backups").glob("records-v0002-*.sqlite")
    with contextlib.closing(schema.connect(copy, read_only=True)) as connection:
        assert schema.version(connection) == "v0002"
        assert connection.execute("SELECT id FROM artifacts").fetchone() == (artifact_id,)


def test_what_is_kept_for_a_while_is_in_no_copy_and_leaves_no_trace(tmp_path: Path) -> None:
    words = b"words that somebody said to a model in confidence"
    with Store.open(tmp_path / "data") as store:
        keep = Keep(store, "x", seconds=60, max_items=9, max_bytes=99_999)
        keep.put("ann", "one", words * 300)
        with contextlib.closing(schema.connect(store.database)) as connection:
            schema.copy(connection, tmp_path / "copy.sqlite")
        keep.remove("ann", "one")
    assert words not in (tmp_path / "copy.sqlite").read_bytes()
    for path in (tmp_path / "data").glob("records.sqlite*"):
        assert words not in path.read_bytes(), path


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        artifact = _artifact(store)
        with pytest.raises(ZeroDivisionError):
            _add_and_fail(store, artifact)
        with store.reading() as session:
            assert artifacts.newest(session) == []


def _add_and_fail(store: Store, artifact: Artifact) -> None:
    with store.transaction() as session:
        artifacts.add(session, artifact)
        _ = 1 // 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET body = '{1}' WHERE seq = 1",
        "DELETE FROM ledger WHERE seq = 1",
        "INSERT OR REPLACE INTO ledger SELECT seq, created_at, kind, '{1}', previous_sha256, sha256, signature, key_id"
        " FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT seq + 9, created_at, kind, body, previous_sha256, sha256, signature,"
        " key_id FROM ledger",
    ],
)
def test_the_ledger_only_grows(tmp_path: Path, statement: str) -> None:
    with Store.open(tmp_path) as store:
        with store.transaction() as session:
            session.add(_entry(1))
        with pytest.raises(IntegrityError, match="append-only"), store.transaction() as session:
            session.execute(text(statement))
        with store.reading() as session:
            assert [row.body for row in session.query(LedgerRow)] == ["{}"]


def test_foreign_keys_hold(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, pytest.raises(IntegrityError), store.transaction() as session:
        artifacts.add_fingerprints(session, "nobody", {"k": b""})


def test_every_connection_writes_through_to_the_disk(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, store.transaction() as session:
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"


def test_a_time_without_a_zone_is_refused_and_others_come_back_in_utc(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        moment = now()
        with store.transaction() as session:
            session.add(RunRow(id="a", request="{}", status="done", started_at=moment))
        with store.reading() as session:
            row = session.get(RunRow, "a")
            assert row is not None
            assert row.started_at == moment
            assert (
                session.scalar(text("SELECT started_at FROM runs"))
                == moment.isoformat(timespec="milliseconds")[:-6] + "Z"
            )
        naive = RunRow(id="b", request="{}", status="done", started_at=datetime(2026, 1, 1))
        with pytest.raises(StatementError), store.transaction() as session:
            session.add(naive)


def test_threads_write_one_after_the_other(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:

        def write(number: int) -> None:
            with store.transaction() as session:
                last = session.scalar(text("SELECT coalesce(max(seq), 0) FROM ledger"))
                session.add(_entry(last + 1))

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(100)))
        with store.reading() as session:
            assert session.scalar(text("SELECT count(*) || '/' || max(seq) FROM ledger")) == "100/100"


def test_many_threads_get_their_turn_however_short_the_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkseal.store.store.BUSY_SECONDS", 0.05)
    with Store.open(tmp_path) as store, concurrent.futures.ThreadPoolExecutor(8) as pool:

        def write(_: int) -> None:
            with store.transaction() as session:
                session.execute(text("SELECT 1"))
                time.sleep(0.05)

        assert len(list(pool.map(write, range(24)))) == 24


def test_a_reader_sees_one_state_while_others_write(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        with store.reading() as session:
            assert artifacts.newest(session) == []
            writer = threading.Thread(target=lambda: _write_one(store))
            writer.start()
            writer.join()
            assert artifacts.newest(session) == []
        with store.reading() as session:
            assert len(artifacts.newest(session)) == 1


def _write_one(store: Store) -> None:
    with store.transaction() as session:
        artifacts.add(session, _artifact(store))


def test_reading_beside_a_writer_works_and_cannot_write(tmp_path: Path) -> None:
    with Store.open(tmp_path) as writer, Store.open(tmp_path, read_only=True) as reader:
        _write_one(writer)
        with reader.reading() as session:
            assert len(artifacts.newest(session)) == 1
        with pytest.raises(StoreError, match="reading only"):
            reader.transaction()
        with pytest.raises(StoreError), reader.reading() as session:
            session.execute(text("DELETE FROM artifacts"))


def test_reading_a_fresh_folder_makes_it(tmp_path: Path) -> None:
    with Store.open(tmp_path / "new", read_only=True) as store, store.reading() as session:
        assert artifacts.newest(session) == []


def test_the_second_writer_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from inkseal.store.store import Store\n"
        "Store.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "open\n"
    with pytest.raises(InUse, match=f"process {first.pid}"):
        Store.open(tmp_path)
    first.kill()
    first.communicate()
    Store.open(tmp_path).close()


def test_a_forked_child_does_not_keep_the_folder(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from inkseal.store.store import Store\n"
        "store = Store.open(Path(sys.argv[1]))\n"
        "child = os.fork()\n"
        "if child == 0: os.close(1); os.close(2); time.sleep(30); os._exit(0)\n"
        "print(child, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    try:
        Store.open(tmp_path).close()
    finally:
        subprocess.run(["kill", "-9", done.stdout.strip()], check=True)


def test_sweep_removes_the_contents_of_deleted_artifacts_only(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        kept, gone = _artifact(store, b"kept"), _artifact(store, b"gone")
        with store.transaction() as session:
            artifacts.add(session, kept, state="withdrawn")
            artifacts.add(session, gone)
            artifacts.set_state(session, gone.id, "deleted")
        orphan, _ = store.blobs.put(b"orphan")
        assert store.sweep(min_age_seconds=3600) == 0
        assert store.sweep(min_age_seconds=-1) == 2
        assert list(store.blobs) == [kept.sha256]
        assert orphan not in store.blobs


def test_opening_clears_what_a_killed_writer_left(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    left = tmp_path / "artifacts" / ".incoming" / "half"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    Store.open(tmp_path).close()
    assert not left.exists()


def test_opening_an_up_to_date_folder_is_fast_and_loads_no_database_package(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    code = (
        "import sys, time; from pathlib import Path; from inkseal.store.store import Store\n"
        "begin = time.process_time(); Store.open(Path(sys.argv[1]))\n"
        "print(time.process_time() - begin, 'sqlalchemy' in sys.modules, 'alembic' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True).stdout
        for _ in range(5)
    ]
    assert all(run.split()[1:] == ["False", "False"] for run in runs)
    assert min(float(run.split()[0]) for run in runs) < 0.15


def test_a_database_of_others_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "records.sqlite") as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreError, match="no records of Inkseal"):
        Store.open(tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="not a folder"):
        Store.open(tmp_path / "file")
