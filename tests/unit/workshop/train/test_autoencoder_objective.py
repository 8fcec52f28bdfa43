"""PSNR, reconstruction errors and variations against numpy."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inkseal.workshop.train.objectives.autoencoder import psnr_db, reconstruction_errors, vary  # noqa: E402


def test_psnr_is_that_of_bytes() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (2, 3, 8, 8))
    expected = 20 * np.log10(255) - 10 * np.log10(np.mean((a - b) ** 2))
    error = torch.from_numpy(a / 127.5 - b / 127.5).square().mean()
    assert psnr_db(error).item() == pytest.approx(expected)


def test_errors() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 2, 3, 5, 4))
    found = {name: value.item() for name, value in reconstruction_errors(*map(torch.from_numpy, (a, b))).items()}
    steps = [np.abs(np.diff(a, axis=axis) - np.diff(b, axis=axis)).mean() for axis in (2, 3)]
    expected = {"absolute": np.abs(a - b).mean(), "squared": ((a - b) ** 2).mean(), "gradient": sum(steps)}
    assert found == pytest.approx(expected)


def test_variations_are_as_frequent_as_asked_and_keep_every_value() -> None:
    pixels = torch.arange(3 * 2 * 4.0).reshape(1, 3, 2, 4).expand(3000, 3, 2, 4)
    varied = vary(pixels, np.random.default_rng(0), mirror=0.3, swap_colours=0.6).numpy()
    original = pixels[0].numpy()
    mirrored = np.all(np.diff(varied[:, 0], axis=2) < 0, axis=(1, 2))
    assert abs(mirrored.mean() - 0.3) < 0.03
    unmirrored = np.where(mirrored[:, None, None, None], varied[..., ::-1], varied)
    orders = {tuple(np.argsort(picture[:, 0, 0]).tolist()) for picture in unmirrored}
    assert len(orders) == 6
    same = np.all(unmirrored == original, axis=(1, 2, 3))
    assert abs(same.mean() - (0.4 + 0.6 / 6)) < 0.03
    assert all(sorted(picture.ravel().tolist()) == sorted(original.ravel().tolist()) for picture in varied[:50])


def test_nothing_is_varied_when_nobody_asks() -> None:
    pixels = torch.rand(4, 3, 8, 8)
    assert torch.equal(vary(pixels, np.random.default_rng(0), 0.0, 0.0), pixels)
