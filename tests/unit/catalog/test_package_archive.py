"""Registries' clients as sources: a stand-in for npm shows what is accepted and what is left behind."""

import hashlib
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from inkseal.catalog.sources.npm import Npm
from inkseal.core.errors import Cancelled, FetchFailed
from inkseal.core.events import ignore

DATA = b"an archive"


def _location(data: bytes = DATA, **changes: Any) -> dict[str, Any]:
    facts = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {"source": "npm", "package": "@a/b", "version": "1.0.0", "files": {"b.tgz": facts}} | changes


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client that writes its arguments into a log and the archive into its working folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    client = folder / "npm"
    client.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/log"\nprintf "an archive" > out.tgz\n')
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return client


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_the_archive_is_kept_under_its_own_name_and_scripts_are_off(npm: Path, target: Path, tmp_path: Path) -> None:
    Npm().fetch(_location(), target, ignore, threading.Event())
    assert [path.name for path in target.iterdir()] == ["b.tgz"]
    assert (target / "b.tgz").read_bytes() == DATA
    said = (tmp_path / "log").read_text()
    assert "--ignore-scripts" in said
    assert "@a/b@1.0.0" in said


def test_another_archive_is_refused_and_gone(npm: Path, target: Path) -> None:
    with pytest.raises(FetchFailed, match="not the recorded"):
        Npm().fetch(_location(b"another on"), target, ignore, threading.Event())
    assert list(target.iterdir()) == []


def test_a_client_that_fails_is_quoted(npm: Path, target: Path) -> None:
    npm.write_text("#!/bin/sh\necho 'E404 not found' >&2\nexit 1\n")
    with pytest.raises(FetchFailed, match="E404"):
        Npm().fetch(_location(), target, ignore, threading.Event())
    assert list(target.iterdir()) == []


def test_without_the_client_it_says_what_to_install(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FetchFailed, match=r"Node\.js"):
        Npm().fetch(_location(), target, ignore, threading.Event())


@pytest.mark.parametrize("package", ["--version", "../x", "a;b", "A/B/C", "a b", "http://x/y"])
def test_only_names_of_packages_reach_the_client(package: str, npm: Path, target: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed):
        Npm().fetch(_location(package=package), target, ignore, threading.Event())
    assert not (tmp_path / "log").exists()


def test_a_cancel_ends_the_client(npm: Path, target: Path) -> None:
    npm.write_text("#!/bin/sh\nexec sleep 60\n")
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    begin = time.perf_counter()
    with pytest.raises(Cancelled):
        Npm().fetch(_location(), target, ignore, cancel)
    assert time.perf_counter() - begin < 10
    assert list(target.iterdir()) == []
