"""How data becomes noise, step by step or at once: the discrete schedules of DDPM, and straight flow matching paths.

Time 0 is data; the last time is noise. Broadcasts over whatever comes after the batch.
"""

import math

import torch
from torch import Tensor


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


def flow_path(x_0: Tensor, noise: Tensor, t_B: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the point (1−t) x_0 + t·noise on the straight path, and its velocity noise − x_0.

    Source: Lipman et al. 2023, "Flow Matching for Generative Modeling", eq. 20 to 23 with σ_min = 0, time reversed;
    Liu, Gong and Liu 2023, "Flow Straight and Fast".
    """
    t = _as_rows(t_B, x_0)
    return (1 - t) * x_0 + t * noise, noise - x_0


def logit_normal_times(count: int, mean: float = 0.0, scale: float = 1.0) -> Tensor:
    """Returns times in (0, 1), [count] float32, whose logits are N(mean, scale²): most in the middle.

    Source: Esser et al. 2024, "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis", eq. 19.
    """
    return torch.sigmoid(mean + scale * torch.randn(count))


def _as_rows(values_B: Tensor, like: Tensor) -> Tensor:
    return values_B.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))
