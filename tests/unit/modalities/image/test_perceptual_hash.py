"""Near-equal pictures hash near, others far; the cell means have a closed form."""

import numpy as np

from inkseal.modalities.image.perceptual_hash import difference_hashes, distances


def _random(seed: int, num: int = 1) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (num, 3, 8, 8), dtype=np.uint8)
    return coarse.repeat(8, axis=2).repeat(8, axis=3)


def test_brightness_that_only_rises_hashes_to_ones_and_only_falls_to_zeros() -> None:
    rising = np.broadcast_to(np.arange(64, dtype=np.uint8) * 3, (1, 3, 64, 64))
    assert difference_hashes(np.ascontiguousarray(rising))[0] == np.uint64(2**64 - 1)
    assert difference_hashes(np.ascontiguousarray(rising[..., ::-1]))[0] == 0
    assert difference_hashes(np.full((1, 3, 64, 64), 200, np.uint8))[0] == 0


def test_noise_and_size_hardly_matter() -> None:
    picture = _random(1)
    noise = np.random.default_rng(2).integers(-3, 4, picture.shape)
    noisy = np.clip(picture.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    small = picture[:, :, ::2, ::2]
    first = difference_hashes(picture)
    assert distances(difference_hashes(noisy), first[0])[0] <= 6
    assert distances(difference_hashes(np.ascontiguousarray(small)), first[0])[0] <= 4


def test_others_are_far() -> None:
    hashes = difference_hashes(_random(3, 40))
    for place, one in enumerate(hashes):
        others = np.delete(distances(hashes, one), place)
        assert others.min() > 10


def test_no_pictures_no_hashes() -> None:
    assert difference_hashes(np.zeros((0, 3, 64, 64), np.uint8)).shape == (0,)
