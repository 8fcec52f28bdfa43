"""Reads JSON that somebody may have damaged: what cannot be read is None, never an exception."""

import json
from typing import Any


def lenient_json(text: str) -> Any:
    """Returns the JSON value, or None when the text is not JSON, nests too deep, or holds a lone surrogate."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return value


def compact_json(value: object) -> str:
    """Returns JSON on one line without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
