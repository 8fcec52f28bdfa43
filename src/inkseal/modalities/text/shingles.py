"""Fingerprints of text that survive editing: hashes of short runs of words, thinned so that any long copy keeps some.

Punctuation, spacing, letter case and full-width forms do not count. Knows nothing of meaning: a translation or a free
rewording shares no runs.
"""

import re
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any, Literal

from inkseal.core.types import Likeness
from inkseal.modalities.text.segmentation import HAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN_WEIGHT = 8
"""A run is this heavy: a Chinese character weighs 1, a word of another script 2."""

WINDOW = 4
"""Of this many neighbouring runs at least one is kept."""

MAX_RUNS = 4096
NUM_ANCHORS = 24
MIN_SHARED = 0.35
MIN_NUM_SHARED = 6
"""From these on a text is called an edited copy; measured, see docs/reference/fingerprints.md."""

SIMILAR_SHARED = 0.08

_TOKEN = re.compile(f"[{HAN}]|[^\\W_{HAN}]+")


def letters(text: str) -> str:
    """Returns letters, digits and marks only, folded in case and width: what "the same text" is judged by."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFKD", "".join(c for c in folded if unicodedata.category(c)[0] in "LNM"))


def tokens(text: str) -> list[str]:
    """Returns Chinese characters and other words in order, folded in case and width."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def _weight(word: str) -> int:
    return 1 if len(word) == 1 and word >= "\u3400" else 2


def runs(text: str) -> list[int]:
    """Returns the 32-bit hash of every run of words, in order of their starts."""
    pieces = tokens(text)
    weights = [_weight(piece) for piece in pieces]
    hashes, end, heavy = [], 0, 0
    for start in range(len(pieces)):
        while end < len(pieces) and heavy < RUN_WEIGHT:
            heavy += weights[end]
            end += 1
        if heavy < RUN_WEIGHT:
            break
        joined = "\0".join(pieces[start:end]).encode("utf-8")
        hashes.append(int.from_bytes(blake2b(joined, digest_size=4).digest(), "little"))
        heavy -= weights[start]
    return hashes


def winnow(hashes: list[int], window: int = WINDOW) -> set[int]:
    """Thins hashes: the smallest of every window is kept, so any match longer than a window leaves a trace.

    Source: Schleimer, Wilkerson, Aiken: "Winnowing: Local Algorithms for Document Fingerprinting" (SIGMOD 2003).
    """
    if len(hashes) <= window:
        return set(hashes)
    return {min(hashes[i : i + window]) for i in range(len(hashes) - window + 1)}


def fingerprint(text: str) -> bytes:
    """Returns the thinned runs as sorted little-endian 32-bit numbers; empty when the text is shorter than a run."""
    import numpy as np

    kept = sorted(winnow(runs(text)))[:MAX_RUNS]
    return np.array(kept, dtype="<u4").tobytes()


def exact(text: str) -> bytes:
    """Returns the SHA-256 of the letters."""
    return sha256(letters(text).encode("utf-8")).digest()


def anchors(value: bytes) -> tuple[bytes, ...]:
    """Returns the few runs of a fingerprint by which it is indexed: the smallest, so that copies choose the same.

    Source: Broder: "On the resemblance and containment of documents" (1997), bottom-k sketches.
    """
    return tuple(value[i : i + 4] for i in range(0, min(len(value), 4 * NUM_ANCHORS), 4))


def keys(value: bytes) -> tuple[bytes, ...]:
    """Returns all runs of a fingerprint, to be looked for among the anchors of others."""
    return tuple(value[i : i + 4] for i in range(0, len(value), 4))


def common(mine: bytes, other: bytes) -> tuple[float, int]:
    """Returns the share of the shorter fingerprint's runs that both have, and their number."""
    import numpy as np

    a, b = _numbers(mine), _numbers(other)
    shorter = min(len(a), len(b))
    if not shorter:
        return 0.0, 0
    num_shared = len(np.intersect1d(a, b, assume_unique=True))
    return num_shared / shorter, num_shared


def _numbers(value: bytes) -> "NDArray[Any]":
    import numpy as np

    return np.frombuffer(value, dtype="<u4")


def likeness(mine: Mapping[str, bytes], other: Mapping[str, bytes]) -> Likeness:
    """Returns how two texts are related by their fingerprints `letters` and `runs`.

    Short texts that are equal are only called similar: anybody may write "Yes, of course."
    """
    shared, num_shared = common(mine["runs"], other["runs"])
    relation: Literal["exact", "edited", "similar", "different"] = "different"
    if mine["letters"] == other["letters"]:
        relation = "exact" if num_shared >= MIN_NUM_SHARED else "similar"
        shared = 1.0
    elif shared >= MIN_SHARED and num_shared >= MIN_NUM_SHARED:
        relation = "edited"
    elif shared >= SIMILAR_SHARED:
        relation = "similar"
    return Likeness(relation=relation, shared=round(shared, 4), num_shared=num_shared)
