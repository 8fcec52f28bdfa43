"""Begins a run with the averaged weights of another, and keeps in its folder whose they were."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inkseal.catalog.verify import hash_file
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.store.durable import write_whole
from inkseal.workshop.train.averaged import named_tensors
from inkseal.workshop.train.run_folder import MODEL, read_model
from inkseal.workshop.train.run_log import LOG

BEGINNING, BEGINNING_LOG = "beginning.json", "beginning-log.jsonl"


def begin_with(other: Path, folder: Path, modules: Mapping[str, Any]) -> str:
    """Copies another run's averaged weights into the modules; what it does not have keeps its random beginning.

    The folder keeps the other's recipe, step, hash and log, so that the run stays whole without it.

    Args:
        other: the folder of the run whose averaged weights are taken.
        folder: this run's own.
        modules: this run's networks, by player.

    Returns:
        What was taken, in words.

    Raises:
        InvalidRequest: the other run has no model, or one of its weights has no place here.
        ModelFileRefused: its model is malformed.
    """
    import torch

    facts, found = read_model(other / MODEL)
    mine = named_tensors(modules)
    strange = [name for name, tensor in found.items() if name not in mine or mine[name].shape != tensor.shape]
    if strange:
        raise InvalidRequest(
            say(
                f"The run {other.name!r} has weights that do not fit this network, such as {strange[0]!r}.",
                f"运行 {other.name!r} 有与此网络不符的权重，例如 {strange[0]!r}。",
            ),
            fix=say("Correct `begin` or the shape in the recipe.", "请在配方中更正 begin 或 shape。"),
        )
    with torch.no_grad():
        for name, tensor in found.items():
            mine[name].copy_(tensor)
    told = {"run": other.name, "sha256": hash_file(other / MODEL), "step": facts["step"], "recipe": facts["recipe"]}
    write_whole(folder / BEGINNING, json.dumps(told, ensure_ascii=False, indent=1).encode())
    if (other / LOG).is_file():
        shutil.copyfile(other / LOG, folder / BEGINNING_LOG)
    return say(
        f"Began with {other.name} at step {facts['step']}: {len(found)} of {len(mine)} tensors.",
        f"以 {other.name} 第 {facts['step']} 步的权重开始：{len(mine)} 个张量中的 {len(found)} 个。",
    )
