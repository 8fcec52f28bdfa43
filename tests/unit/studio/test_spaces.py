"""Pictures are compared with words by what they show, through the encoder of a published model."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkseal.catalog.catalog import Catalog
from inkseal.catalog.shelf import Shelf
from inkseal.core.errors import ModelMissing
from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.formats.picture_model import read_picture_model
from inkseal.formats.text_condition import MAX_CHARS, condition_texts
from inkseal.studio.generate.picture_fit import PictureFit
from inkseal.studio.meaning import joined
from inkseal.studio.spaces import Content, PictureSpace, picture_space
from picture_run import NEVER, carded_pictures, train_pictures

pytest.importorskip("torch", reason="left out: pip install 'inkseal[train]'")
pytest.importorskip("accelerate", reason="left out: pip install 'inkseal[train]'")

DATA = carded_pictures()


def embed(texts: Sequence[str]) -> Any:
    rows = np.array([[len(text) + number % 7 for number in range(512)] for text in texts], np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """A catalog with a picture model that has an encoder, and one that has none."""
    from inkseal.workshop.publish.picture import publish_picture

    place = tmp_path_factory.mktemp("spaces")
    train_pictures(place / "runs", DATA, encoder=True)
    shelf = Shelf(place / "data")
    for name, runs in (("picture", ["flow", "clip"]), ("plain", ["flow"])):
        publish_picture(place / "runs", runs, lambda _: DATA, shelf, name, on_event=ignore, cancel=NEVER)
    return Catalog(place / "data")


def words(models: Catalog) -> LocalModel:
    """The embedding model that the picture model was trained with."""
    sha256 = read_picture_model(models.local("picture").folder).embedding_sha256
    return LocalModel.model_construct(name="embedding", sha256=sha256)


@pytest.fixture
def space(models: Catalog) -> PictureSpace:
    found = picture_space(models.local, words(models), embed)
    assert found is not None
    return found


def content(picture: Image.Image, kind: str = "PNG") -> Content:
    target = io.BytesIO()
    picture.save(target, kind)
    return Content("0" * 64, "image", "nobody asks for the title", target.getvalue())


def drawn(number: int) -> Image.Image:
    return Image.fromarray(DATA.pixels[number].transpose(1, 2, 0))


def test_it_is_there_when_the_picture_model_has_a_measured_encoder(models: Catalog, space: PictureSpace) -> None:
    local = models.local("picture")
    search = read_picture_model(local.folder).search
    assert search is not None
    assert (space.key, space.modality, space.min_cosine) == (local.sha256, "image", search.cosine)
    assert picture_space(lambda _: models.local("plain"), words(models), embed) is None
    another = words(models).model_copy(update={"sha256": "9" * 64})
    assert picture_space(models.local, another, embed) is None, "its vectors say nothing to this encoder"

    def missing(name: str) -> LocalModel:
        raise ModelMissing(f"no {name}")

    assert picture_space(missing, words(models), embed) is None


def test_a_damaged_model_leaves_the_search_by_words(models: Catalog) -> None:
    local = models.local("picture")
    damaged = local.model_copy(update={"files": dict.fromkeys(local.files, "0" * 64)})
    assert picture_space(lambda _: damaged, words(models), embed) is None


def test_a_picture_is_seen_as_in_training_whatever_its_size(models: Catalog, space: PictureSpace) -> None:
    fit = PictureFit(models.local("picture").folder, 1)
    expected = fit.pictures(DATA.pixels[:1].astype(np.float32) / 127.5 - 1)[0]
    large = drawn(0).resize((256, 256), Image.Resampling.NEAREST)
    clear = drawn(0).convert("RGBA")
    colours = np.array(clear)
    colours[(colours[:, :, :3] == 255).all(axis=2)] = (9, 9, 9, 0)
    clear = Image.fromarray(colours)
    for row in space.of_contents([content(drawn(0)), content(large), content(clear)]):
        assert row == pytest.approx(expected, abs=1e-5)
    wide = Image.new("RGB", (128, 64), "white")
    wide.paste(drawn(0), (32, 0))
    assert space.of_contents([content(wide)])[0] is not None


def test_a_damaged_picture_says_nothing_and_harms_no_other(space: PictureSpace) -> None:
    whole, broken = content(drawn(1)), Content("1" * 64, "image", "", b"no picture")
    rows = space.of_contents([broken, whole, broken])
    assert rows[0] is None
    assert rows[2] is None
    assert np.linalg.norm(rows[1]) == pytest.approx(1, abs=1e-3)
    assert space.of_contents([broken]) == [None]


def test_a_query_is_where_the_encoder_reads_it(models: Catalog, space: PictureSpace) -> None:
    fit = PictureFit(models.local("picture").folder, 1)
    pixels = DATA.pixels[:6].astype(np.float32) / 127.5 - 1
    rows = np.stack(space.of_contents([content(drawn(number)) for number in range(6)]))  # type: ignore[arg-type]
    assert rows @ space.of_query("a red disc") == pytest.approx(fit.cosines(embed(["red disc"])[0], pixels), abs=1e-5)


@pytest.mark.parametrize("query", ["A Red DISC", "a\u3000red  disc\n", "Ａ ｒｅｄ ｄｉｓｃ", "Two Foxes " * 300])
def test_a_query_is_read_as_captions_were_in_training(models: Catalog, query: str) -> None:
    asked: list[str] = []

    def watched(texts: Sequence[str]) -> Any:
        asked.extend(texts)
        return embed(texts)

    found = picture_space(models.local, words(models), watched)
    assert found is not None
    found.of_query(query)
    assert asked == [condition_texts(query)[0]]
    assert len(asked[0]) <= MAX_CHARS
    assert asked[0] in ("red disc", ("two foxes " * 300)[:MAX_CHARS].strip())


def test_rankings_that_do_not_compare_are_joined_by_their_ranks() -> None:
    words, looks = [("both", 0.9), ("told", 0.8)], [("seen", 0.3), ("both", 0.2)]
    assert joined([words, looks]) == [("both", 0.9), ("seen", 0.3), ("told", 0.8)]
    assert joined([words]) == words
    assert joined([[], looks]) == looks
    assert joined([[], []]) == []
