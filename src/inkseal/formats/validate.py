"""Reads what a weights file says of itself, after proving that it is whole. For files that people bring."""

from pathlib import Path
from typing import Any

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say


def validate(path: Path) -> dict[str, Any]:
    """Returns the facts in a weights file: task, context_tokens, licence, chat; empty for formats without any.

    Raises:
        ModelFileRefused: the file is malformed; names the field or the tensor.
    """
    if path.suffix == ".gguf":
        return _gguf(path)
    if path.suffix == ".safetensors":
        return _safetensors(path)
    return {}


def _safetensors(path: Path) -> dict[str, Any]:
    """Proves the file; with the first of a folder that holds a text decoder, the whole folder."""
    from inkseal.formats.checkpoint import num_weights
    from inkseal.formats.hf_folder import HubFolder, is_text_decoder
    from inkseal.formats.safetensors import read_header

    read_header(path)
    folder = path.parent
    facts: dict[str, Any] = {"task": "generate"}
    if path != min(folder.glob("*.safetensors")) or not is_text_decoder(folder):
        return facts
    model = HubFolder(folder)
    tokenizer = model.tokenizer()
    return facts | {
        "context_tokens": model.config.context_length,
        "parameters": num_weights(model),
        "chat": bool(tokenizer.chat_template),
    }


def _gguf(path: Path) -> dict[str, Any]:
    from inkseal.formats.gguf import read_header
    from inkseal.formats.gguf_vocabulary import tokenizer_from_gguf

    metadata = read_header(path).metadata
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str):
        raise ModelFileRefused(
            say(f"{path.name}: general.architecture is missing.", f"{path.name}：缺少 general.architecture。")
        )
    tokenizer = tokenizer_from_gguf(metadata)
    context = metadata.get(f"{architecture}.context_length")
    licence = metadata.get("general.license")
    return {
        "task": "generate",
        "context_tokens": context if isinstance(context, int) else 0,
        "licence": licence if isinstance(licence, str) else "",
        "chat": bool(tokenizer.chat_template),
    }
