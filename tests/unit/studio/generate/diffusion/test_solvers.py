"""Solvers on distributions whose flow is known exactly: a Gaussian, and a mixture of two by its quantiles."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from inkseal.core.protocols import Solver
from inkseal.studio.generate.diffusion.solvers import solvers
from inkseal.studio.generate.diffusion.times import times

Array = npt.NDArray[np.float64]
MEAN, STD = 1.5, 0.4
WEIGHTS, CENTRES, WIDTHS = np.array([0.3, 0.7]), np.array([-1.0, 1.2]), np.array([0.4, 0.3])


def gaussian_velocity(x: Array, t: float) -> Array:
    """E[noise − data | x_t = x] for data N(MEAN, STD²)."""
    variance = (1 - t) ** 2 * STD**2 + t**2
    slope = (t - (1 - t) * STD**2) / variance
    return -MEAN + slope * (x - (1 - t) * MEAN)


def gaussian_flow(x: Array, begin: float, end: float) -> Array:
    """The exact flow: it keeps how many standard deviations x is from the mean."""
    std = lambda t: np.sqrt((1 - t) ** 2 * STD**2 + t**2)  # noqa: E731
    scaled: Array = (x - (1 - begin) * MEAN) / std(begin)
    return (1 - end) * MEAN + std(end) * scaled


def mixture_velocity(x: Array, t: float) -> Array:
    """E[noise − data | x_t = x] for the mixture, from each component's posterior."""
    variances = (1 - t) ** 2 * WIDTHS**2 + t**2
    offsets = x[..., None] - (1 - t) * CENTRES
    density = WEIGHTS * np.exp(-0.5 * offsets**2 / variances) / np.sqrt(variances)
    posterior = density / density.sum(-1, keepdims=True)
    moves = -CENTRES + (t - (1 - t) * WIDTHS**2) / variances * offsets
    total: Array = (posterior * moves).sum(-1)
    return total


def mixture_flow(x: Array, begin: float, end: float) -> Array:
    """The exact flow: in one dimension it keeps the quantile."""

    def cdf(value: float, t: float) -> float:
        deviations = np.sqrt((1 - t) ** 2 * WIDTHS**2 + t**2)
        return float(np.sum(WEIGHTS * norm.cdf(value, (1 - t) * CENTRES, deviations)))

    def moved(value: float) -> float:
        quantile = cdf(value, begin)
        found: float = brentq(lambda y: cdf(y, end) - quantile, -20, 20, xtol=1e-13)
        return found

    return np.array([moved(float(value)) for value in x])


def solve(solver: Solver, velocity: Callable[[Array, float], Array], x: Any, visited: list[float]) -> Any:
    steps = list(solver.solve(velocity, x, visited))
    assert len(steps) == len(visited) - 1
    return steps[-1]


@pytest.fixture(params=sorted(solvers))
def solver(request: pytest.FixtureRequest) -> Solver:
    return solvers[request.param]()


@pytest.mark.parametrize(("velocity", "flow"), [(gaussian_velocity, gaussian_flow), (mixture_velocity, mixture_flow)])
def test_the_error_falls_with_the_order(solver: Solver, velocity: Any, flow: Any) -> None:
    begin, end = 0.95, 0.05
    x = (1 - begin) * MEAN + np.linspace(-2, 2, 9)
    exact = flow(x, begin, end)
    errors = []
    for count in (80, 160, 320):
        found = solve(solver, velocity, x, list(np.linspace(begin, end, count + 1)))
        errors.append(float(np.abs(found - exact).mean()))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(np.abs(orders - solver.order) < 0.25), (orders, errors)


def test_all_the_way_from_noise_a_gaussian_comes_out(solver: Solver) -> None:
    x = norm.ppf((np.arange(999) + 0.5) / 999)
    found = solve(solver, gaussian_velocity, x, times(200))
    assert abs(found.mean() - MEAN) < 0.02
    assert abs(found.std() - STD) < 0.02


def test_all_the_way_from_noise_a_mixture_comes_out(solver: Solver) -> None:
    x = norm.ppf((np.arange(999) + 0.5) / 999)
    found = solve(solver, mixture_velocity, x, times(200))
    np.testing.assert_allclose(found, mixture_flow(x, 1.0, 0.0), atol=0.06)


def test_evaluations_are_counted_right(solver: Solver) -> None:
    asked: list[float] = []

    def velocity(x: Array, t: float) -> Array:
        asked.append(t)
        return gaussian_velocity(x, t)

    solve(solver, velocity, np.zeros(2), times(10))
    assert len(asked) == 9 * solver.evaluations + 1  # the last step, to the data, needs no look at its end
    assert all(0 < t <= 1 for t in asked)


def test_one_point_is_hit_exactly(solver: Solver) -> None:
    """When all data is one point, the paths are straight and every solver walks them without error."""
    point = np.array([3.0, -1.0])
    found = solve(solver, lambda x, t: (x - point) / t, np.array([0.5, 0.7]), times(3))
    np.testing.assert_allclose(found, point, atol=1e-12)


def test_torch_tensors_are_served_alike(solver: Solver) -> None:
    torch = pytest.importorskip("torch")
    x = np.linspace(-1, 1, 5)
    expected = solve(solver, gaussian_velocity, x, times(8))
    found = solve(solver, gaussian_velocity, torch.from_numpy(x), times(8))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_few_steps_suffice_for_the_second_order() -> None:
    """Eight evaluations: DPM-Solver++ comes nearer than Euler does."""
    x = (1 - 0.95) * MEAN + np.linspace(-2, 2, 9)
    exact = gaussian_flow(x, 0.95, 0.05)
    visited = list(np.linspace(0.95, 0.05, 9))
    errors = {name: np.abs(solve(solvers[name](), gaussian_velocity, x, visited) - exact).mean() for name in solvers}
    assert errors["dpm_solver"] < 0.5 * errors["euler"], errors


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_times_fall_from_one_to_zero(shift: float) -> None:
    found = times(10, shift)
    assert found[0] == 1
    assert found[-1] == 0
    assert found == sorted(found, reverse=True)
    assert found[5] == pytest.approx(shift / (1 + shift))
