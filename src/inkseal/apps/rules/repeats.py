"""Whether the answer goes round in circles."""

from collections import Counter
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Facts, RuleConfig, texts_at
from inkseal.apps.folding import folded
from inkseal.apps.rules._counting import letters
from inkseal.core.language import say
from inkseal.modalities.text.segmentation import segment

RUN_WORDS = 8
MIN_WORDS = 40


class RepeatsConfig(RuleConfig):
    """How much may be said twice."""

    max_share: float = Field(0.25, gt=0, le=1, description="Of runs of eight words that occurred before.")


class Repeats:
    """Lines and runs of words do not come again and again."""

    name: ClassVar[str] = "repeats"
    config: ClassVar[type[RuleConfig]] = RepeatsConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(RepeatsConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns a line when too much is said twice."""
        text = "\n".join(texts_at(answer, self._config.path))
        lines = Counter(folded(line) for line in text.splitlines() if letters(line) >= 12)
        if lines and (most := lines.most_common(1)[0])[1] >= 3:
            return [say(f"A line comes {most[1]} times.", f"有一行重复了 {most[1]} 次。")]
        words = segment(text)
        if len(words) < MIN_WORDS:
            return []
        runs = [tuple(words[at : at + RUN_WORDS]) for at in range(len(words) - RUN_WORDS + 1)]
        share = 1 - len(set(runs)) / len(runs)
        if share <= self._config.max_share:
            return []
        return [say(f"{share:.0%} of it is said twice.", f"有 {share:.0%} 的内容重复。")]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing."""
        return answer
