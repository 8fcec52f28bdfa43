"""The mean of the weights that one training passed through: of a run, and of runs that it began with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inkseal.catalog.verify import hash_file
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.workshop.train.beginning import BEGINNING, beginnings
from inkseal.workshop.train.recipe import Recipe
from inkseal.workshop.train.run_folder import MODEL
from inkseal.workshop.train.trained import PUBLISHED

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
        InvalidRequest: there is none, or networks differ: the mean of weights that were trained apart draws nothing.
    """
    for run in runs:
        others = [other for other in runs if other is not run]
        passed = beginnings(run.folder / BEGINNING)
        if not all(any(_is_end(told, other) for told in passed) for other in others):
            continue
        strange = [other for other in others if other.facts["shape"] != run.facts["shape"]]
        if strange:
            name = strange[0].folder.name
            raise InvalidRequest(
                say(f"The network of {name!r} is of another shape.", f"{name!r} 的网络形状不同。"), fix=_alone()
            )
        return run
    raise InvalidRequest(
        say(
            "Several runs make one model only where one of them went on from all others, as they ended.",
            "只有当其中一个运行是从其余运行结束时的权重继续训练而来时，多个运行才能合成一个模型。",
        ),
        fix=_alone(),
    )


def mean_weights(runs: Sequence[Run]) -> "dict[str, Tensor]":
    """Returns the mean of each weight, all runs counting alike, in whatever order.

    Source: Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization".
    """
    import torch

    ordered = sorted(runs, key=lambda run: run.folder.name)
    return {name: torch.stack([run.tensors[name] for run in ordered]).mean(0) for name in ordered[0].tensors}


def _is_end(told: Mapping[str, Any], run: Run) -> bool:
    """Returns True if a run began with another's weights as they ended; of published ones the recipe must do."""
    if not told["run"].startswith(PUBLISHED):
        return bool(told["sha256"] == hash_file(run.folder / MODEL))
    known = {told.get("data_sha256"), run.facts.get("data_sha256")} - {None, ""}
    return told["step"] == run.facts["step"] and len(known) <= 1 and _deciding(told) == _deciding(run.facts)


def _deciding(facts: Mapping[str, Any]) -> dict[str, Any]:
    return Recipe.model_validate(facts["recipe"]).deciding()


def _alone() -> str:
    return say("Name one run alone.", "请只写一个运行。")
