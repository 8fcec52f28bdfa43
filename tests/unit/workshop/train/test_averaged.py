"""Averaged weights against the recursion written out."""

import pytest

torch = pytest.importorskip("torch")

from inkseal.workshop.train.averaged import AveragedWeights  # noqa: E402


def test_it_is_the_recursion() -> None:
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, 1.0)
    averaged, expected = AveragedWeights({"model": layer}, decay=0.9), 1.0
    for step in range(1, 200):
        torch.nn.init.constant_(layer.weight, float(step))
        averaged.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert averaged.tensors["model.weight"].item() == pytest.approx(expected, rel=1e-5)


def test_inside_the_block_the_averages_work_and_after_it_the_weights_are_back() -> None:
    module = torch.nn.BatchNorm1d(2)
    averaged = AveragedWeights({"model": module}, decay=0.5)
    torch.nn.init.constant_(module.weight, 3.0)
    module(torch.randn(4, 2))
    averaged.update(1)
    with averaged.applied():
        assert not module.training
        assert not torch.is_grad_enabled()
        torch.testing.assert_close(module.weight.detach(), averaged.tensors["model.weight"])
        assert int(module.num_batches_tracked) == 1
    assert module.training
    torch.testing.assert_close(module.weight.detach(), torch.full((2,), 3.0))


def test_the_singular_vectors_of_a_spectral_norm_stay_of_unit_length() -> None:
    torch.manual_seed(0)
    layer = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(6, 4))
    averaged = AveragedWeights({"model": layer}, decay=0.9)
    for step in range(1, 20):
        # New weights each time turn the vectors far, as a mean of them would show.
        torch.nn.init.normal_(layer.parametrizations.weight.original)
        layer(torch.randn(2, 6))
        averaged.update(step)
    for name in ("_u", "_v"):
        assert averaged.tensors[f"model.parametrizations.weight.0.{name}"].norm().item() == pytest.approx(1, abs=1e-5)
    live = layer.parametrizations.weight.original
    assert not torch.equal(averaged.tensors["model.parametrizations.weight.original"], live)
