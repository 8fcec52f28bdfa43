"""Latents of a whole dataset: what is kept, in which scale, and that they fit the autoencoder they came from."""

import threading
from pathlib import Path

import numpy as np
import pytest

from inkseal.core.errors import Cancelled, InvalidRequest
from inkseal.core.events import ignore
from inkseal.workshop.train.latents import LATENTS, Latents, encode_all
from inkseal.workshop.train.loop import train
from inkseal.workshop.train.objectives.flow_matching import check_latents
from inkseal.workshop.train.picture_batches import to_pixels
from picture_maker import make_pictures
from small_run import small_recipe

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
DATA = make_pictures(40)
NEVER = threading.Event()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "small"
    train(small_recipe(steps=10), DATA, folder, fresh=False, on_event=ignore, cancel=NEVER)
    return folder


def test_they_have_zero_mean_and_unit_variance_over_the_training_split(source: Path, tmp_path: Path) -> None:
    latents = encode_all(DATA, source.parent, source.name, tmp_path, ignore, NEVER).of(DATA.places("train"))
    assert latents.shape == (30, 4, 8, 8)
    assert float(latents.mean(dim=(0, 2, 3)).abs().max()) < 2e-3
    torch.testing.assert_close(latents.std(dim=(0, 2, 3), correction=0), torch.ones(4), atol=2e-3, rtol=0)


def test_decoding_gives_what_the_autoencoder_itself_would(source: Path, tmp_path: Path) -> None:
    latents = encode_all(DATA, source.parent, source.name, tmp_path, ignore, NEVER)
    rows = np.array([3, 11])
    with torch.no_grad():
        mean, _ = latents.autoencoder.encode(to_pixels(DATA, rows))
        expected = latents.autoencoder.decode(mean)
        found = latents.to_pixels(latents.of(rows))
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=0)  # latents are kept in half precision


def test_mirrored_pictures_have_latents_of_their_own(source: Path, tmp_path: Path) -> None:
    latents = encode_all(DATA, source.parent, source.name, tmp_path, ignore, NEVER, mirrored=True)
    rows = np.array([3, 11])
    with torch.no_grad():
        mean, _ = latents.autoencoder.encode(to_pixels(DATA, rows).flip(3))
        expected = latents.autoencoder.decode(mean)
        found = latents.to_pixels(latents.of(rows, np.array([True, True])))
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=0)
    one = latents.of(rows, np.array([False, True]))
    assert torch.equal(one[0], latents.of(rows)[0])
    assert not torch.equal(one[1], latents.of(rows)[1])


def test_a_later_autoencoder_does_not_change_them(source: Path, tmp_path: Path) -> None:
    first = encode_all(DATA, source.parent, source.name, tmp_path, ignore, NEVER)
    kept = (tmp_path / LATENTS).read_bytes()
    again = encode_all(DATA, tmp_path, "gone", tmp_path, ignore, NEVER)
    assert (tmp_path / LATENTS).read_bytes() == kept
    weights = zip(first.autoencoder.state_dict().values(), again.autoencoder.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_a_stop_keeps_nothing(source: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        encode_all(DATA, source.parent, source.name, tmp_path, ignore, stop)
    assert not (tmp_path / LATENTS).exists()


def test_facts_are_enough_to_decode(source: Path, tmp_path: Path) -> None:
    facts = encode_all(DATA, source.parent, source.name, tmp_path, ignore, NEVER).facts()
    opened = Latents(tmp_path)
    np.testing.assert_array_equal(np.array(facts["latent_mean"], np.float32), opened.mean)
    np.testing.assert_array_equal(np.array(facts["latent_std"], np.float32), opened.std)
    assert facts["autoencoder"]["latent_channels"] == 4


def test_latents_of_another_shape_are_refused() -> None:
    check_latents((4, 8, 8), (4, 8, 8))
    with pytest.raises(InvalidRequest, match="channels"):
        check_latents((4, 8, 8), (16, 8, 8))
