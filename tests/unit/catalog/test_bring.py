"""Importing: the user's files become a model, copied whole, hashed while copied, and described by a card."""

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inkseal.catalog.catalog import Catalog
from inkseal.core.errors import Cancelled, InvalidRequest, ModelFileRefused
from inkseal.core.events import Event

WEIGHTS = b"GGUF" + bytes(range(256)) * 2000


def facts(path: Path) -> Mapping[str, Any]:
    """Stands for the format's own reader."""
    if not path.read_bytes().startswith(b"GGUF"):
        raise ModelFileRefused(f"{path.name}: not GGUF")
    return {"context_tokens": 2048, "parameters": 7, "languages": ["zh"], "licence": "MIT", "chat": True, "task": None}


def anything(path: Path) -> Mapping[str, Any]:
    return {}


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    file = tmp_path / "My Model.Q4_K_M.gguf"
    file.write_bytes(WEIGHTS)
    return file


def test_a_file_becomes_a_model(data_dir: Path, model_file: Path) -> None:
    catalog = Catalog(data_dir)
    heard: list[Event] = []
    model = catalog.bring(model_file, validate=facts, on_event=heard.append)
    assert model.name == "my-model.q4_k_m"
    assert model.files == {"My Model.Q4_K_M.gguf": hashlib.sha256(WEIGHTS).hexdigest()}
    assert (model.format, model.context_tokens, model.licence) == ("gguf", 2048, "MIT (upstream)")
    assert Catalog(data_dir).local(model.name) == model
    entry = Catalog(data_dir).show(model.name)
    assert entry.installed is not None
    assert entry.installed.source == str(model_file)
    assert (entry.card.parameters, entry.card.profile.chat) == (7, True)
    assert heard
    assert model_file.read_bytes() == WEIGHTS


def test_a_folder_becomes_a_model_and_only_what_is_known_comes_along(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hf"
    for name in (
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "sub/vocab.txt",
        "LICENSE",
        "modeling.py",
        ".git/x",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    model = Catalog(data_dir).bring(folder, "mine", validate=anything, licence="Apache-2.0")
    assert set(model.files) == {"model.safetensors", "config.json", "tokenizer.json", "sub/vocab.txt", "LICENSE"}
    assert model.format == "safetensors"
    assert not list(model.folder.rglob("*.py"))


def test_an_openvino_folder_keeps_its_plain_weights(data_dir: Path, tmp_path: Path) -> None:
    for name in ("openvino_model.xml", "openvino_model.bin"):
        (tmp_path / name).write_text("x")
    model = Catalog(data_dir).bring(tmp_path, "ir", validate=anything)
    assert model.format == "openvino"
    assert len(model.files) == 2


def test_links_within_the_folder_are_copied_as_files(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    (folder / "blobs").mkdir(parents=True)
    (folder / "blobs" / "w.gguf").write_bytes(WEIGHTS)
    (folder / "again.gguf").symlink_to("blobs/w.gguf")
    model = Catalog(data_dir).bring(folder, validate=facts)
    assert not (model.folder / "again.gguf").is_symlink()


@pytest.mark.parametrize("name", ["default", "tiny", "smollm2-135m-instruct"])
def test_the_name_of_a_card_is_taken(data_dir: Path, model_file: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="already"):
        Catalog(data_dir).bring(model_file, name, validate=facts)


def test_a_brought_model_is_not_replaced_unasked(data_dir: Path, model_file: Path) -> None:
    catalog = Catalog(data_dir)
    catalog.bring(model_file, "mine", validate=facts)
    with pytest.raises(InvalidRequest, match="already"):
        catalog.bring(model_file, "mine", validate=facts)
    assert catalog.remove("mine")
    catalog.bring(model_file, "mine", validate=facts)


@pytest.mark.parametrize("what", ["nothing", "empty folder", "no weights", "empty file"])
def test_where_there_is_no_model_it_says_so(data_dir: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "m"
    if what != "nothing":
        path.mkdir()
    if what == "no weights":
        (path / "config.json").write_text("{}")
    if what == "empty file":
        (path / "w.gguf").touch()
    with pytest.raises((InvalidRequest, ModelFileRefused)):
        Catalog(data_dir).bring(path, "m", validate=anything)
    assert Catalog(data_dir).shelf.names() == []


def test_what_the_reader_refuses_leaves_nothing(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"not it")
    with pytest.raises(ModelFileRefused, match="not GGUF"):
        Catalog(data_dir).bring(tmp_path / "bad.gguf", validate=facts)
    assert [path.name for path in (data_dir / "models").iterdir()] == [".lock-bad"]


def test_facts_that_no_card_can_hold_are_refused(data_dir: Path, model_file: Path) -> None:
    with pytest.raises(ModelFileRefused, match="parameters"):
        Catalog(data_dir).bring(model_file, validate=lambda path: {"parameters": "many"})


def test_cancelling_leaves_nothing(data_dir: Path, model_file: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        Catalog(data_dir).bring(model_file, "m", validate=facts, cancel=stop)
    assert not (data_dir / "models/.partial-m").exists()
