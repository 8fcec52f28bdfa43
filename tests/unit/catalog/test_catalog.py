"""The catalog: what there is, what is here, and that only recorded files are handed out."""

import os
from pathlib import Path

import pytest

from inkseal.catalog.catalog import Catalog
from inkseal.catalog.verify import verify_files
from inkseal.core.errors import InvalidRequest, ModelFileRefused, ModelMissing, StoreError, UnknownName
from local_hub import card_text


@pytest.fixture
def catalog(data_dir: Path, tmp_path: Path) -> Catalog:
    (tmp_path / "w.gguf").write_bytes(b"weights" * 1000)
    catalog = Catalog(data_dir)
    catalog.bring(tmp_path / "w.gguf", "mine", validate=lambda path: {})
    return catalog


def test_the_list_has_cards_and_what_was_brought(catalog: Catalog) -> None:
    entries = {entry.card.name: entry for entry in catalog.list()}
    assert list(entries) == sorted(entries)
    assert entries["mine"].installed is not None
    assert entries["smollm2-135m-instruct"].installed is None


def test_aliases_lead_to_their_card(catalog: Catalog) -> None:
    assert catalog.card("default").name == "qwen2.5-coder-1.5b-instruct"
    assert catalog.show("tiny").card.name == "smollm2-135m-instruct"


def test_a_name_that_is_nearly_right_is_helped(catalog: Catalog) -> None:
    with pytest.raises(UnknownName) as caught:
        catalog.local("smollm2-135m-instruc")
    assert "smollm2-135m-instruct" in caught.value.fix


def test_a_known_model_that_is_not_here_says_how_to_get_it(catalog: Catalog) -> None:
    with pytest.raises(ModelMissing) as caught:
        catalog.local("tiny")
    assert caught.value.fix == "Run: inkseal models pull smollm2-135m-instruct"


def test_a_user_s_card_replaces_ours(catalog: Catalog, data_dir: Path) -> None:
    (data_dir / "cards").mkdir()
    (data_dir / "cards/x.toml").write_text(card_text("smollm2-135m-instruct", {"w.gguf": b"x"}, [], aliases=["own"]))
    assert Catalog(data_dir).card("own").size_bytes == 1


def test_a_damaged_card_is_named(catalog: Catalog, data_dir: Path) -> None:
    (data_dir / "cards").mkdir()
    (data_dir / "cards/x.toml").write_text("name = ")
    with pytest.raises(StoreError, match=r"x\.toml"):
        Catalog(data_dir).list()


def test_removing_and_removing_again(catalog: Catalog, data_dir: Path) -> None:
    assert catalog.remove("mine")
    with pytest.raises(UnknownName):
        catalog.remove("mine")
    assert not catalog.remove("tiny")
    assert not [path for path in (data_dir / "models").iterdir() if not path.name.startswith(".lock-")]


def test_sizes_are_looked_at_even_without_hashing(catalog: Catalog) -> None:
    file = catalog.local("mine", verify=False).folder / "w.gguf"
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ModelFileRefused, match=r"w\.gguf"):
        catalog.local("mine", verify=False)


def test_a_missing_file_is_named(catalog: Catalog) -> None:
    (catalog.local("mine").folder / "w.gguf").unlink()
    with pytest.raises(ModelFileRefused, match=r"w\.gguf"):
        catalog.local("mine")


def test_verify_files_names_the_changed_one(tmp_path: Path) -> None:
    import hashlib

    names = [f"{number}.bin" for number in range(5)]
    for name in names:
        (tmp_path / name).write_bytes(os.urandom(3_000_000))
    recorded = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names}
    verify_files(tmp_path, recorded)
    (tmp_path / "3.bin").write_bytes(b"x")
    with pytest.raises(ModelFileRefused, match=r"3\.bin.*recorded " + recorded["3.bin"]):
        verify_files(tmp_path, recorded)


@pytest.mark.parametrize("name", ["", "UPPER", "a/b", "../x", "a..b", "con", "x" * 100])
def test_an_impossible_name_is_refused_everywhere(catalog: Catalog, name: str, tmp_path: Path) -> None:
    for call in (catalog.card, catalog.show, catalog.local, catalog.pull, catalog.remove):
        with pytest.raises(InvalidRequest):
            call(name)
    if name:
        with pytest.raises(InvalidRequest):
            catalog.bring(tmp_path / "w.gguf", name, validate=lambda path: {})
