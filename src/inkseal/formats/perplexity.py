"""Measures a converted model against its source on held-out Chinese and English text, and says whether to accept it.

Deterministic: fixed texts, fixed windows, no sampling. The source is run in float32 (see `reference`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inkseal.formats.checkpoint import Checkpoint
from inkseal.formats.reference import token_losses as reference_losses

TextLanguage = Literal["zh", "en"]
LANGUAGES: tuple[TextLanguage, ...] = ("zh", "en")
LIMIT = 1.03  # of the source's perplexity
WINDOW = 128  # tokens a step: bounds the logits held at once


@dataclass(frozen=True)
class Acceptance:
    """Both perplexities by language, and the verdict."""

    source: dict[TextLanguage, float]
    converted: dict[TextLanguage, float]

    @property
    def ratios(self) -> dict[TextLanguage, float]:
        """Converted over source; 1 means nothing was lost."""
        return {language: self.converted[language] / self.source[language] for language in self.source}

    @property
    def accepted(self) -> bool:
        """True when no language lost more than the limit; a perplexity that is no number counts as lost."""
        return all(ratio <= LIMIT for ratio in self.ratios.values())


@cache
def held_out_text(language: TextLanguage, *, second: bool = False) -> str:
    """Returns the text that nothing was trained on.

    Args:
        second: twice as long, and no setting was chosen by it either; the first served to choose the cache's precision.
    """
    name = f"{language}_second.txt" if second else f"{language}.txt"
    return files("inkseal.formats").joinpath("heldout", name).read_text("utf-8")


def token_losses(compiled: Any, token_ids: Sequence[int]) -> npt.NDArray[np.float64]:
    """Returns −ln p of each token after the first, by an `openvino.CompiledModel` with a stateful cache."""
    request = compiled.create_infer_request()
    ids = np.asarray(token_ids, np.int64)
    losses = []
    for start in range(0, len(ids) - 1, WINDOW):
        window = ids[start : start + WINDOW]
        end = start + len(window)
        request.infer(
            {
                "input_ids": window[None],
                "attention_mask": np.ones((1, end), np.int64),
                "position_ids": np.arange(start, end, dtype=np.int64)[None],
                "beam_idx": np.zeros(1, np.int32),
            }
        )
        targets = ids[start + 1 : end + 1]
        logits = request.get_tensor("logits").data[0, : len(targets)].astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        losses.append(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(targets)), targets])
    return np.concatenate(losses)


def perplexity(compiled: Any, token_ids: Sequence[int]) -> float:
    """Returns exp of the mean loss of a text of two tokens or more."""
    return float(np.exp(token_losses(compiled, token_ids).mean()))


def source_perplexities(
    checkpoint: Checkpoint,
    token_ids: Mapping[TextLanguage, Sequence[int]],
    on_progress: Callable[[float], None] | None = None,
) -> dict[TextLanguage, float]:
    """Returns the source's own perplexities, run in float32; costs about a minute for two billion weights."""
    losses = reference_losses(checkpoint, list(token_ids.values()), on_progress)
    return {language: float(np.exp(loss.mean())) for language, loss in zip(token_ids, losses, strict=True)}


def judge(
    compiled: Any,
    token_ids: Mapping[TextLanguage, Sequence[int]],
    source: Mapping[TextLanguage, float],
) -> Acceptance:
    """Measures `compiled` on the texts and sets it beside the source's perplexities.

    Args:
        compiled: compiled with the very settings that will serve it: cache and activation types count too.
        token_ids: the held-out texts in the model's own tokens.
        source: from `source_perplexities`, or recorded for that source's hash.
    """
    return Acceptance(dict(source), {language: perplexity(compiled, ids) for language, ids in token_ids.items()})
