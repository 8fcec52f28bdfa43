"""Any model of the hub can be pulled: pinned to a commit, every file proven, nothing that runs code."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkseal.catalog.card import card_text, read_card
from inkseal.catalog.catalog import Catalog
from inkseal.core.errors import FetchFailed, InvalidRequest, ModelFileRefused
from local_hub import COMMIT, LocalHub, local_hub, offer

WEIGHTS = os.urandom(100_000)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    with local_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


def test_safetensors_come_with_their_configs_and_without_pickles(data_dir: Path, hub: LocalHub) -> None:
    small = {"config.json": b'{"a": 1}', "tokenizer.json": b"{}", "README.md": b"#", "modeling_x.py": b"evil"}
    offer(
        hub,
        {"model.safetensors": WEIGHTS, "pytorch_model.bin": b"pickle"},
        small,
        safetensors={"parameters": {}, "total": 9},
    )
    catalog = Catalog(data_dir)
    card = catalog.adopt("owner/Some-Model")
    assert (card.name, card.format, card.parameters, card.licence.upstream) == ("some-model", "safetensors", 9, "mit")
    assert {file.name for file in card.files} == {"model.safetensors", "config.json", "tokenizer.json"}
    assert card.sources[0] == {"source": "hub", "repo": "owner/Some-Model", "revision": COMMIT}
    assert read_card(data_dir / "cards/some-model.toml") == card
    model = Catalog(data_dir).pull("some-model", validate=lambda path: {"context_tokens": 77})
    assert (model.folder / "config.json").read_bytes() == small["config.json"]
    assert model.context_tokens == 77
    assert not list(model.folder.rglob("*.py"))


def test_one_gguf_is_chosen_or_asked_for(data_dir: Path, hub: LocalHub) -> None:
    offer(hub, {"m-q8_0.gguf": WEIGHTS, "m-q4_k_m.gguf": WEIGHTS}, gguf={"total": 5, "context_length": 4096})
    card = Catalog(data_dir).adopt("owner/Some-Model", name="mine")
    assert [file.name for file in card.files] == ["m-q4_k_m.gguf"]
    assert (card.context_tokens, card.parameters) == (4096, 5)
    assert [f.name for f in Catalog(data_dir).adopt("owner/Some-Model", file="m-q8_0.gguf").files] == ["m-q8_0.gguf"]
    offer(hub, {"m-q8_0.gguf": WEIGHTS, "m-q5_0.gguf": WEIGHTS})
    with pytest.raises(InvalidRequest) as caught:
        Catalog(data_dir).adopt("owner/Some-Model", name="other")
    assert "m-q5_0.gguf, m-q8_0.gguf" in caught.value.fix


def test_only_pickles_is_refused(data_dir: Path, hub: LocalHub) -> None:
    offer(hub, {"pytorch_model.bin": b"pickle"})
    for file in ("", "pytorch_model.bin"):
        with pytest.raises(ModelFileRefused):
            Catalog(data_dir).adopt("owner/Some-Model", file=file)
    assert not (data_dir / "cards").exists()


def test_a_small_file_that_came_changed_is_refused(data_dir: Path, hub: LocalHub) -> None:
    offer(hub, {"model.safetensors": WEIGHTS}, {"config.json": b"{}"})
    hub.files["config.json"] = b"[]"
    with pytest.raises(FetchFailed, match="changed"):
        Catalog(data_dir).adopt("owner/Some-Model")


@pytest.mark.parametrize("repo", ["", "x", "../x", "a/b/c", "a/..", "https://x/y", "a/b?c", "a b/c", "-a/b"])
def test_what_is_no_repository_is_not_asked_for(data_dir: Path, hub: LocalHub, repo: str) -> None:
    with pytest.raises(InvalidRequest):
        Catalog(data_dir).adopt(repo)
    assert hub.requests == []


@pytest.mark.parametrize("name", ["../../x.gguf", "/x.gguf", "a\\b.gguf"])
def test_a_listing_with_hostile_names_is_refused(data_dir: Path, hub: LocalHub, name: str) -> None:
    offer(hub, {name: WEIGHTS})
    with pytest.raises(InvalidRequest):
        Catalog(data_dir).adopt("owner/Some-Model", name="m")


def test_an_unknown_repository_and_a_dead_hub_are_told_apart(
    data_dir: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidRequest, match="owner/nothing"):
        Catalog(data_dir).adopt("owner/nothing")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(FetchFailed, match="out of reach"):
        Catalog(data_dir).adopt("owner/Some-Model")


def test_a_name_that_is_taken_is_refused_and_adopting_again_updates(data_dir: Path, hub: LocalHub) -> None:
    offer(hub, {"m.gguf": WEIGHTS})
    catalog = Catalog(data_dir)
    for name in ("tiny", "smollm2-135m-instruct"):
        with pytest.raises(InvalidRequest, match="already"):
            catalog.adopt("owner/Some-Model", name=name)
    catalog.adopt("owner/Some-Model", name="mine")
    offer(hub, {"m.gguf": WEIGHTS + b"new"})
    assert catalog.adopt("owner/Some-Model", name="mine").size_bytes == len(WEIGHTS) + 3


def test_every_card_of_the_package_survives_being_written(tmp_path: Path) -> None:
    for card in Catalog(tmp_path).cards.values():
        (tmp_path / "card.toml").write_text(card_text(card))
        assert read_card(tmp_path / "card.toml") == card
