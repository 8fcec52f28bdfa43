"""Records of before the gallery get what it filters by from their manifests, also beside damaged ones."""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from inkseal.store import listing, schema
from inkseal.store.listing import Filters
from inkseal.store.store import Store


def _old(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a data folder of the schema before the gallery."""
    known = folder / "known"
    shutil.copytree(Path(schema.__file__).parent / "migrations", known)
    for path in (known / "versions").glob("v0*.py"):
        if path.stem >= "v0003":
            path.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "_MIGRATIONS", known)
        Store.open(folder / "data").close()


def test_manifests_fill_the_new_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _old(tmp_path, monkeypatch)
    actions = ("allow", "flag", "redact", "flag")
    said = [{"check": f"c{n}", "stage": "result", "action": action} for n, action in enumerate(actions)]
    bodies = [json.dumps({"regime": "eu", "verdicts": said}), '{"regime": broken', json.dumps({"verdicts": [{}, 1]})]
    with contextlib.closing(sqlite3.connect(tmp_path / "data/records.sqlite")) as connection:
        for number, body in enumerate(bodies):
            facts = (f"{number:026}", "text", "text/plain", "0" * 64, 1, "2026-01-01T00:00:00.000Z", "t", "m", "active")
            connection.execute("INSERT INTO artifacts VALUES (?,?,?,?,?,?,?,?,?,'ann')", facts)
            connection.execute("INSERT INTO manifests VALUES (?, '', ?, x'', x'')", (facts[0], body.encode()))
        connection.execute("INSERT INTO fingerprints VALUES (?, 'meaning', x'00')", ("0" * 26,))
        connection.execute("INSERT INTO fingerprints VALUES (?, 'letters', x'00')", ("0" * 26,))
        connection.commit()
    with Store.open(tmp_path / "data") as store, store.reading() as session:
        third, second, first = listing.page(session, Filters(), owner="ann")
        kinds = session.connection().exec_driver_sql("SELECT kind FROM fingerprints").scalars().all()
    assert (first.regime, first.verdict) == ("eu", "redact")
    assert [(flag.check, flag.action) for flag in first.flags] == [("c1", "flag"), ("c2", "redact"), ("c3", "flag")]
    assert {(item.regime, item.verdict, item.flags) for item in (second, third)} == {("", "allow", ())}
    assert kinds == ["letters"]
