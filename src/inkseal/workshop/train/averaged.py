"""Averaged weights: what is looked at, measured and shipped; the training itself never sees them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """An exponential moving average of all weights; buffers are copied, since a mean of them may be no such thing.

    A mean of unit vectors, such as spectral norm keeps, is shorter than one.
    The decay rises as (1 + step) / (10 + step), so that the random beginning is soon forgotten.
    Source: Polyak and Juditsky 1992; the rise: `num_updates` of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, modules: Mapping[str, nn.Module], decay: float) -> None:
        self._modules = modules
        self._decay = decay
        self.tensors = {name: tensor.detach().clone() for name, tensor in named_tensors(modules).items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Moves the average towards the weights after `step` steps."""
        decay = min(self._decay, (1 + step) / (10 + step))
        weights = {
            f"{player}.{name}"
            for player, module in self._modules.items()
            for name, weight in module.named_parameters(remove_duplicate=False)
            if weight.is_floating_point()
        }
        averages, now = [], []
        for name, tensor in named_tensors(self._modules).items():
            if name in weights:
                averages.append(self.tensors[name])
                now.append(tensor)
            else:
                self.tensors[name].copy_(tensor)
        torch._foreach_lerp_(averages, now, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Puts the averages into the modules inside the block, which are in evaluation mode and without gradients."""
        live = {name: tensor.detach().clone() for name, tensor in named_tensors(self._modules).items()}
        copy_into(self._modules, self.tensors)
        for module in self._modules.values():
            module.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            copy_into(self._modules, live)
            for module in self._modules.values():
                module.train()


def named_tensors(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Returns weights and buffers of all modules as `player.name`."""
    return {
        f"{player}.{name}": tensor for player, module in modules.items() for name, tensor in module.state_dict().items()
    }


@torch.no_grad()
def copy_into(modules: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]) -> None:
    """Copies `player.name` tensors into the modules; every one must be there, with the same shape."""
    for name, tensor in named_tensors(modules).items():
        tensor.copy_(tensors[name])
