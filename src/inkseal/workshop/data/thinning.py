"""Keeps flags, letters and repeats from filling a set: of every such kind, only a fixed share of concepts stays.

Which ones stay is decided by a hash of the concept, so that all styles keep the same and a rebuild changes nothing.
"""

import hashlib

from inkseal.workshop.data.lexicon import EmojiEntry

SHARES: dict[str, float] = {
    "country-flag": 0.06,
    "subdivision-flag": 0.0,
    "keycap": 0.0,
    "alphanum": 0.12,
    "zodiac": 0.35,
    "arrow": 0.35,
    "av-symbol": 0.5,
    "clock_face": 0.25,
    "family": 0.15,
    "component": 0.0,
    "skin_tone": 0.04,
    "gender": 0.35,
}
"""Kind → share that stays; every other kind stays whole."""


def kind_of(entry: EmojiEntry) -> str:
    """Returns the kind that is thinned out, or "" for what stays."""
    if entry.group == "component":
        return "component"
    if entry.toned:
        return "skin_tone"
    if entry.subgroup == "family":
        return "family" if "200D" in entry.code else ""
    if entry.gendered:
        return "gender"
    if entry.subgroup == "time" and "1F550" <= entry.code <= "1F567":
        return "clock_face"
    return entry.subgroup if entry.subgroup in SHARES else ""


def stays(entry: EmojiEntry) -> bool:
    """Returns True when the pictures of this emoji stay in the set."""
    kind = kind_of(entry)
    return not kind or unit_hash("thin", entry.code) < SHARES[kind]


def unit_hash(purpose: str, name: str) -> float:
    """Returns a number in [0, 1) that is the same on every machine; purposes do not hang together."""
    digest = hashlib.sha256(f"{purpose}\0{name}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
