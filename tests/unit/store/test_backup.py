"""A backup holds everything and comes back equal; a restore is whole or nothing."""

import json
import shutil
import sqlite3
import threading
import zipfile
from pathlib import Path

import pytest

from inkseal.core.errors import Cancelled, InvalidRequest, StoreError
from inkseal.core.events import Event
from inkseal.core.types import Artifact, new_id, now
from inkseal.store import artifacts
from inkseal.store.backup import write_backup
from inkseal.store.restore import restore_backup
from inkseal.store.store import Store


def _fill(folder: Path, num: int = 5) -> list[Artifact]:
    made = []
    with Store.open(folder) as store:
        for number in range(num):
            sha256, size_bytes = store.blobs.put(f"内容 {number}".encode() * 100)
            made.append(
                Artifact(
                    id=new_id(),
                    modality="text",
                    media_type="text/plain",
                    sha256=sha256,
                    size_bytes=size_bytes,
                    created_at=now(),
                )
            )
            with store.transaction() as session:
                artifacts.add(session, made[-1])
    for name in ("trust/authority.pem", "cards/mine.toml", "models/m/weights.gguf", "models/.lock-m", "settings.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return made


def _tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "records.")))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_folder_comes_back_equal(tmp_path: Path) -> None:
    made = _fill(tmp_path / "a")
    heard: list[Event] = []
    backup = write_backup(tmp_path / "a", tmp_path / "b.zip", on_event=heard.append)
    assert heard
    assert backup.damaged == ()
    restored = restore_backup(tmp_path / "b.zip", tmp_path / "c", on_event=heard.append)
    assert restored == backup
    expected = {name: data for name, data in _tree(tmp_path / "a").items() if not name.startswith("models/")}
    assert _tree(tmp_path / "c") == expected
    with Store.open(tmp_path / "c") as store, store.reading() as session:
        assert artifacts.newest(session) == sorted(made, key=lambda artifact: artifact.id, reverse=True)
        assert all(store.blobs.get(artifact.sha256) for artifact in made)


def test_models_come_along_on_demand(tmp_path: Path) -> None:
    _fill(tmp_path / "a")
    write_backup(tmp_path / "a", tmp_path / "b.zip", include_models=True)
    restore_backup(tmp_path / "b.zip", tmp_path / "c")
    assert (tmp_path / "c/models/m/weights.gguf").read_text() == "models/m/weights.gguf"
    assert not (tmp_path / "c/models/.lock-m").exists()


def test_a_backup_can_be_made_beside_a_writer(tmp_path: Path) -> None:
    _fill(tmp_path / "a")
    with Store.open(tmp_path / "a"):
        write_backup(tmp_path / "a", tmp_path / "b.zip")
    assert (tmp_path / "b.zip").stat().st_mode & 0o077 == 0


def test_a_backup_never_overwrites(tmp_path: Path) -> None:
    _fill(tmp_path / "a")
    (tmp_path / "b.zip").write_text("precious")
    with pytest.raises(InvalidRequest, match="already"):
        write_backup(tmp_path / "a", tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_text() == "precious"


def test_damaged_contents_are_named_and_can_be_left_out(tmp_path: Path) -> None:
    made = _fill(tmp_path / "a")
    shutil.rmtree(tmp_path / "a/artifacts" / made[0].sha256[:2])
    with pytest.raises(StoreError, match=made[0].sha256[2:]):
        write_backup(tmp_path / "a", tmp_path / "b.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
    backup = write_backup(tmp_path / "a", tmp_path / "b.zip", allow_damaged=True)
    assert backup.damaged == (f"artifacts/{made[0].sha256[:2]}/{made[0].sha256[2:]}",)


def test_a_restore_needs_an_empty_folder(tmp_path: Path) -> None:
    _fill(tmp_path / "a")
    write_backup(tmp_path / "a", tmp_path / "b.zip")
    before = _tree(tmp_path / "a")
    with pytest.raises(InvalidRequest, match="not empty"):
        restore_backup(tmp_path / "b.zip", tmp_path / "a")
    assert _tree(tmp_path / "a") == before


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    _fill(tmp_path / "a")
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        write_backup(tmp_path / "a", tmp_path / "b.zip", cancel=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
    write_backup(tmp_path / "a", tmp_path / "b.zip")
    with pytest.raises(Cancelled):
        restore_backup(tmp_path / "b.zip", tmp_path / "c", cancel=stop)
    assert [path.name for path in (tmp_path / "c").iterdir()] == [".lock"]
    restore_backup(tmp_path / "b.zip", tmp_path / "c")


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    _fill(tmp_path / "a", num=2)
    write_backup(tmp_path / "a", tmp_path / "b.zip")
    whole = (tmp_path / "b.zip").read_bytes()
    refused = 0
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        (tmp_path / "b.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        target = tmp_path / f"c{at}"
        try:
            restore_backup(tmp_path / "b.zip", target)
        except StoreError:
            refused += 1
            assert [path.name for path in target.iterdir()] == [".lock"]
        else:
            assert _tree(target) == {k: v for k, v in _tree(tmp_path / "a").items() if not k.startswith("models/")}
    assert refused > 40


def test_a_backup_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    _fill(tmp_path / "a")
    with sqlite3.connect(tmp_path / "a/records.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v9999'")
    connection.close()
    with pytest.raises(StoreError, match="v9999"):
        write_backup(tmp_path / "a", tmp_path / "b.zip")


def test_the_list_of_members_says_what_is_inside(tmp_path: Path) -> None:
    _fill(tmp_path / "a")
    write_backup(tmp_path / "a", tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        listed = json.loads(archive.read("backup.json"))
        assert {member["name"] for member in listed["members"]} == set(archive.namelist()) - {"backup.json"}
