"""Finds prompt injection and jailbreaks in Chinese and English: patterns and, with an embedder, a classifier.

Knows the common ways of attack; a new, patient or purely semantic one can pass. It is one layer, not a proof.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.language import say
from inkseal.core.protocols import EmbeddingEngine
from inkseal.core.types import Action, Finding, Origin, Part, Stage, Verdict
from inkseal.studio.guard.injection_model import RULES_ONLY, Thresholds, Trust, shipped_model
from inkseal.studio.guard.injection_rules import combined_weight, commands_reader, families
from inkseal.studio.guard.injection_windows import Window, han_share, is_unfair, windows
from inkseal.studio.guard.judge import verdict_of

_BATCH = 32


class InjectionConfig(ComponentConfig):
    """What an attack leads to, by who wrote the text. Thresholds come with the classifier unless given here."""

    own_action: Action = Field(
        "flag",
        description="For the user's own words: they may ask for what they like.",
        json_schema_extra={"zh": "对用户自己文字的处理。"},
    )
    untrusted_action: Action = Field(
        "block",
        description="For documents, tool results and web pages.",
        json_schema_extra={"zh": "对文档、工具结果和网页的处理。"},
    )
    own_threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Score from which own words count.",
        json_schema_extra={"zh": "用户文字判为攻击的分数。"},
    )
    untrusted_threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Score from which foreign words count.",
        json_schema_extra={"zh": "外来文字判为攻击的分数。"},
    )
    classifier: bool = Field(
        True,
        description="Use the classifier when an embedder is at hand; else rules alone.",
        json_schema_extra={"zh": "有向量模型时使用分类器，否则只用规则。"},
    )


class Injection:
    """Judges user parts and untrusted parts; the system's and the model's own words are not inspected.

    Args:
        embedder: maps texts to vectors; without one the rules decide alone, and the verdict's version says so.
    """

    name: ClassVar[str] = "injection"
    version: ClassVar[str] = "1"
    stages: ClassVar[frozenset[Stage]] = frozenset({"prompt"})
    needs: ClassVar[frozenset[str]] = frozenset({"embedder"})
    config: ClassVar[type[ComponentConfig]] = InjectionConfig

    def __init__(self, config: ComponentConfig, *, embedder: EmbeddingEngine | None = None, **resources: Any) -> None:
        self._config = cast(InjectionConfig, config)
        self._embedder = embedder if self._config.classifier else None
        self._model = shipped_model() if self._embedder is not None else None
        self._version = (
            f"{self.version}+classifier.{self._model.version}" if self._model else f"{self.version}+rules-only"
        )

    def inspect(self, parts: Sequence[Part], stage: Stage) -> Verdict:
        """Returns the verdict; each attack yields the window with its score and the patterns inside it."""
        # Windows overlap, so a pattern may be met twice: a dictionary keeps it once.
        judged: dict[Finding, Action] = {}
        for index, part in enumerate(parts):
            if part.text and part.origin not in (Origin.SYSTEM, Origin.ASSISTANT):
                judged |= dict(self._judge(index, part))
        return verdict_of(self.name, self._version, stage, judged.items())

    def unfinished(self, text: str) -> int:
        """Returns 0: results are not its matter."""
        return 0

    def score(self, text: str, *, untrusted: bool) -> list[tuple[Window, float]]:
        """Returns the windows of a text, each with the probability that it is an attack."""
        found = windows(text)
        return list(zip(found, self._scores(found, untrusted), strict=True))

    def threshold(self, text: str, *, untrusted: bool) -> float:
        """Returns the score from which a window of such a text counts as an attack."""
        trust: Trust = "untrusted" if untrusted else "own"
        chosen = self._config.untrusted_threshold if untrusted else self._config.own_threshold
        table: Thresholds = (self._model.thresholds if self._model else RULES_ONLY)[trust]
        return chosen if chosen is not None else table.of(han_share(text))

    def _scores(self, found: Sequence[Window], untrusted: bool) -> list[float]:
        if self._embedder is None or self._model is None:
            return [combined_weight({hit.family for hit in window.hits}) for window in found]
        scores: list[float] = []
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            vectors = self._embedder.embed([window.text for window in batch])
            scores += self._model.score(batch, vectors, untrusted).tolist()
        return scores

    def _judge(self, index: int, part: Part) -> Iterator[tuple[Finding, Action]]:
        untrusted = not part.origin.trusted
        action = self._config.untrusted_action if untrusted else self._config.own_action
        for window, score in self.score(part.text, untrusted=untrusted):
            unfair = is_unfair(window.channel) and len(window.text.split()) >= 3
            commanding = untrusted and commands_reader(window.text)
            if not unfair and not commanding and score < self.threshold(window.text, untrusted=untrusted):
                continue
            rule = "command" if commanding else "classifier" if self._model else "rules"
            rule = rule if window.channel == "open" else f"hidden.{window.channel}"
            yield (
                self._finding(rule, "prompt_injection", index, window.start, window.end, max(score, 0.9 * unfair)),
                action,
            )
            for hit in window.hits:
                yield (
                    self._finding(hit.family, hit.family, index, hit.start, hit.end, families()[hit.family].weight),
                    action,
                )

    @staticmethod
    def _finding(rule: str, category: str, part: int, start: int, end: int, score: float) -> Finding:
        rounded = round(float(score), 4)
        return Finding(rule=f"injection.{rule}", category=category, part=part, start=start, end=end, score=rounded)

    @staticmethod
    def explain(finding: Finding) -> str:
        """Says in the current language how the text tries to take over."""
        family = families().get(finding.category)
        if family:
            return say(f"prompt injection: {family.title[0]}", f"提示注入：{family.title[1]}")
        if finding.rule.startswith("injection.hidden."):
            return say("prompt injection in hidden text", "隐藏文本中的提示注入")
        return say("looks like prompt injection or a jailbreak", "疑似提示注入或越狱")
