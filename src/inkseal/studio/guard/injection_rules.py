"""Patterns of prompt injection by family, read from TOML; finds hits and sums them up as evidence."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from pydantic import Field

from inkseal.core.types import Closed


class Family(Closed):
    """Patterns that mean the same thing."""

    weight: float = Field(gt=0, lt=1)
    title: tuple[str, str]
    patterns: tuple[str, ...]


class RuleHit(NamedTuple):
    """A pattern's hit [start, end) in the folded text."""

    family: str
    start: int
    end: int


class Evidence(Closed):
    """The rule file."""

    commands: tuple[str, ...]
    """Patterns that decide by themselves in a text from elsewhere."""
    family: dict[str, Family]


@lru_cache(maxsize=1)
def _evidence() -> Evidence:
    text = (files("inkseal.studio.guard") / "rules" / "injection.toml").read_text(encoding="utf-8")
    return Evidence.model_validate(tomllib.loads(text))


def families() -> dict[str, Family]:
    """Returns the families in the order of the rule file; that order is the order of features."""
    return _evidence().family


@lru_cache(maxsize=1)
def _commands() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in _evidence().commands)


def commands_reader(text: str) -> bool:
    """True when folded text bids its reader, at the start of a sentence, to drop whatever it was told."""
    return any(pattern.search(text) for pattern in _commands())


@lru_cache(maxsize=1)
def _compiled() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (name, re.compile(pattern, re.IGNORECASE)) for name, family in families().items() for pattern in family.patterns
    )


def rule_hits(text: str) -> list[RuleHit]:
    """Returns the hits in folded text, in the order of families."""
    return [RuleHit(name, *match.span()) for name, pattern in _compiled() for match in pattern.finditer(text)]


def combined_weight(names: set[str]) -> float:
    """Returns the probability that at least one of independent families is right: 1 − ∏(1 − weight)."""
    doubt = 1.0
    for name in names:
        doubt *= 1 - families()[name].weight
    return 1 - doubt
