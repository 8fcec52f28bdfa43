"""Cuts Chinese and English text into sentences."""

import re

_END = re.compile(r"(?<=[。！？!?；])[”’」』）)]*\s*|(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9\u4e00-\u9fff])|\n+")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|vs|etc|e\.g|i\.e|No|Fig|[A-Z])\.$")


def cut(text: str) -> list[str]:
    """Returns the sentences of a Chinese or English text."""
    found: list[str] = []
    for piece in _END.split(text):
        piece = " ".join(piece.split())
        if not piece:
            continue
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return found
