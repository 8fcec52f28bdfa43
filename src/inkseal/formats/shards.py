"""Finds the weights files of a folder in the hub's layout: one file, or the shards that an index names.

The index is not trusted: it may name only plain files of its own folder, and each must hold what it promises.
"""

import json
from pathlib import Path
from typing import Any, NoReturn

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.formats import safetensors

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
MAX_INDEX_BYTES = 64 << 20
MAX_SHARDS = 1_000


def open_shards(folder: Path) -> dict[str, safetensors.Safetensors]:
    """Returns tensor name → checked file, for every tensor of the model.

    Raises:
        ModelFileRefused: a shard is missing, a link, outside of the folder or malformed, or the index contradicts it.
    """
    promised = _promised(folder)
    found: dict[str, safetensors.Safetensors] = {}
    for name in sorted(set(promised.values())) if promised else [_only_file(folder)]:
        path = folder / name
        if path.is_symlink() or not path.is_file():
            _refuse(f"The weights file {name!r} is missing or a link.", f"权重文件 {name!r} 缺失或为链接。")
        file = safetensors.read_header(path)
        for tensor in file.tensors:
            if tensor in found:
                _refuse(f"Tensor {tensor!r} is in two files.", f"张量 {tensor!r} 出现在两个文件中。")
            if promised and promised.get(tensor) != name:
                _refuse(
                    f"The index does not place tensor {tensor!r} in {name!r}.", f"索引与 {name!r} 不符：{tensor!r}。"
                )
            found[tensor] = file
    for tensor in promised:
        if tensor not in found:
            _refuse(f"The model lacks the tensor {tensor!r}.", f"模型缺少张量 {tensor!r}。")
    return found


def _only_file(folder: Path) -> str:
    names = sorted(path.name for path in folder.glob("*.safetensors"))
    if SINGLE in names:
        return SINGLE
    if len(names) != 1:
        _refuse(
            f"There are {len(names)} weights files, but no {INDEX} that says which belong together.",
            f"有 {len(names)} 个权重文件，但没有说明其组成的 {INDEX}。",
        )
    return names[0]


def _promised(folder: Path) -> dict[str, str]:
    """Returns the index's `weight_map`; empty when there is no index."""
    path = folder / INDEX
    if not path.exists():
        return {}
    try:
        if path.stat().st_size > MAX_INDEX_BYTES:
            _refuse(f"{INDEX} is too large.", f"{INDEX} 过大。")
        given: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        given = None
    found = given.get("weight_map") if isinstance(given, dict) else None
    if not isinstance(found, dict) or not found or len(set(map(str, found.values()))) > MAX_SHARDS:
        _refuse(f"{INDEX} is no index.", f"{INDEX} 不是索引。")
    for name in found.values():
        if not isinstance(name, str) or not name.endswith(".safetensors") or name != Path(name).name or "\\" in name:
            shown = str(name)[:80]
            _refuse(f"{INDEX} names {shown!r}, no file of its folder.", f"{INDEX} 指向了文件夹外的 {shown!r}。")
    return found


def _refuse(en: str, zh: str) -> NoReturn:
    raise ModelFileRefused(
        say(en, zh), fix=say("Fetch the model again and compare its SHA-256.", "请重新下载模型并核对 SHA-256。")
    )
