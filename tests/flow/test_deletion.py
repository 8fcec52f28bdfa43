"""Deletion: what is gone is gone from the disk, what stays is said, and a kill or a full disk leaves nothing half."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkseal import Studio, TextRequest
from inkseal.core.errors import Deleted, NotEnoughSpace, UnknownName
from inkseal.modalities.image.request import ImageRequest
from inkseal.store import vectors
from inkseal.store.listing import Filters
from inkseal.store.records import ErasureRow, FingerprintRow, VectorRow

SECRET = "the kingfisher over the mill pond is blue for as long as one blinks 翠鸟掠过磨坊的池塘"
WORDS = ("kingfisher", "翠鸟", "磨坊")


@pytest.fixture
def studio(data_dir: Path) -> Iterator[Studio]:
    with Studio.open() as opened:
        yield opened


def _make(studio: Studio, text: str = SECRET, **fields: object) -> str:
    return studio.run(TextRequest.of(text, model="echo", **fields)).artifacts[0].id


def _on_disk(folder: Path, words: tuple[str, ...] = WORDS) -> set[str]:
    """Returns the words that are anywhere in the folder's files, free pages and logs too."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found |= {word for word in words if word.encode() in data}
    return found


def test_what_was_deleted_is_in_no_file_any_more(studio: Studio, data_dir: Path) -> None:
    import numpy as np

    kept = _make(studio, "a heron in the reeds")
    made = _make(studio)
    (found,) = studio.gallery.page(Filters(), "翠鸟").artifacts
    with studio.store.transaction() as session:
        vectors.put(session, "m", {found.id: vectors.encode(np.ones(512, np.float32))})
    assert _on_disk(data_dir) == set(WORDS)
    account = studio.deleter.delete(made)
    assert _on_disk(data_dir) == set()
    assert {item.thing for item in account.removed} >= {"content", "title", "words", "fingerprints", "vectors"}
    with studio.store.reading() as session:
        assert session.query(FingerprintRow).filter_by(artifact_id=made).count() == 0
        assert session.query(VectorRow).count() == 0
        assert session.query(ErasureRow).count() == 0
    assert studio.gallery.page(Filters(), "kingfisher").artifacts == ()
    assert [item.id for item in studio.gallery.page(Filters()).artifacts] == [kept]
    assert [item.id for item in studio.gallery.page(Filters(), "heron").artifacts] == [kept]
    assert studio.verify(SECRET.encode()).relation == "not_found"


def test_the_words_that_asked_for_a_picture_go_with_it(studio: Studio, data_dir: Path) -> None:
    import numpy as np

    made = studio.run(ImageRequest.of(SECRET, model="echo")).artifacts[0]
    with studio.store.transaction() as session:
        (unread,) = vectors.unread(session, "m", 2)
        vectors.put(session, "m", {unread.id: vectors.encode(np.ones(512, np.float32))})
    assert unread == (made.id, made.sha256, "image", made.title)
    assert SECRET.startswith(made.title[:-1])
    assert _on_disk(data_dir) == set(WORDS)
    studio.deleter.delete(made.id)
    assert _on_disk(data_dir) == set()
    assert studio.gallery.one(made.id).title == ""
    with studio.store.reading() as session:
        assert session.query(VectorRow).count() == 0
        assert vectors.unread(session, "m", 2) == []
    assert studio.gallery.page(Filters(), "kingfisher").artifacts == ()


def test_the_ledger_keeps_that_it_was_there(studio: Studio) -> None:
    parent = _make(studio)
    child = _make(studio, "made from it", parents=(parent,))
    studio.export_bytes(parent, "markdown")
    sealed = studio.gallery.one(parent).sha256
    before = studio.deleter.account(parent)
    account = studio.deleter.delete(parent, by="key-1")
    assert before.deleted_at is None
    assert account.deleted_at is not None
    assert studio.deleter.delete(parent) == account == studio.deleter.account(parent)
    assert {item.thing for item in account.remains} == {"ledger", "manifest", "run", "exports", "children", "copies"}
    assert studio.verify_ledger().valid
    history = studio.gallery.descent(parent).history
    assert [entry.kind for entry in history] == ["artifact_sealed", "exported", "artifact_deleted"]
    assert history[-1].body == {"artifact_id": parent, "content_sha256": sealed, "by": "key-1"}
    assert history[-1].seq == account.ledger_seq
    assert studio.manifest(parent).manifest.content_sha256 == sealed
    nodes = {node.id: node for node in studio.gallery.descent(child).nodes}
    assert (nodes[parent].state, nodes[parent].title, nodes[parent].valid) == ("deleted", "", True)
    assert [item.id for item in studio.gallery.page(Filters(state="deleted")).artifacts] == [parent]


def test_a_deleted_content_is_refused_with_its_reason(studio: Studio) -> None:
    made = _make(studio)
    studio.deleter.delete(made)
    for deed in (lambda: studio.content(made), lambda: studio.export_bytes(made, "markdown")):
        with pytest.raises(Deleted, match="deleted"):
            deed()
    with pytest.raises(UnknownName):
        studio.deleter.delete("0" * 26)


def test_a_file_that_was_exported_before_still_verifies(studio: Studio) -> None:
    made = _make(studio)
    data, _ = studio.export_bytes(made, "html")
    studio.deleter.delete(made)
    found = studio.verify(data, "a.html")
    assert (found.relation, found.artifact_id, found.deleted, found.standing) == ("exact", made, True, "trusted")


def test_a_content_stays_as_long_as_another_artifact_has_it(studio: Studio, data_dir: Path) -> None:
    first, second = _make(studio), _make(studio)
    account = studio.deleter.delete(first)
    assert "content" not in {item.thing for item in account.removed}
    assert second in next(item.text for item in account.remains if item.thing == "same_content")
    assert studio.content(second).decode() == SECRET
    assert [item.id for item in studio.gallery.page(Filters(), "kingfisher").artifacts] == [second]
    studio.deleter.delete(second)
    assert _on_disk(data_dir) == set()


def test_a_content_that_is_made_again_while_it_is_deleted_is_there(studio: Studio) -> None:
    first = _make(studio)
    recorder, sign = studio.recorder, studio.recorder._sign

    def slow(*arguments: object) -> object:
        # The new content is stored by now and its record is not: the one moment in which a deletion could take it.
        studio.deleter.delete(first)
        return sign(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recorder, "_sign", slow)
        second = _make(studio)
    assert studio.content(second).decode() == SECRET


KILLED = """
import os, signal, sys
from inkseal import Studio
from inkseal.store import erasure, words
from inkseal.store.blobs import Blobs
from inkseal.store.store import Store
from inkseal.studio.provenance.sealer import Sealer
def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)
owner, name = {"erase": (words, "erase"), "file": (Blobs, "delete"), "log": (Store, "write_back"),
    "head": (Sealer, "committed")}[sys.argv[2]]
with Studio.open() as studio:
    setattr(owner, name, die)
    studio.deleter.delete(sys.argv[1])
"""


@pytest.mark.parametrize(("stage", "deleted"), [("erase", False), ("file", True), ("log", True), ("head", True)])
def test_a_kill_leaves_it_there_or_gone_and_the_next_start_finishes(data_dir: Path, stage: str, deleted: bool) -> None:
    with Studio.open() as studio:
        made = _make(studio)
    died = subprocess.run([sys.executable, "-c", KILLED, made, stage], check=False)
    assert died.returncode == -signal.SIGKILL
    with Studio.open() as studio:
        assert studio.verify_ledger().valid
        history = [entry.kind for entry in studio.gallery.descent(made).history]
        assert history == ["artifact_sealed"] + ["artifact_deleted"] * deleted
        if deleted:
            assert studio.gallery.one(made).state == "deleted"
            assert _on_disk(data_dir) == set()
        else:
            assert studio.content(made).decode() == SECRET
            assert [item.id for item in studio.gallery.page(Filters(), "翠鸟").artifacts] == [made]
        assert _make(studio, "and it goes on")


def test_a_full_disk_changes_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with Studio.open(folder) as studio:
            made = _make(studio)
            filler = folder / "filler"
            with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
                while True:
                    file.write(b"\0" * 4096)
            with pytest.raises(NotEnoughSpace):
                studio.deleter.delete(made)
            assert studio.content(made).decode() == SECRET
            assert studio.gallery.one(made).state == "active"
            filler.unlink()
            assert studio.deleter.delete(made).deleted_at is not None
            assert _on_disk(folder) == set()
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
