"""What labelling regimes ask for. Facts are in the TOML files here; this only reads and compares them."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from inkseal.core.language import say
from inkseal.core.types import Closed, Regime
from inkseal.studio.provenance.manifest import Requirement

Name = Literal["cn", "eu"]
NAMES: tuple[Name, ...] = ("cn", "eu")


class Asked(Closed):
    """One requirement as a regime's file states it.

    Attributes:
        layer: what fulfils it: visible, metadata, signed, watermark, record, or producer (a code is set).
        modalities: what it is asked of; empty means everything.
        min_tokens: asked only of texts at least this long.
    """

    id: str
    layer: str
    source: str
    modalities: tuple[str, ...] = ()
    min_tokens: int = 0
    met: dict[str, str]
    missing: dict[str, str]


class Rules(Closed):
    """A regime's file."""

    title: dict[str, str]
    wording: dict[str, str]
    producer_pattern: str = ""
    keep_log_months: int = 0
    metadata: dict[str, str] = {}
    requirement: tuple[Asked, ...]


@cache
def rules(name: Name) -> Rules:
    """Returns a regime's facts."""
    text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return Rules.model_validate(tomllib.loads(text))


def active(regime: Regime) -> tuple[Name, ...]:
    """Returns the regimes that a setting stands for."""
    return NAMES if regime == "both" else tuple(name for name in NAMES if name == regime)


def visible_wordings(regime: Regime, language: str) -> tuple[str, ...]:
    """Returns the label lines for a content language; a wording that another one contains is left out."""
    key = "zh" if language.startswith("zh") else "en"
    wordings = list(dict.fromkeys(rules(name).wording[key] for name in active(regime)))
    return tuple(w for w in wordings if not any(w != other and w in other for other in wordings))


def all_wordings() -> frozenset[str]:
    """Returns every label line that any regime uses, to be recognised in pasted text."""
    return frozenset(wording for name in NAMES for wording in rules(name).wording.values())


def asks_for(layer: str, regime: Regime, modality: str) -> bool:
    """True when the regime asks for the layer on artifacts of the modality, of whatever length."""
    asked = (asked for name in active(regime) for asked in rules(name).requirement if asked.layer == layer)
    return any(not found.modalities or modality in found.modalities for found in asked)


def requirements(
    regime: Regime,
    *,
    modality: str,
    layers: frozenset[str],
    num_tokens: int | None = None,
    producer: str = "",
) -> tuple[Requirement, ...]:
    """Returns what a regime asks of an artifact, each with whether it is met and why.

    Args:
        regime: the setting.
        modality: what kind of artifact.
        layers: what was done: visible, metadata, signed, c2pa, watermark, record.
        num_tokens: length of a text; unknown counts as long.
        producer: the producer code in the settings.
    """
    found = []
    for name in active(regime):
        facts = rules(name)
        for asked in facts.requirement:
            if asked.modalities and modality not in asked.modalities:
                continue
            if num_tokens is not None and num_tokens < asked.min_tokens:
                continue
            met = _producer_fits(facts, producer) if asked.layer == "producer" else asked.layer in layers
            reason = asked.met if met else asked.missing
            if met and asked.layer == "signed" and "c2pa" not in layers:
                reason = {"en": reason["en_without_c2pa"], "zh": reason["zh_without_c2pa"]}
            text = say(reason["en"], reason["zh"])
            found.append(
                Requirement(id=asked.id, regime=name, layer=asked.layer, met=met, reason=text, source=asked.source)
            )
    return tuple(found)


def _producer_fits(facts: Rules, producer: str) -> bool:
    import re

    return bool(producer and re.fullmatch(facts.producer_pattern, producer))


def metadata_facts(name: Name) -> dict[str, Any]:
    """Returns the names and values that a regime's metadata label uses."""
    return dict(rules(name).metadata)
