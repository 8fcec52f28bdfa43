"""The mean of the weights that one training passed through: of a run, and of runs that it began with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.workshop.train.beginning import BEGINNING, beginnings

if TYPE_CHECKING:
    from torch import Tensor


class Run(NamedTuple):
    """A finished run: its folder, what it says of itself, and its averaged weights."""

    folder: Path
    facts: Mapping[str, Any]
    tensors: "Mapping[str, Tensor]"


def last_of(runs: Sequence[Run]) -> Run:
    """Returns the run that went on from all others, from their weights or from what was published of them.

    Raises:
        InvalidRequest: there is none: the mean of weights that were trained apart draws nothing.
    """
    for run in runs:
        passed = [_ending(told) for told in beginnings(run.folder / BEGINNING)]
        if all(_ending(other.facts) in passed for other in runs if other is not run):
            return run
    raise InvalidRequest(
        say(
            "Several runs make one model only where one of them went on from all others, as they ended.",
            "只有当其中一个运行是从其余运行结束时的权重继续训练而来时，多个运行才能合成一个模型。",
        ),
        fix=say("Name one run alone.", "请只写一个运行。"),
    )


def mean_weights(runs: Sequence[Run]) -> "dict[str, Tensor]":
    """Returns the mean of each weight, all runs counting alike.

    Source: Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization".
    """
    import torch

    return {name: torch.stack([run.tensors[name] for run in runs]).mean(0) for name in runs[0].tensors}


def _ending(told: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns what tells the end of one training from that of another."""
    return told["recipe"], told["step"], told.get("data_sha256")
