"""The data folder under attack: full disks, kills, damaged pages, hostile backups, other versions."""

import contextlib
import errno
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from inkseal.core.errors import InUse, NotEnoughSpace, StoreError
from inkseal.core.types import Artifact, new_id, now
from inkseal.store import artifacts, schema, words
from inkseal.store.backup import write_backup
from inkseal.store.records import LedgerRow
from inkseal.store.restore import restore_backup
from inkseal.store.store import Store

WRITER = """
import sys
from pathlib import Path
from inkseal.store.store import Store
from test_faults_store import write_one
with Store.open(Path(sys.argv[1])) as store:
    print("open", flush=True)
    for number in range(int(sys.argv[2])):
        print(write_one(store, number), flush=True)
"""


def write_one(store: Store, number: int) -> str:
    """Stores one content with its records in one transaction, as a run does; returns the artifact's id."""
    sha256, size_bytes = store.blobs.put(f"{number} {new_id()} ".encode() * 500)
    artifact = Artifact(
        id=new_id(), modality="text", media_type="text/plain", sha256=sha256, size_bytes=size_bytes, created_at=now()
    )
    with store.transaction() as session:
        artifacts.add(session, artifact)
        words.index(session, artifact.id, f"word{number}")
        last = session.scalar(text("SELECT coalesce(max(seq), 0) FROM ledger"))
        facts = {"kind": "artifact", "previous_sha256": "", "signature": b"", "key_id": ""}
        entry = LedgerRow(seq=last + 1, created_at=now(), body=artifact.id, sha256=artifact.id, **facts)
        session.add(entry)
    return artifact.id


def _python(code: str, *arguments: object, **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", f"import sys; sys.path.append({str(Path(__file__).parent)!r})\n{code}"]
    command += map(str, arguments)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]


def _fill(folder: Path, num: int) -> list[str]:
    with Store.open(folder) as store:
        return [write_one(store, number) for number in range(num)]


def _ids(folder: Path) -> list[str]:
    """Returns the ids of all artifacts after proving that records, ledger and contents agree."""
    with Store.open(folder) as store, store.reading() as session:
        found = artifacts.newest(session, limit=10_000)
        for artifact in found:
            assert len(store.blobs.get(artifact.sha256)) == artifact.size_bytes
        entries = session.execute(text("SELECT seq, body FROM ledger ORDER BY seq")).all()
        assert [seq for seq, _ in entries] == list(range(1, len(entries) + 1))
        assert {body for _, body in entries} == {artifact.id for artifact in found}
        assert session.scalar(text("SELECT count(*) FROM words")) == len(found)
        return [artifact.id for artifact in found]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def _use_up(folder: Path) -> Path:
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    return filler


# 28: names and links


@pytest.mark.parametrize("name", ["artifacts", "trust", "backups", "models", "cards", "records.sqlite"])
def test_fault_28_a_linked_sub_folder_is_refused_and_nothing_outside_is_touched(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).symlink_to(outside)
    with pytest.raises(StoreError, match="symbolic link"):
        Store.open(tmp_path / "data")
    assert list(outside.iterdir()) == []


def test_fault_28_a_link_that_appears_later_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with Store.open(tmp_path / "data") as store:
        sha256 = hashlib.sha256(b"content").hexdigest()
        (tmp_path / "data/artifacts").mkdir(exist_ok=True)
        (tmp_path / "data/artifacts" / sha256[:2]).symlink_to(outside)
        with pytest.raises(StoreError, match="symbolic link"):
            store.blobs.put(b"content")
        assert list(outside.iterdir()) == []
        (tmp_path / "data/artifacts" / sha256[:2]).unlink()
        store.blobs.put(b"content")
        store.blobs.path(sha256).unlink()
        (outside / "secret").write_bytes(b"content")
        store.blobs.path(sha256).symlink_to(outside / "secret")
        with pytest.raises(StoreError):
            store.blobs.get(sha256)


# 30: hostile backups


def _forge(tmp_path: Path, change: Callable[[dict[str, bytes], dict[str, int]], None]) -> Path:
    """Returns a backup that is consistent with itself, after `change` of its members and their file modes."""
    _fill(tmp_path / "a", 1)
    write_backup(tmp_path / "a", tmp_path / "good.zip")
    with zipfile.ZipFile(tmp_path / "good.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "backup.json"}
        listed = json.loads(archive.read("backup.json"))
    modes: dict[str, int] = {}
    change(members, modes)
    listed["members"] = [
        {"name": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in members.items()
    ]
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = modes.get(name, 0) << 16
            archive.writestr(info, data)
        archive.writestr("backup.json", json.dumps(listed))
    return tmp_path / "bad.zip"


def _assert_refused(tmp_path: Path, file: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if "target" not in path.parts}
    with pytest.raises(StoreError):
        restore_backup(file, tmp_path / "target")
    assert [path.name for path in (tmp_path / "target").iterdir()] == [".lock"]
    assert {path for path in tmp_path.rglob("*") if "target" not in path.parts} == before


@pytest.mark.parametrize(
    "name",
    [
        "../escaped",
        "trust/../../escaped",
        "/tmp/escaped",
        "trust//escaped",
        "trust/./escaped",
        "trust\\..\\escaped",
        "trust/..",
        "C:/escaped",
        "elsewhere/file",
        ".lock",
        "trust/.hidden",
        "trust/" + "a" * 300,
        "trust/" + "/".join("a" * 9),
        "trust/\u202efile",
        "artifacts/ab/" + "c" * 62,
    ],
)
def test_fault_30_a_member_that_reaches_outside_is_refused(tmp_path: Path, name: str) -> None:
    _assert_refused(tmp_path, _forge(tmp_path, lambda members, modes: members.update({name: b"x"})))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR])
def test_fault_30_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    def change(members: dict[str, bytes], modes: dict[str, int]) -> None:
        members["trust/link"] = b"/etc/passwd"
        modes["trust/link"] = kind | 0o777

    _assert_refused(tmp_path, _forge(tmp_path, change))


def test_fault_30_two_names_that_are_one_on_other_systems_are_refused(tmp_path: Path) -> None:
    _assert_refused(tmp_path, _forge(tmp_path, lambda members, _: members.update({"trust/a": b"x", "trust/A": b"y"})))


def test_fault_30_a_member_that_is_not_listed_or_not_there_is_refused(tmp_path: Path) -> None:
    file = _forge(tmp_path, lambda members, _: None)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("trust/extra", b"x")
    _assert_refused(tmp_path, file)


def test_fault_30_a_bomb_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    file = _forge(tmp_path, lambda members, _: members.update({"trust/bomb": b""}))
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, b"\0" * 200_000_000 if name == "trust/bomb" else data)
    begin = time.process_time()
    _assert_refused(tmp_path, file)
    assert time.process_time() - begin < 2


def test_fault_30_a_million_members_are_refused_before_they_become_objects(tmp_path: Path) -> None:
    entry = b"PK\x01\x02" + b"\0" * 24 + b"\1\0" + b"\0" * 16 + b"a"
    directory = entry * 1_000_000
    end = b"PK\x05\x06\0\0\0\0\1\0\1\0" + len(directory).to_bytes(4, "little") + b"\0" * 6
    (tmp_path / "many.zip").write_bytes(directory + end)
    begin = time.process_time()
    _assert_refused(tmp_path, tmp_path / "many.zip")
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06", os.urandom(5000), b"\0" * 70_000])
def test_fault_30_what_is_no_backup_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.zip").write_bytes(data)
    _assert_refused(tmp_path, tmp_path / "bad.zip")


# 66, 67: full and failing disks


def test_fault_66_a_full_disk_refuses_contents_and_keeps_the_old(small_disk: Path) -> None:
    with Store.open(small_disk / "data") as store:
        old, _ = store.blobs.put(b"old")
        filler = _use_up(small_disk)
        with pytest.raises(NotEnoughSpace):
            store.blobs.put(os.urandom(100_000))
        assert store.blobs.get(old) == b"old"
        assert not list((small_disk / "data/artifacts/.incoming").iterdir())
        filler.unlink()
        assert store.blobs.put(b"new")


def test_fault_66_a_full_disk_refuses_records_and_keeps_the_old(small_disk: Path) -> None:
    (before,) = _fill(small_disk / "data", 1)
    with Store.open(small_disk / "data") as store:
        filler = _use_up(small_disk)
        with pytest.raises(NotEnoughSpace):
            _add(store, 500)
        with store.reading() as session:
            assert [artifact.id for artifact in artifacts.newest(session)] == [before]
        filler.unlink()
        _add(store, 1)
    with Store.open(small_disk / "data") as store, store.reading() as session:
        assert len(artifacts.newest(session)) == 2


def _add(store: Store, num: int) -> None:
    with store.transaction() as session:
        for _ in range(num):
            facts = {"modality": "text", "media_type": "text/plain", "sha256": "0" * 64, "size_bytes": 1}
            artifacts.add(session, Artifact(id=new_id(), created_at=now(), **facts))


def test_fault_66_a_full_disk_refuses_a_new_folder_a_backup_and_a_restore(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    ids = _fill(tmp_path / "big/data", 3)
    (tmp_path / "big/data/trust").mkdir()
    (tmp_path / "big/data/trust/noise").write_bytes(os.urandom(4_000_000))
    with pytest.raises(NotEnoughSpace):
        write_backup(tmp_path / "big/data", small_disk / "b.zip")
    assert list(small_disk.iterdir()) == []
    write_backup(tmp_path / "big/data", tmp_path / "b.zip")
    with pytest.raises(NotEnoughSpace):
        restore_backup(tmp_path / "b.zip", small_disk / "data")
    assert [path.name for path in (small_disk / "data").iterdir()] == [".lock"]
    _use_up(small_disk)
    with pytest.raises(NotEnoughSpace):
        Store.open(small_disk / "fresh")
    assert _ids(tmp_path / "big/data") == sorted(ids, reverse=True)


@pytest.mark.parametrize("limit_bytes", [50_000, 150_000, 400_000, 1_000_000])
def test_fault_66_the_file_size_limit_refuses_and_keeps_the_old(tmp_path: Path, limit_bytes: int) -> None:
    before = _fill(tmp_path / "data", 5)
    code = WRITER.replace(
        "with Store.open",
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))\n"
        "from inkseal.core.errors import NotEnoughSpace\n"
        "sys.excepthook = lambda kind, error, trace: print(kind.__name__, file=sys.stderr)\nwith Store.open",
    )
    out, err = _python(code, tmp_path / "data", 3000, limit_bytes).communicate(timeout=300)
    assert err.split()[-1] == "NotEnoughSpace", err
    assert set(_ids(tmp_path / "data")) == set(before) | set(out.split()[1:])


def test_fault_67_a_disk_that_fails_to_sync_is_told_and_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path) as store:
        store.blobs.put(b"old")

        def fails(handle: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "fsync", fails)
        with pytest.raises(StoreError, match="Input/output error"):
            store.blobs.put(b"new")
        monkeypatch.undo()
        assert len(list(store.blobs)) == 1


def test_fault_67_a_read_only_disk_is_told(small_disk: Path) -> None:
    _fill(small_disk / "data", 1)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreError, match=r"[Rr]ead-only|readonly"):
        Store.open(small_disk / "data")
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    Store.open(small_disk / "data").close()


def test_fault_67_no_free_file_handle_is_no_damage(tmp_path: Path) -> None:
    ids = _fill(tmp_path, 3)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Store.open(tmp_path) as store:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(StoreError, match="ulimit"):
                store.blobs.put(b"new")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert store.blobs.put(b"new")
    assert len(_ids(tmp_path)) == len(ids)


# 68: damage


def _records(folder: Path) -> Path:
    """Returns the database with everything in it, also what was in the log."""
    with contextlib.closing(sqlite3.connect(folder / "records.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "records.sqlite"


def test_fault_68_every_damaged_page_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    ids = _fill(tmp_path, 30)
    database = _records(tmp_path)
    whole = database.read_bytes()
    noise = random.Random(68)
    refused = 0
    for at in range(0, len(whole), 4096):
        damaged = whole[:at] + noise.randbytes(4096) + whole[at + 4096 :]
        database.write_bytes(damaged)
        try:
            found = _ids(tmp_path)
        except StoreError:
            refused += 1
            assert database.read_bytes() == damaged
        else:
            assert found == sorted(ids, reverse=True)
        for left in tmp_path.glob("records.sqlite-*"):
            left.unlink()
    assert refused >= len(whole) // 4096 - 5
    database.write_bytes(whole)
    assert _ids(tmp_path) == sorted(ids, reverse=True)


def test_fault_68_an_index_that_disagrees_with_its_table_is_refused(tmp_path: Path) -> None:
    _fill(tmp_path, 5)
    database = _records(tmp_path)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'artifacts_by_sha256'").fetchone()
        (sha256,) = connection.execute("SELECT min(sha256) FROM artifacts").fetchone()
    data = bytearray(database.read_bytes())
    at = data.index(sha256.encode(), (page - 1) * 4096)
    assert at < page * 4096
    data[at] ^= 1
    database.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        Store.open(tmp_path)


@pytest.mark.parametrize("keep", [0, 1, 100, 4096, 10_000])
def test_fault_68_a_shortened_database_is_never_silently_begun_anew(tmp_path: Path, keep: int) -> None:
    _fill(tmp_path, 5)
    database = _records(tmp_path)
    database.write_bytes(database.read_bytes()[:keep])
    with pytest.raises(StoreError):
        Store.open(tmp_path)
    assert database.stat().st_size == keep


def test_fault_68_a_missing_database_is_never_silently_begun_anew(tmp_path: Path) -> None:
    _fill(tmp_path, 1)
    _records(tmp_path).unlink()
    with pytest.raises(StoreError, match="missing"):
        Store.open(tmp_path)
    assert not (tmp_path / "records.sqlite").exists()


def test_fault_68_the_hint_names_the_newest_copy(tmp_path: Path) -> None:
    _fill(tmp_path, 1)
    with contextlib.closing(schema.connect(tmp_path / "records.sqlite")) as connection:
        copy = schema.keep_copy(connection, tmp_path / "records.sqlite", "v0001")
    _records(tmp_path).write_bytes(b"\0" * 8192)
    with pytest.raises(StoreError, match=re.escape(str(copy))):
        Store.open(tmp_path)


# 69: two instances


def test_fault_69_a_second_instance_on_one_folder_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path):
        done = _python(
            WRITER.replace("with Store", "sys.excepthook = lambda k, e, t: print(e)\nwith Store"), tmp_path, 1
        )
        out, _ = done.communicate(timeout=60)
        assert f"process {os.getpid()}" in out
        with pytest.raises(InUse):
            restore_backup(tmp_path / "x", tmp_path)


# 70: other versions


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Gives this code one more migration with the body handed over."""

    def give(body: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(Path(schema.__file__).parent / "migrations", folder)
        newest = schema.revisions()[-1]
        following = f"v{int(newest[1:]) + 1:04d}"
        (folder / "versions" / f"{following}_next.py").write_text(
            f"from alembic import op\nrevision = '{following}'\ndown_revision = '{newest}'\n"
            f"def upgrade():\n    op.execute('ALTER TABLE runs ADD COLUMN note VARCHAR')\n    {body}\n"
        )
        monkeypatch.setattr(schema, "_MIGRATIONS", folder)

    return give


def test_fault_70_records_of_a_newer_version_are_refused_and_left_alone(tmp_path: Path) -> None:
    _fill(tmp_path, 1)
    with contextlib.closing(sqlite3.connect(tmp_path / "records.sqlite")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v9999'")
        connection.commit()
    before = _records(tmp_path).read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreError, match="v9999"):
            Store.open(tmp_path, read_only=read_only)
    assert (tmp_path / "records.sqlite").read_bytes() == before


def test_fault_70_records_of_an_older_version_are_copied_then_migrated(
    tmp_path: Path, next_version: Callable[[str], None]
) -> None:
    ids = _fill(tmp_path / "data", 3)
    before = schema.revisions()[-1]
    next_version("pass")
    after = schema.revisions()[-1]
    assert after != before
    assert _ids(tmp_path / "data") == sorted(ids, reverse=True)
    with contextlib.closing(sqlite3.connect(tmp_path / "data/records.sqlite")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(after,)]
    (copy,) = (tmp_path / "data/backups").iterdir()
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(before,)]
        assert connection.execute("SELECT count(*) FROM artifacts").fetchone() == (3,)
    Store.open(tmp_path / "data").close()
    assert len(list((tmp_path / "data/backups").iterdir())) == 1


def test_fault_70_a_migration_that_fails_leaves_the_old_schema_whole(
    tmp_path: Path, next_version: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _fill(tmp_path / "data", 3)
    next_version("raise RuntimeError('broken step')")
    with pytest.raises(RuntimeError, match="broken step"):
        Store.open(tmp_path / "data")
    monkeypatch.undo()
    assert _ids(tmp_path / "data") == sorted(ids, reverse=True)
    with contextlib.closing(sqlite3.connect(tmp_path / "data/records.sqlite")) as connection:
        assert "note" not in str(connection.execute("SELECT sql FROM sqlite_master WHERE name = 'runs'").fetchone())


def test_fault_70_a_kill_within_a_migration_leaves_it_before_or_after(
    tmp_path: Path, next_version: Callable[[str], None]
) -> None:
    ids = _fill(tmp_path / "data", 3)
    next_version("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    code = (
        "import sys; from pathlib import Path; from inkseal.store import schema, store\n"
        "schema._MIGRATIONS = Path(sys.argv[2]); store.Store.open(Path(sys.argv[1]))"
    )
    process = _python(code, tmp_path / "data", tmp_path / "migrations")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (step,) = (tmp_path / "migrations/versions").glob("*_next.py")
    step.write_text(step.read_text().replace("os.kill(os.getpid(), signal.SIGKILL)", "assert os"))
    assert _ids(tmp_path / "data") == sorted(ids, reverse=True)


# kills at random instants


@pytest.mark.slow
def test_fault_65_a_kill_at_any_instant_leaves_whole_records_and_contents(tmp_path: Path) -> None:
    said: set[str] = set()
    instants = random.Random(65)
    for _ in range(25):
        process = _python(WRITER, tmp_path, 10_000)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        time.sleep(0.25 + instants.random() * 0.3)
        process.kill()
        said |= set(process.communicate()[0].split())
        assert said <= set(_ids(tmp_path))
    assert len(said) > 100


@pytest.mark.slow
def test_fault_65_a_kill_at_any_instant_of_the_first_opening_leaves_a_folder_that_opens(tmp_path: Path) -> None:
    instants = random.Random(66)
    code = (
        "import sys; from pathlib import Path; from inkseal.store.store import Store\n"
        "print(1, flush=True); Store.open(Path(sys.argv[1]))"
    )
    for number in range(20):
        process = _python(code, tmp_path / str(number))
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(instants.random() * 0.5)
        process.kill()
        process.communicate()
        assert _ids(tmp_path / str(number)) == []


@pytest.mark.slow
def test_fault_65_a_kill_within_backup_or_restore_leaves_whole_data(tmp_path: Path) -> None:
    ids = _fill(tmp_path / "data", 40)
    (tmp_path / "data/trust").mkdir()
    for number in range(20):
        (tmp_path / f"data/trust/{number}").write_bytes(os.urandom(300_000))
    begin = time.perf_counter()
    write_backup(tmp_path / "data", tmp_path / "whole.zip")
    seconds = time.perf_counter() - begin
    instants = random.Random(67)
    head = (
        "import sys; from pathlib import Path\nfrom inkseal.store.{0} import {1}\n"
        "print(1, flush=True); {1}(*map(Path, sys.argv[1:]))"
    )
    outcomes = set()
    for number in range(12):
        target = tmp_path / f"b{number}.zip"
        latest = seconds * (1 + number / 4)
        _kill_within(head.format("backup", "write_backup"), instants.random() * latest, tmp_path / "data", target)
        if target.exists():
            restore_backup(target, tmp_path / f"r{number}")
    for number in range(60):
        if number >= 20 and "broken off." in outcomes:
            break
        folder = tmp_path / f"c{number}"
        arguments = (tmp_path / "whole.zip", folder)
        # Later and later, so that a slow machine, which still imports by then, is interrupted at work too.
        latest = seconds * (1 + number / 4)
        _kill_within(head.format("restore", "restore_backup"), instants.random() * latest, *arguments)
        try:
            found = _ids(folder)
        except StoreError as error:
            outcomes.add(error.what.split("was ")[-1])
            restore_backup(tmp_path / "whole.zip", folder)
            found = _ids(folder)
        if not found:  # killed before it began
            outcomes.add("not begun")
            continue
        assert found == sorted(ids, reverse=True)
        assert len(list((folder / "trust").iterdir())) == 20
    assert {"broken off."} <= outcomes <= {"broken off.", "not begun"}


def _kill_within(code: str, seconds: float, *arguments: Path) -> None:
    process = _python(code, *arguments)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    process.communicate()


def test_fault_65_a_restore_killed_while_moving_goes_on_at_the_next_opening(tmp_path: Path) -> None:
    ids = _fill(tmp_path / "data", 3)
    (tmp_path / "data/trust").mkdir()
    (tmp_path / "data/trust/key").write_text("k")
    write_backup(tmp_path / "data", tmp_path / "b.zip")
    for moves in range(4):
        folder = tmp_path / f"c{moves}"
        code = (
            "import os, signal, sys; from pathlib import Path\nfrom inkseal.store import restore\n"
            "plain, left = Path.rename, [int(sys.argv[3])]\n"
            "def rename(path, target):\n"
            "    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)\n"
            "    left[0] -= 1\n"
            "    return plain(path, target)\n"
            "Path.rename = rename\n"
            "restore.restore_backup(Path(sys.argv[1]), Path(sys.argv[2]))"
        )
        process = _python(code, tmp_path / "b.zip", folder, moves)
        process.communicate()
        assert process.returncode == (-signal.SIGKILL if moves < 3 else 0)
        assert _ids(folder) == sorted(ids, reverse=True)
        assert (folder / "trust/key").read_text() == "k"
        assert not (folder / ".restoring").exists()
