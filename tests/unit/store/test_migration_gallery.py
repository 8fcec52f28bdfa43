"""Records of before the gallery get what it filters by from their manifests, also beside damaged ones."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from inkseal.store import listing
from inkseal.store.listing import Filters
from inkseal.store.store import Store
from old_records import old_records


def test_manifests_fill_the_new_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_records(tmp_path / "data", "v0002", monkeypatch)
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


def test_manifests_say_which_step_of_an_app_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_records(tmp_path / "data", "v0005", monkeypatch)
    apps = [{"name": "story", "step": "draft"}, {"name": "story", "step": "result"}, None]
    with contextlib.closing(sqlite3.connect(tmp_path / "data/records.sqlite")) as connection:
        for number, app in enumerate(apps):
            facts = (f"{number:026}", "text", "text/plain", "0" * 64, 1, "2026-01-01T00:00:00.000Z", "t", "m", "active")
            connection.execute("INSERT INTO artifacts VALUES (?,?,?,?,?,?,?,?,?,'ann','story','cn','allow')", facts)
            body = json.dumps({"app": app}).encode() if app else b'{"app": broken'
            connection.execute("INSERT INTO manifests VALUES (?, '', ?, x'', x'')", (facts[0], body))
        connection.commit()
    with Store.open(tmp_path / "data") as store, store.reading() as session:
        shown = [item.id[-1] for item in listing.page(session, Filters(steps=False))]
        every = [item.id[-1] for item in listing.page(session, Filters())]
    assert (shown, every) == (["2", "1"], ["2", "1", "0"])
