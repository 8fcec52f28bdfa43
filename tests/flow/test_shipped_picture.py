"""The picture model that comes with the repository: fetched from the checkout, and drawing what is asked."""

import io
import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from inkseal import Studio
from inkseal.catalog.catalog import Catalog
from inkseal.core.protocols import LocalModel
from inkseal.formats.picture_model import read_picture_model
from inkseal.modalities.image.request import ImageRequest

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def studio(embedding_model: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    place = tmp_path_factory.mktemp("shipped")
    Catalog(place).pull("picture", offline=True)
    shutil.copytree(embedding_model.folder, place / "models" / embedding_model.name)
    with Studio.open(place) as opened:
        yield opened


def colour(studio: Studio, prompt: str, style: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Returns the mean red, green and blue of what is not nearly white in a picture, each 0 to 255."""
    made = studio.run(ImageRequest.of(prompt, style=style, seed=1))
    content = studio.content(made.artifacts[0].id)
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.float64)
    drawn = pixels.min(axis=2) < 230
    assert 0.1 < drawn.mean() < 0.95, "something on a white ground"
    found: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = pixels[drawn].mean(axis=0)
    return found


@pytest.mark.parametrize(
    ("prompt", "style"),
    [("a red heart", "twemoji"), ("红心", "twemoji"), ("a red apple", "noto"), ("红苹果", "noto")],
)
def test_what_is_red_is_red_in_both_languages(studio: Studio, prompt: str, style: str) -> None:
    red, green, blue = colour(studio, prompt, style)
    assert red > green + 60
    assert red > blue + 60


@pytest.mark.parametrize("prompt", ["a blue apple", "蓝色的苹果"])
def test_what_no_picture_showed_takes_the_colour_that_is_asked_for(studio: Studio, prompt: str) -> None:
    red, green, blue = colour(studio, prompt, "noto")
    assert blue > red + 40
    assert blue > green + 20


@pytest.mark.parametrize("prompt", ["deciduous tree", "落叶树"])
def test_a_tree_is_green_in_both_languages(studio: Studio, prompt: str) -> None:
    red, green, blue = colour(studio, prompt, "noto")
    assert green > red + 20
    assert green > blue + 20


def test_it_fits_the_model_that_reads_prompts_and_the_repository(studio: Studio, embedding_model: LocalModel) -> None:
    local = studio.engines.local_model("picture")
    facts = read_picture_model(local.folder)
    assert facts.embedding_sha256 == embedding_model.sha256
    assert facts.side_px == 64
    assert sum(path.stat().st_size for path in local.folder.iterdir()) <= 60_000_000
