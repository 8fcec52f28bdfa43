"""How apps did on their cases, as it was measured and shipped; a changed file has no scores."""

import json
from functools import lru_cache
from importlib import resources

from pydantic import ValidationError

from inkseal.apps.definition import AppFile
from inkseal.core.language import Language
from inkseal.core.types import Closed, Sha256

FILE = "scores.json"


class AppScore(Closed):
    """One app with one model in one language."""

    app: str
    sha256: Sha256
    """Of the app's file that was measured."""
    model: str
    language: Language
    num_cases: int
    num_finished: int
    """Cases whose run ended with a result; the others were refused, which scores 0."""
    score: float
    """Mean share of rules and expectations that were met, 0 to 1."""
    num_answers: int
    """Answers that had to meet a schema."""
    num_valid: int
    """Those that did at the first attempt."""
    mean_seconds: float
    failures: tuple[str, ...] = ()
    """What was not met, by case."""


class Scores(Closed):
    """Every score, newest measurement of each app, model and language."""

    scores: tuple[AppScore, ...] = ()


@lru_cache(maxsize=1)
def all_scores() -> Scores:
    """Returns what was shipped; nothing when there is no file."""
    path = resources.files("inkseal.apps") / FILE
    try:
        return Scores.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, ValidationError):
        return Scores()


def scores_of(file: AppFile) -> tuple[AppScore, ...]:
    """Returns the scores that were measured with this very file."""
    return tuple(score for score in all_scores().scores if score.sha256 == file.sha256)
