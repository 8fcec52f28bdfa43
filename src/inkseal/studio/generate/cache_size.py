"""What a key-value cache takes, told from a model file's metadata before anything is loaded."""

from collections.abc import Mapping
from typing import Any


def values_per_token(metadata: Mapping[str, Any], architecture: str) -> float:
    """Returns how many numbers keys and values of one token are, in all layers; guesses high where nothing is said."""

    def number(key: str, default: float) -> float:
        found = metadata.get(f"{architecture}.{key}", default)
        return float(found) if isinstance(found, int | float) else default

    heads = number("attention.head_count", 32)
    width = number("attention.key_length", number("embedding_length", 4096) / heads)
    return 2 * number("block_count", 32) * number("attention.head_count_kv", heads) * width
