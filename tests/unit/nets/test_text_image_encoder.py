"""The contrastive loss against numpy, and the two towers' promises."""

import numpy as np
import pytest
from scipy.special import log_softmax

torch = pytest.importorskip("torch")

from inkseal.nets.shapes import TextImageShape  # noqa: E402
from inkseal.nets.text_image_encoder import TextImageEncoder, contrastive_loss  # noqa: E402

SHAPE = TextImageShape(text_width=12, widths=(8, 8, 8), blocks=(1, 1, 1), shared_width=10, groups=4)


def test_loss_is_the_mean_of_both_cross_entropies() -> None:
    rng = np.random.default_rng(0)
    logits, texts = rng.standard_normal((5, 5)), np.eye(5, 12)
    expected = -0.5 * (np.mean(np.diag(log_softmax(logits, axis=1))) + np.mean(np.diag(log_softmax(logits, axis=0))))
    assert float(contrastive_loss(torch.from_numpy(logits), torch.from_numpy(texts))) == pytest.approx(expected)


def test_equal_texts_are_not_wrong_ones() -> None:
    rng = np.random.default_rng(1)
    logits, texts = rng.standard_normal((3, 3)), np.eye(3, 12)[[0, 1, 0]]
    loss = contrastive_loss(torch.from_numpy(logits), torch.from_numpy(texts))
    far = logits.copy()
    far[0, 2] = far[2, 0] = 50.0
    torch.testing.assert_close(contrastive_loss(torch.from_numpy(far), torch.from_numpy(texts)), loss)


def test_vectors_are_unit_and_logits_their_scaled_cosines() -> None:
    torch.manual_seed(0)
    model = TextImageEncoder(SHAPE)
    pixels, texts = torch.rand(4, 3, 16, 16), torch.nn.functional.normalize(torch.randn(4, 12), dim=1)
    pictures, words = model.encode_pictures(pixels).detach().numpy(), model.encode_texts(texts).detach().numpy()
    np.testing.assert_allclose(np.linalg.norm(pictures, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(words, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model(pixels, texts).detach().numpy(), pictures @ words.T / 0.07, rtol=1e-4, atol=1e-4)


def test_logits_are_not_rounded_in_low_precision() -> None:
    torch.manual_seed(1)
    model = TextImageEncoder(SHAPE)
    pixels, texts = torch.rand(4, 3, 16, 16), torch.nn.functional.normalize(torch.randn(4, 12), dim=1)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(pixels, texts)
        pictures, words = model.encode_pictures(pixels), model.encode_texts(texts)
    torch.testing.assert_close(logits, (pictures.double() @ words.double().T / 0.07).float(), rtol=1e-5, atol=1e-5)


def test_the_scale_stays_below_a_hundred() -> None:
    model = TextImageEncoder(SHAPE)
    torch.nn.init.constant_(model.log_scale, 20.0)
    out = model(torch.rand(3, 3, 16, 16), torch.nn.functional.normalize(torch.randn(3, 12), dim=1))
    assert float(out.detach().abs().max()) <= 100.01
