"""What never comes in: files that run code when they are loaded, and configs that ask for code to be run."""

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say

_RUN_WHEN_LOADED = """
bin ckpt cloudpickle dill h5 joblib keras mar nemo npy npz pickle pkl pt pt2 pth ptl torchscript
"""
PICKLES = frozenset(f".{ending}" for ending in _RUN_WHEN_LOADED.split())
_CODE_KEYS = frozenset({"auto_map", "custom_code", "custom_pipelines", "trust_remote_code"})
_VOCABULARIES = frozenset({"tokenizer.json", "vocab.json", "added_tokens.json"})
_MAX_CONFIG_BYTES = 16 << 20


def refuse_pickles(names: Iterable[str]) -> None:
    """Refuses by name alone, without opening anything; an OpenVINO `.bin` beside its `.xml` holds plain numbers.

    Raises:
        ModelFileRefused: names the first such file.
    """
    known = set(names)
    for name in sorted(known):
        path = PurePosixPath(name)
        if path.suffix.lower() not in PICKLES or (path.suffix == ".bin" and str(path.with_suffix(".xml")) in known):
            continue
        raise ModelFileRefused(
            say(f"{name!r} can run code when it is loaded; it was not opened.", f"{name!r} 加载时可执行代码；未打开。"),
            fix=say(
                "Convert it to safetensors or GGUF where it comes from, or leave it out.",
                "请在来源处转换为 safetensors 或 GGUF，或将其移除。",
            ),
        )


def refuse_custom_code(files: Iterable[Path]) -> None:
    """Refuses configs that name code of their own, even if a flag beside it says no.

    Raises:
        ModelFileRefused: names the file and the key; also for a config that is no JSON or absurdly large or deep.
    """
    for file in files:
        if file.suffix.lower() != ".json" or file.name in _VOCABULARIES or file.name.endswith(".index.json"):
            continue
        if file.stat().st_size > _MAX_CONFIG_BYTES:
            raise _refused(file, say("is too large for a config", "作为配置过大"))
        try:
            key = _code_key(json.loads(file.read_bytes()))
        except (ValueError, RecursionError):
            raise _refused(file, say("is not sound JSON", "不是正常的 JSON")) from None
        if key is not None:
            raise _refused(file, say(f"asks for code of its own ({key!r})", f"要求运行自带代码（{key!r}）"))


def _code_key(value: Any) -> str | None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            found = next((key for key in item if key.lower() in _CODE_KEYS), None)
            if found is not None:
                return str(found)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return None


def _refused(file: Path, why: str) -> ModelFileRefused:
    return ModelFileRefused(
        say(f"{file.name!r} {why}.", f"{file.name!r} {why}。"),
        fix=say("Code from models is never run here.", "这里从不运行模型自带的代码。"),
    )
