"""Forward noising step by step against the closed form, schedules against the papers, flow paths against a line."""

import math

import pytest

torch = pytest.importorskip("torch")

from inkseal.nets.noise_schedules import (  # noqa: E402
    ReverseVariance,
    alphas_cumprod,
    ancestral_samples,
    cosine_betas,
    flow_path,
    linear_betas,
    linear_velocity,
    logit_normal_times,
    noise_step,
    noise_to,
    reverse_variances,
)


@pytest.mark.parametrize("betas", [linear_betas(50, 1e-3, 0.1), cosine_betas(50)])
def test_many_steps_are_one_leap(betas: "torch.Tensor") -> None:
    """Mean and variance after 30 steps from one value are those of q(x_t | x_0)."""
    torch.manual_seed(0)
    start = torch.full((200_000,), 2.0, dtype=torch.float64)
    x = start
    for beta in betas[:30]:
        x = noise_step(x, beta, torch.randn_like(x))
    left = float(alphas_cumprod(betas)[29])
    assert abs(float(x.mean()) - 2 * math.sqrt(left)) < 0.01
    assert abs(float(x.var()) - (1 - left)) < 0.01
    leap = noise_to(start[None].T, torch.full((len(start),), left), torch.randn(len(start), 1, dtype=torch.float64))
    assert abs(float(leap.mean()) - float(x.mean())) < 0.02
    assert abs(float(leap.var()) - float(x.var())) < 0.02


def test_without_noise_steps_and_leap_agree_exactly() -> None:
    betas, x = linear_betas(20), torch.randn(3, 2, dtype=torch.float64)
    stepped = x
    for beta in betas:
        stepped = noise_step(stepped, beta, torch.zeros_like(x))
    leap = noise_to(x, alphas_cumprod(betas)[-1].expand(3), torch.zeros_like(x))
    torch.testing.assert_close(stepped, leap)


def test_linear_betas_leave_what_the_paper_says() -> None:
    """Ho et al., section 4: KL(q(x_T | x_0) ‖ N(0, I)) ≈ 1e-5 bits per dimension for data in [-1, 1]."""
    left = alphas_cumprod(linear_betas(1000))[-1]
    nats = 0.5 * (left * 1.0 + (1 - left) - 1 - torch.log1p(-left))
    assert float(nats) / math.log(2) < 4e-5
    assert abs(float(left) - 4.0e-5) < 1e-6


def test_cosine_betas_leave_a_squared_cosine() -> None:
    left = alphas_cumprod(cosine_betas(1000))
    for step in (1, 250, 500, 900):
        f = math.cos((step / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
        assert abs(float(left[step - 1]) - f) < 1e-9


def samples(m: float, s: float, betas: "torch.Tensor", kind: ReverseVariance, count: int = 40_000) -> "torch.Tensor":
    """Draws from N(m, s²) by ancestral sampling with the best prediction there is, which has a closed form."""
    left = alphas_cumprod(betas)

    def predict(x: "torch.Tensor", t: int) -> "torch.Tensor":
        marginal = left[t - 1] * s**2 + 1 - left[t - 1]
        return (1 - left[t - 1]).sqrt() * (x - left[t - 1].sqrt() * m) / marginal  # E[noise | x_t] = −σ·score

    generator = torch.Generator().manual_seed(0)
    start = torch.randn(count, dtype=torch.float64, generator=generator)
    return ancestral_samples(predict, start, betas, kind, generator)


@pytest.mark.parametrize("kind", ["beta", "posterior"])
@pytest.mark.parametrize(("m", "s"), [(1.5, 0.5), (-0.7, 1.3)])
def test_from_noise_a_gaussian_comes_back(kind: ReverseVariance, m: float, s: float) -> None:
    """Five standard errors of mean and variance, besides what 1000 steps leave of the steps' length, 1 %."""
    x = samples(m, s, linear_betas(1000), kind)
    assert float(x.mean()) == pytest.approx(m, abs=5 * s / len(x) ** 0.5)
    assert float(x.var()) == pytest.approx(s**2, rel=5 * (2 / len(x)) ** 0.5 + 0.01)


def test_each_variance_is_exact_for_the_data_it_is_best_for_however_long_the_steps() -> None:
    betas = linear_betas(20, 0.01, 0.7)
    x = samples(0.0, 1.0, betas, "beta")
    # The last step adds no noise, so that β_1 is missing.
    assert float(x.var()) == pytest.approx(1 - float(betas[0]), rel=5 * (2 / len(x)) ** 0.5)
    point = samples(2.0, 0.0, betas, "posterior", 100)
    torch.testing.assert_close(point, torch.full_like(point, 2.0))
    # One step before the end, what was a point is as wide as the noise says.
    left = alphas_cumprod(betas)
    assert reverse_variances(betas, "posterior")[0] == 0
    for t in range(1, 20):
        shrunk = (1 - betas[t]).sqrt() * (1 - left[t - 1]) / (1 - left[t])
        given = shrunk**2 * (1 - left[t]) + reverse_variances(betas, "posterior")[t]
        assert float(given) == pytest.approx(float(1 - left[t - 1]))


def test_long_steps_lie_between_the_two_variances() -> None:
    betas, s = linear_betas(20, 0.01, 0.7), 0.6
    widths = [float(samples(0.0, s, betas, kind).std()) for kind in ("posterior", "beta")]
    assert widths[0] < 0.99 * s < 1.01 * s < widths[1]


def test_a_path_is_a_straight_line_and_its_velocity_the_slope() -> None:
    x, noise = torch.randn(2, 3, 4, dtype=torch.float64), torch.randn(2, 3, 4, dtype=torch.float64)
    at = lambda t: flow_path(x, noise, torch.full((2,), t, dtype=torch.float64))  # noqa: E731
    torch.testing.assert_close(at(0.0)[0], x)
    torch.testing.assert_close(at(1.0)[0], noise)
    slope = (at(0.6)[0] - at(0.4)[0]) / 0.2
    torch.testing.assert_close(at(0.5)[1], slope)


def test_times_are_logit_normal() -> None:
    torch.manual_seed(0)
    t = logit_normal_times(100_000, mean=0.4, scale=0.8).double()
    logits = torch.log(t / (1 - t))
    assert abs(float(logits.mean()) - 0.4) < 0.01
    assert abs(float(logits.std()) - 0.8) < 0.01
    assert 0 < float(t.min()) < float(t.max()) < 1


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_linear_velocity_is_the_regression_on_the_point(t: float) -> None:
    torch.manual_seed(0)
    x, noise = torch.randn(2, 200_000, 1, dtype=torch.float64)
    point, velocity = flow_path(x, noise, torch.full((len(x),), t))
    slope = (point * velocity).mean() / point.square().mean()
    found = linear_velocity(point, torch.full((len(x),), t))
    torch.testing.assert_close(found, slope * point, atol=0.03, rtol=0)
