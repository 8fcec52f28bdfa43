"""What weights files say of themselves, through a reader that the caller hands in."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Validate = Callable[[Path], Mapping[str, Any]]
"""Reads a weights file and returns what it says of itself: any of `task`, `context_tokens`, `parameters`,
`languages`, `licence`, `chat`. Raises ModelFileRefused when the file is malformed."""

WEIGHTS: Mapping[str, str] = {
    ".gguf": "gguf",
    ".safetensors": "safetensors",
    ".xml": "openvino",
    ".onnx": "onnx",
    ".ttf": "font",
    ".otf": "font",
}
"""Ending → format of the files that make a model; others only stand beside them."""


def is_weights(name: str) -> bool:
    """True for a file that makes a model."""
    return Path(name).suffix.lower() in WEIGHTS


def read_facts(folder: Path, names: Iterable[str], validate: Validate) -> dict[str, Any]:
    """Returns what all weights files among `names` say together.

    Raises:
        ModelFileRefused: one of them is malformed.
    """
    facts: dict[str, Any] = {}
    for name in sorted(filter(is_weights, names)):
        facts |= {key: value for key, value in validate(folder / name).items() if value is not None}
    return facts
