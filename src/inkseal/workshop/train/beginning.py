"""Begins a run with averaged weights that were trained before, and keeps in its folder whose they were."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.store.durable import write_whole
from inkseal.workshop.train.averaged import named_tensors
from inkseal.workshop.train.run_log import LOG
from inkseal.workshop.train.trained import Trained

BEGINNING, BEGINNING_LOG = "beginning.json", "beginning-log.jsonl"


def begin_with(
    trained: Trained, name: str, folder: Path, modules: Mapping[str, Any], styles: Sequence[str] = ()
) -> str:
    """Copies trained weights into the modules; what they do not have keeps its random beginning.

    The folder keeps their recipe, step, hash and log, and those of what they began with themselves, so that the run
    stays whole without them.

    Args:
        trained: whose averaged weights are taken.
        name: by which the recipe calls them.
        folder: this run's own.
        modules: this run's networks, by player.
        styles: names of this run's numbers of styles, where it has any.

    Returns:
        What was taken, in words.

    Raises:
        InvalidRequest: one of the weights has no place here, or styles have other numbers.
    """
    import torch

    facts, found = trained.facts, trained.tensors
    mine = named_tensors(modules)
    strange = [key for key, tensor in found.items() if key not in mine or mine[key].shape != tensor.shape]
    if strange:
        raise InvalidRequest(
            say(
                f"{name!r} has weights that do not fit this network, such as {strange[0]!r}.",
                f"{name!r} 有与此网络不符的权重，例如 {strange[0]!r}。",
            ),
            fix=say("Correct `begin` or the shape in the recipe.", "请在配方中更正 begin 或 shape。"),
        )
    theirs = trained.facts.get("styles") or styles
    if list(theirs) != list(styles):
        raise InvalidRequest(
            say(
                f"{name!r} knows other styles: {', '.join(theirs)}; this dataset has {', '.join(styles)}.",
                f"{name!r} 的风格不同：{'、'.join(theirs)}；本数据集为 {'、'.join(styles)}。",
            ),
            fix=say(
                "Train on a dataset of the same styles, or from the beginning.", "请用风格相同的数据集，或从头训练。"
            ),
        )
    with torch.no_grad():
        for key, tensor in found.items():
            mine[key].copy_(tensor)
    told = {"run": name, "sha256": trained.sha256, "step": facts["step"], "recipe": facts["recipe"]}
    told |= {key: facts[key] for key in ("data_sha256", "averaged") if key in facts}
    if trained.paper(BEGINNING).is_file():
        told["beginning"] = json.loads(trained.paper(BEGINNING).read_bytes())
    write_whole(folder / BEGINNING, json.dumps(told, ensure_ascii=False, indent=1).encode())
    logs = [path.read_bytes() for path in map(trained.paper, (BEGINNING_LOG, LOG)) if path.is_file()]
    write_whole(folder / BEGINNING_LOG, b"".join(logs))
    return say(
        f"Began with {name} at step {facts['step']}: {len(found)} of {len(mine)} tensors.",
        f"以 {name} 第 {facts['step']} 步的权重开始：{len(mine)} 个张量中的 {len(found)} 个。",
    )


def beginnings(paper: Path) -> list[dict[str, Any]]:
    """Returns what each run that the weights went through says of itself, first things first."""
    found: list[dict[str, Any]] = []
    told = json.loads(paper.read_bytes()) if paper.is_file() else None
    while told is not None:
        found.insert(0, told)
        told = told.get("beginning")
    return found
