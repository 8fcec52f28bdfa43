"""The autoencoder's parts against closed forms and torch's own distributions."""

import pytest

torch = pytest.importorskip("torch")

from inkseal.nets.autoencoder import (  # noqa: E402
    Autoencoder,
    ConditionalAutoencoder,
    ResidualBlock,
    kl_to_standard_normal,
    sample_posterior,
)
from inkseal.nets.shapes import AutoencoderShape, ConditionalShape  # noqa: E402

SHAPE = AutoencoderShape(
    widths=(8, 12, 16), encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 2), latent_channels=5, groups=4
)


def test_kl_is_that_of_torchs_distributions() -> None:
    mean, log_variance = torch.randn(4, 5), torch.randn(4, 5)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (0.5 * log_variance).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected)


def test_draws_have_the_mean_and_the_variance_they_were_asked_for() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.full((200_000,), 3.0), torch.full((200_000,), -1.0)
    drawn = sample_posterior(mean, log_variance)
    assert abs(float(drawn.mean()) - 3) < 0.01
    assert abs(float(drawn.var().log()) + 1) < 0.02


def test_gradients_reach_mean_and_variance_as_the_reparameterisation_says() -> None:
    mean, log_variance = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    torch.manual_seed(1)
    drawn = sample_posterior(mean, log_variance)
    drawn.sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(3))
    torch.testing.assert_close(log_variance.grad, 0.5 * drawn.detach())  # z = e^{l/2}·ε, so dz/dl = z/2 at mean 0


def test_shapes_and_sizes() -> None:
    pixels = torch.rand(2, 3, 32, 48) * 2 - 1
    out, mean, log_variance = Autoencoder(SHAPE)(pixels)
    assert out.shape == pixels.shape
    assert mean.shape == log_variance.shape == (2, 5, 4, 6)


def test_number_of_weights() -> None:
    def conv(inputs: int, outputs: int, side: int) -> int:
        return inputs * outputs * side * side + outputs

    def block(width: int) -> int:
        return 2 * conv(width, width, 3) + 4 * width

    down = conv(12, 8, 3) + block(8) + conv(8, 12, 3) + block(12) + conv(12, 16, 3) + block(16) + conv(16, 10, 1)
    up = conv(5, 16, 3) + 2 * block(16) + conv(16, 48, 1) + block(12) + conv(12, 32, 1) + block(8) + 16 + conv(8, 12, 3)
    assert sum(p.numel() for p in Autoencoder(SHAPE).parameters()) == down + up


def test_a_block_begins_as_the_identity_whatever_the_condition() -> None:
    x, condition = torch.randn(2, 8, 4, 4), torch.randn(2, 6)
    assert torch.equal(ResidualBlock(8, 4, 6)(x, condition), x)


def test_a_moved_picture_moves_its_latents() -> None:
    """Away from the edges, a shift by 8 pixels is a shift by one latent; group norms see the same values elsewhere."""
    torch.manual_seed(0)
    model = Autoencoder(SHAPE.model_copy(update={"groups": 1})).eval()
    picture = torch.zeros(1, 3, 128, 128)
    picture[:, :, 56:72, 56:72] = torch.rand(3, 16, 16)
    mean, _ = model.encode(picture)
    moved, _ = model.encode(picture.roll(8, dims=3))
    torch.testing.assert_close(moved[..., 5:12], mean[..., 4:11], atol=1e-5, rtol=1e-4)


def test_the_conditional_one_uses_condition_and_latent() -> None:
    shape = ConditionalShape(
        text_width=6, num_tokens=3, num_styles=4, noise_width=5, condition_width=8, widths=(8, 8, 8), groups=4, side=16
    )
    torch.manual_seed(0)
    model = ConditionalAutoencoder(shape)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    condition, mask, style = torch.randn(2, 3, 6), torch.ones(2, 3, dtype=torch.bool), torch.tensor([1, 2])
    latent = torch.randn(2, 5)
    out = model.generate(latent, condition, mask, style)
    assert out.shape == (2, 3, 16, 16)
    for other in (
        model.generate(latent + 1, condition, mask, style),
        model.generate(latent, condition + 1, mask, style),
        model.generate(latent, condition, mask, style + 1),
        model.generate(latent, condition, ~mask, style),
    ):
        assert (out - other).abs().max() > 1e-3
    hidden = torch.zeros(2, 3, dtype=torch.bool)
    torch.testing.assert_close(
        model.generate(latent, condition, hidden, style), model.generate(latent, condition + 1, hidden, style)
    )
