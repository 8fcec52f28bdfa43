"""The checks: what each looks for, how good it was measured to be, and what they say of a text that is tried."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

import inkseal.studio.guard
from inkseal.core.types import Action, Closed, Finding, Origin, Stage
from inkseal.serve.callers import AnyCaller, Creator
from inkseal.studio.guard.checks import checks
from inkseal.studio.guard.explain import explain_finding
from inkseal.studio.resources import resources

router = APIRouter(prefix="/api/v1/guard", tags=["guard"])
MEASURED = Path(inkseal.studio.guard.__file__).parent / "measured.json"
MEASURED_PICTURES = MEASURED.with_name("measured_pictures.json")
MAX_CHARS = 20_000


class CheckMeasured(Closed):
    """A check and its figures: `figures` by language, each a rate with the counts and the bounds of its 95 % interval.

    `variant` says which figures hold here: without an embedding model the injection check has rules alone.
    """

    name: str
    description: str
    stages: tuple[Stage, ...]
    needs: tuple[str, ...]
    lacks: tuple[str, ...]
    version: str
    variant: str
    figures: dict[str, Any]
    milliseconds_per_1000_chars: dict[str, Any]
    milliseconds_per_picture: dict[str, Any] = {}


class Guard(Closed):
    """All checks, and when and where they were measured."""

    measured_on: str
    processor: str
    checks: tuple[CheckMeasured, ...]


class Text(Closed):
    """A text to be tried."""

    text: str = Field(max_length=MAX_CHARS, description="What is said.", json_schema_extra={"zh": "要检查的文字。"})
    origin: Origin = Field(Origin.USER, description="Where it comes from.", json_schema_extra={"zh": "文字的来源。"})
    stage: Stage = Field(
        "prompt", description="Whether it goes in or comes out.", json_schema_extra={"zh": "输入或输出。"}
    )


class Hit(Finding):
    """A finding, and in words what it found."""

    words: str


class Said(Closed):
    """What one check says of the text by itself."""

    check: str
    version: str
    action: Action
    milliseconds: float
    hits: tuple[Hit, ...]


class Tried(Closed):
    """What became of the text. Positions are characters (code points) of the text as it was sent.

    `blocked_by` is the check at which the text would stop; `text_after` is what would pass.
    """

    action: Action
    blocked_by: str
    text_after: str | None
    checks: tuple[Said, ...]


@router.get("", summary="The checks, and how good they were measured to be")
def show(request: Request, caller: AnyCaller) -> Guard:
    found, available = measured(), resources(request.app.state.studio.engines)
    return Guard(
        measured_on=found["date"],
        processor=found["processor"],
        checks=tuple(_check(name, found["checks"] | measured_pictures()["checks"], available) for name in checks),
    )


@router.post("/try", summary="Try the checks on a text; nothing is recorded")
def try_text(asked: Text, request: Request, caller: Creator) -> Tried:
    tried = request.app.state.studio.try_checks(asked.text, asked.origin, asked.stage)
    return Tried(
        action=tried.action,
        blocked_by=tried.blocked_by,
        text_after=tried.text_after,
        checks=tuple(
            Said(
                check=verdict.check,
                version=verdict.version,
                action=verdict.action,
                milliseconds=round(1000 * verdict.seconds, 3),
                hits=tuple(Hit(**dict(hit), words=explain_finding(verdict.check, hit)) for hit in verdict.findings),
            )
            for verdict in tried.verdicts
        ),
    )


@lru_cache(maxsize=1)
def measured() -> dict[str, Any]:
    """Returns the figures that go with the product."""
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def measured_pictures() -> dict[str, Any]:
    """Returns the figures of checks that look at pictures."""
    found: dict[str, Any] = json.loads(MEASURED_PICTURES.read_text(encoding="utf-8"))
    return found


def _check(name: str, figures: dict[str, Any], available: dict[str, Any]) -> CheckMeasured:
    kind = checks[name]
    lacks = tuple(sorted(kind.needs - available.keys()))
    variant = f"{name}+rules-only" if lacks and f"{name}+rules-only" in figures else name
    known = figures.get(variant, {})
    return CheckMeasured(
        name=name,
        description=(kind.__doc__ or "").strip().split("\n", 1)[0],
        stages=tuple(sorted(kind.stages)),
        needs=tuple(sorted(kind.needs)),
        lacks=lacks,
        version=kind.version,
        variant=variant,
        figures=known.get("figures", {}),
        milliseconds_per_1000_chars=known.get("milliseconds_per_1000_chars", {}),
        milliseconds_per_picture=known.get("milliseconds_per_picture", {}),
    )
