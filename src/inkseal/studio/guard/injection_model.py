"""A small classifier of prompt injection: networks with one hidden layer over a sentence embedding, and weighted words.

Half of the networks do not see which patterns hit, so that attacks without known phrases count too. The weights are
plain arrays made by `benchmarks/train_injection.py`; nothing in the file is executed.
"""

import hashlib
import io
import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from inkseal.core.types import Closed
from inkseal.studio.guard.injection_rules import combined_weight, families
from inkseal.studio.guard.injection_windows import Window, han_share, is_unfair
from inkseal.studio.guard.injection_words import words_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS_FILE = "injection_weights.npz"
TERMS = "terms"
"""The member of the weights that looks at words alone."""
Mode = Literal["combined", "rules"]
Trust = Literal["own", "untrusted"]


class Thresholds(Closed):
    """Scores from which a window counts as an attack, by language; chosen at 1 % false alarms."""

    en: float
    zh: float

    def of(self, han: float) -> float:
        return self.zh if han > 0.2 else self.en


RULES_ONLY: dict[Trust, Thresholds] = {"own": Thresholds(en=0.5, zh=0.65), "untrusted": Thresholds(en=0.6, zh=0.65)}
"""For pattern weights alone; at most 1 % false alarms on the training texts."""


def features(windows: Sequence[Window], untrusted: bool) -> "NDArray[Any]":
    """Returns (B, F) float32 features that need no embedding."""
    import numpy as np

    rows = [_row(window, untrusted) for window in windows]
    return np.asarray(rows, np.float32).reshape(len(windows), num_features())


def num_features() -> int:
    """Returns F."""
    return len(families()) + 10


def _row(window: Window, untrusted: bool) -> list[float]:
    text = window.text
    names = {hit.family for hit in window.hits}
    size = max(1, len(text))
    latin = sum(char.isascii() and char.isalpha() for char in text)
    upper = sum(char.isascii() and char.isupper() for char in text)
    lower = text.lower()
    return [
        *(float(name in names) for name in families()),
        combined_weight(names),
        min(1.0, size / 320),
        han_share(text),
        upper / latin if latin else 0.0,
        sum(not char.isalnum() and not char.isspace() for char in text) / size,
        min(1.0, (lower.count("you") + lower.count("你") + lower.count("您")) / 6),
        float(any(word in lower for word in ("ai", "assistant", "model", "gpt", "助手", "模型", "人工智能", "智能体"))),
        float("?" in text[-3:] or lower.startswith(("how", "what", "why", "如何", "怎么", "什么", "为什么"))),
        float(window.channel != "open") + float(is_unfair(window.channel)),
        float(untrusted),
    ]


class InjectionModel:
    """Weights of the classifier; a probability for each window."""

    def __init__(self, data: bytes) -> None:
        import numpy as np

        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes().decode())
            self._nets: dict[str, dict[str, NDArray[Any]]] = {}
            for key in sorted(set(arrays.files) - {"facts"}):
                net, _, name = key.rpartition(".")
                self._nets.setdefault(net, {})[name] = arrays[key].astype(np.float32)
        self._terms = self._nets.pop(TERMS, None)
        self.version = hashlib.sha256(data).hexdigest()[:8]
        self.thresholds: dict[Trust, Thresholds] = {
            "own": Thresholds(**facts["own"]),
            "untrusted": Thresholds(**facts["untrusted"]),
        }

    def score(self, windows: Sequence[Window], embeddings: "NDArray[Any]", untrusted: bool) -> "NDArray[Any]":
        """Returns (B,) probabilities of B windows with their (B, D) unit embeddings.

        The log odds are the networks' mean plus those of the words.
        """
        import numpy as np

        rows = features(windows, untrusted)
        logits = np.mean([_logits(net, embeddings, rows) for net in self._nets.values()], axis=0)
        if self._terms is not None:
            logits = logits + words_score(self._terms["w"][0], [window.text for window in windows]) + self._terms["b"]
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def _logits(w: "dict[str, NDArray[Any]]", embeddings: "NDArray[Any]", rows: "NDArray[Any]") -> "NDArray[Any]":
    import numpy as np

    inputs = np.concatenate([embeddings * w["embedding_scale"], (rows - w["mean"]) / w["spread"]], axis=1)
    hidden = np.maximum(inputs @ w["w1"] + w["b1"], 0)
    logits: NDArray[Any] = np.clip((hidden @ w["w2"] + inputs @ w["w3"] + w["b2"])[:, 0], -16, 16)
    return logits


@lru_cache(maxsize=1)
def shipped_model() -> InjectionModel | None:
    """Returns the classifier that comes with the product, None when the file is not there."""
    file = files("inkseal.studio.guard") / WEIGHTS_FILE
    return InjectionModel(file.read_bytes()) if file.is_file() else None
