"""How data becomes noise and noise data: the discrete schedules and steps of DDPM, and straight flow matching paths.

Time 0 is data; the last time is noise. Broadcasts over whatever comes after the batch.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Generator, Tensor

ReverseVariance = Literal["beta", "posterior"]


def linear_betas(num_steps: int, first: float = 1e-4, last: float = 0.02) -> Tensor:
    """Returns the noise variances β_1…β_T, [T] float64.

    Source: Ho, Jain and Abbeel 2020, "Denoising Diffusion Probabilistic Models", section 4.
    """
    return torch.linspace(first, last, num_steps, dtype=torch.float64)


def cosine_betas(num_steps: int, offset: float = 0.008, greatest: float = 0.999) -> Tensor:
    """Returns the noise variances β_1…β_T, [T] float64, under which what is left of the data falls as cos².

    Source: Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", eq. 17.
    """
    times = torch.arange(num_steps + 1, dtype=torch.float64) / num_steps
    left = torch.cos((times + offset) / (1 + offset) * math.pi / 2).square()
    return (1 - left[1:] / left[:-1]).clamp(max=greatest)


def alphas_cumprod(betas: Tensor) -> Tensor:
    """Returns ᾱ_t = ∏ (1 − β_s), [T]: the part of the data's variance that is left after each step."""
    return (1 - betas).cumprod(0)


def noise_step(x: Tensor, beta: Tensor, noise: Tensor) -> Tensor:
    """Returns a draw from q(x_t | x_{t-1}) = N(√(1−β) x, β).

    Source: Ho, Jain and Abbeel 2020, eq. 2.
    """
    return (1 - beta).sqrt() * x + beta.sqrt() * noise


def noise_to(x_0: Tensor, alpha_cumprod_B: Tensor, noise: Tensor) -> Tensor:
    """Returns a draw from q(x_t | x_0) = N(√ᾱ x_0, 1−ᾱ), in one step; ᾱ is one number for each row.

    Source: Ho, Jain and Abbeel 2020, eq. 4.
    """
    left = _as_rows(alpha_cumprod_B, x_0)
    return left.sqrt() * x_0 + (1 - left).sqrt() * noise


def denoise_mean(x_t: Tensor, predicted_noise: Tensor, beta: Tensor, alpha_cumprod: Tensor) -> Tensor:
    """Returns the mean of p(x_{t-1} | x_t) when the noise in x_t is known: one step of the reverse process.

    Source: Ho, Jain and Abbeel 2020, eq. 11.
    """
    return (x_t - beta / (1 - alpha_cumprod).sqrt() * predicted_noise) / (1 - beta).sqrt()


def reverse_variances(betas: Tensor, kind: ReverseVariance = "beta") -> Tensor:
    """Returns the variances σ²_t of the reverse steps, [T].

    "beta" is β_t, the best for data of variance 1; "posterior" is β_t (1−ᾱ_{t−1}) / (1−ᾱ_t), the best for data of one
    point, and 0 at the first step. For data between the two, σ² lies between them.
    Source: Ho, Jain and Abbeel 2020, eq. 7 and section 3.2.
    """
    if kind == "beta":
        return betas
    left = alphas_cumprod(betas)
    before = torch.cat([left.new_ones(1), left[:-1]])
    return betas * (1 - before) / (1 - left)


def ancestral_samples(
    predict_noise: Callable[[Tensor, int], Tensor],
    x_T: Tensor,
    betas: Tensor,
    kind: ReverseVariance = "beta",
    generator: Generator | None = None,
) -> Tensor:
    """Returns samples [B, …] of the data from noise x_T [B, …] ~ N(0, 1); the last step adds no noise.

    Args:
        predict_noise: from x_t and t, the number of noising steps in 1…T, the noise in x_t.
        x_T: where to begin.
        betas: the schedule that the prediction was trained with, [T].
        kind: of the steps' variance.
        generator: draws the noise of the steps; torch's own when None.

    Source: Ho, Jain and Abbeel 2020, algorithm 2.
    """
    betas = betas.to(x_T.device)  # in their own precision: 1 − ᾱ of the first steps is lost in less
    left, deviations = alphas_cumprod(betas), reverse_variances(betas, kind).sqrt()
    x = x_T
    for t in range(len(betas), 0, -1):
        x = denoise_mean(x, predict_noise(x, t), betas[t - 1], left[t - 1])
        if t > 1:
            x = x + deviations[t - 1] * torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return x


def flow_path(x_0: Tensor, noise: Tensor, t_B: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the point (1−t) x_0 + t·noise on the straight path, and its velocity noise − x_0.

    Source: Lipman et al. 2023, "Flow Matching for Generative Modeling", eq. 20 to 23 with σ_min = 0, time reversed;
    Liu, Gong and Liu 2023, "Flow Straight and Fast".
    """
    t = _as_rows(t_B, x_0)
    return (1 - t) * x_0 + t * noise, noise - x_0


def linear_velocity(z_t: Tensor, t_B: Tensor) -> Tensor:
    """Returns the velocity to expect at a point, when all that is known of the data is that it is N(0, 1).

    It is (2t − 1) / (t² + (1−t)²) · z_t: the covariance of noise − x_0 with z_t over the variance of z_t.
    """
    t = _as_rows(t_B, z_t)
    return (2 * t - 1) / (t.square() + (1 - t).square()) * z_t


def logit_normal_times(count: int, mean: float = 0.0, scale: float = 1.0) -> Tensor:
    """Returns times in (0, 1), [count] float32, whose logits are N(mean, scale²): most in the middle.

    Source: Esser et al. 2024, "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis", eq. 19.
    """
    return torch.sigmoid(mean + scale * torch.randn(count))


def _as_rows(values_B: Tensor, like: Tensor) -> Tensor:
    return values_B.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))
