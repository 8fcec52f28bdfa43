"""The cards in the package are complete, and what a card may say is bounded."""

from pathlib import Path

import pytest

from inkseal.catalog.card import Licence, read_card
from inkseal.catalog.catalog import Catalog
from inkseal.catalog.sources.folder import CHECKOUT
from inkseal.catalog.verify import hash_file
from inkseal.core.errors import StoreError
from inkseal.core.language import use_language
from local_hub import card_text

CARDS = sorted((Path(read_card.__code__.co_filename).parent / "cards").glob("*.toml"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_of_the_package_is_complete(path: Path) -> None:
    card = read_card(path)
    assert card.name == path.stem
    assert card.licence.upstream
    assert card.licence.upstream_url.startswith("https://") or card.licence.own or not card.files
    assert card.licence.own == (card.data is not None), "what we trained tells on what"
    assert {str(card.title), str(card.description), str(card.limits)} != {""}
    for entry in card.sources:
        for part in entry.get("parts", ()):
            assert part["file"] in {file.name for file in card.files}
    shipped = {entry["source"] for entry in card.sources} == {"folder"}
    for file in card.files:
        if shipped:
            whole = CHECKOUT / "models" / card.name / file.name
            assert (whole.stat().st_size, hash_file(whole)) == (file.size_bytes, file.sha256)
            continue
        sizes = [
            sum(part["size_bytes"] for part in entry["parts"] if part["file"] == file.name)
            for entry in card.sources
            if entry["source"] == "package_registry"
        ]
        assert set(sizes) == {file.size_bytes}, "every entry delivers the whole file"


def test_aliases_name_one_card_each(tmp_path: Path) -> None:
    cards = Catalog(tmp_path).cards
    aliases = [alias for card in cards.values() for alias in card.aliases]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(cards)
    assert {"default", "small", "tiny", "embedding"} <= set(aliases)


def test_sources_are_tried_in_the_documented_order() -> None:
    order = ["hub", "folder", "package_registry", "url"]
    for path in CARDS:
        names = [entry["source"] for entry in read_card(path).sources]
        assert names == sorted(names, key=order.index)


def test_a_licence_says_both_what_the_makers_and_what_the_package_state() -> None:
    assert str(Licence(upstream="Apache-2.0")) == "Apache-2.0 (upstream)"
    assert str(Licence(upstream="Apache-2.0", package="")) == "Apache-2.0 (upstream); the package states: nothing"
    assert str(Licence(upstream="Apache-2.0", own=True)) == "Apache-2.0", "nobody stands upstream"
    with use_language("zh"):
        assert str(Licence(upstream="Apache-2.0", package="MIT")) == "Apache-2.0（上游）；软件包声明：MIT"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "m"', 'name = "../m"'),
        ('name = "w.gguf"', 'name = "../w.gguf"'),
        ('name = "w.gguf"', 'name = "/w.gguf"'),
        ('name = "w.gguf"', 'name = "model.json"'),
        ("size_bytes = 1", "size_bytes = -1"),
        ('format = "gguf"', 'format = "../gguf"'),
        ('task = "generate"', ""),
        ('task = "generate"', 'task = "generate"\nunknown = 1'),
        ('source = "folder"', "source = 3"),
        ("name", "name ="),
    ],
)
def test_a_card_that_is_off_is_refused_with_its_name(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "m.toml"
    whole = card_text("m", {"w.gguf": b"x"}, [{"source": "folder"}])
    file.write_text(whole)
    assert read_card(file).name == "m"
    assert old in whole
    file.write_text(whole.replace(old, new, 1))
    with pytest.raises(StoreError, match=r"m\.toml"):
        read_card(file)


def test_a_font_is_a_card_too(tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    text = card_text("some-font", {"f.ttf": b"x"}, [], format="font")
    file.write_text(text.replace('task = "generate"', 'task = "font"'))
    assert read_card(file).task == "font"
