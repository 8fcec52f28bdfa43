"""The GAN's losses against their equations, its bound on stretching, and that both nets use the condition."""

import pytest

torch = pytest.importorskip("torch")

from inkseal.nets.adversarial import (  # noqa: E402
    Discriminator,
    Generator,
    hinge_of_discriminator,
    hinge_of_generator,
)
from inkseal.nets.shapes import ConditionalShape  # noqa: E402

SHAPE = ConditionalShape(
    text_width=6, num_tokens=3, num_styles=4, noise_width=5, condition_width=8, widths=(8, 8, 8), groups=4, side=16
)


def _condition() -> tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]:
    return torch.randn(2, 3, 6), torch.ones(2, 3, dtype=torch.bool), torch.tensor([1, 2])


def test_hinge_losses() -> None:
    real, made = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, -0.25, 1.0])
    assert float(hinge_of_discriminator(real, made)) == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 0.75 + 2) / 3)
    assert float(hinge_of_generator(made)) == pytest.approx((3 + 0.25 - 1) / 3)


def test_the_discriminators_kernels_have_norm_one() -> None:
    torch.manual_seed(0)
    judge = Discriminator(SHAPE)
    for _ in range(100):  # each call in training mode sharpens the estimate
        judge(torch.randn(2, 3, 16, 16), *_condition())
    judge.eval()
    for layer in [*judge.layers, judge.score]:
        assert float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) == pytest.approx(1, abs=0.02)


def test_pictures_lie_within_their_bounds_and_follow_noise_and_condition() -> None:
    torch.manual_seed(0)
    maker = Generator(SHAPE)
    for parameter in maker.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    noise, (condition, mask, style) = torch.randn(2, 5), _condition()
    out = maker(noise, condition, mask, style)
    assert out.shape == (2, 3, 16, 16)
    assert float(out.detach().abs().max()) <= 1
    for other in (maker(noise + 1, condition, mask, style), maker(noise, condition, mask, style + 1)):
        assert (other - out).abs().max() > 1e-3


def test_the_judge_looks_at_the_condition() -> None:
    torch.manual_seed(0)
    judge = Discriminator(SHAPE).eval()
    pixels, (condition, mask, style) = torch.randn(2, 3, 16, 16), _condition()
    scores = judge(pixels, condition, mask, style)
    assert scores.shape == (2,)
    assert (judge(pixels, -condition, mask, style) - scores).abs().max() > 1e-5
