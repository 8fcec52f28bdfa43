"""Whether each claim names sentences that exist and that it shares words with."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Facts, PathName, RuleConfig
from inkseal.apps.template import look_up
from inkseal.core.language import say
from inkseal.modalities.text.segmentation import HAN, segment

_EMPTY_WORDS = """
的 了 是 在 和 与 及 也 都 就 而 有 为 对 从 到 被 把 这 那 其 中 一 一个 我们 他们
a an the of to in on at for and or is are was were be by with as that this it its from has have had not but their they
which
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_IS_HAN = re.compile(f"[{HAN}]")


class ReferencesConfig(RuleConfig):
    """The answer is an object with a list of claims, each with `text` and `sentences`, a list of numbers."""

    sentences: PathName = Field(description="The numbered sentences: `items` of the computation `sentences`.")
    claims: str = Field("claims", pattern=r"^[a-z_]{1,40}$", description="The list's name in the answer.")
    min_shared: float = Field(0.3, ge=0, le=1, description="Share of a claim's words that its sentences must hold.")
    max_cited: int = Field(4, ge=1, le=50, description="Sentences that one claim may name.")

    def asks_for(self) -> Iterator[str]:
        """Yields the sentences' name."""
        yield from super().asks_for()
        yield self.sentences


class References:
    """Each claim names sentences that exist and shares words with them."""

    name: ClassVar[str] = "references"
    config: ClassVar[type[RuleConfig]] = ReferencesConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(ReferencesConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns a line for each claim that is not borne out."""
        sentences = self._sentences(facts)
        claims = self._claims(answer)
        if not claims:
            return [say("There are no claims.", "没有任何论点。")]
        found = [self._fault(number, claim, sentences) for number, claim in enumerate(claims, 1)]
        return [fault for fault in found if fault][:6]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Leaves out the claims that are not borne out; the rest stays as it is."""
        sentences, claims = self._sentences(facts), self._claims(answer)
        kept = [claim for number, claim in enumerate(claims, 1) if not self._fault(number, claim, sentences)]
        if not kept or len(kept) == len(claims):
            return answer
        data = {**answer.data, self._config.claims: kept}
        return Answer(json.dumps(data, ensure_ascii=False), data)

    def _fault(self, number: int, claim: Mapping[str, Any], sentences: Mapping[int, str]) -> str:
        cited = claim.get("sentences") or []
        unknown = [one for one in cited if one not in sentences]
        if not cited or unknown:
            named = ", ".join(map(str, unknown[:4]))
            return say(
                f"Claim {number} names no sentence that exists ({named}).",
                f"第 {number} 条引用了不存在的句子（{named}）。",
            )
        if len(cited) > self._config.max_cited:
            return say(f"Claim {number} names too many sentences.", f"第 {number} 条引用的句子过多。")
        share = shared_words(str(claim.get("text", "")), [sentences[one] for one in cited])
        if share >= self._config.min_shared:
            return ""
        return say(
            f"Claim {number} shares too few words with the sentences it names.",
            f"第 {number} 条与其引用的句子用词不符。",
        )

    def _sentences(self, facts: Facts) -> dict[int, str]:
        found = look_up(self._config.sentences, facts.scope).value or []
        return {item["number"]: item["text"] for item in found}

    def _claims(self, answer: Answer) -> list[Mapping[str, Any]]:
        found = answer.data.get(self._config.claims) if isinstance(answer.data, Mapping) else None
        return [claim for claim in found if isinstance(claim, Mapping)] if isinstance(found, list) else []


def shared_words(claim: str, sentences: Sequence[str]) -> float:
    """Returns the share of a claim's words, or letters of Chinese words, that the sentences hold too."""
    mine, theirs = _units(claim), set().union(*(_units(sentence) for sentence in sentences)) if sentences else set()
    return len(mine & theirs) / len(mine) if mine else 0.0


def _units(text: str) -> set[str]:
    """Returns words, and of Chinese words their pairs of characters, so that another cut is no other word."""
    found: set[str] = set()
    for word in segment(text):
        if word in _EMPTY:
            continue
        if _IS_HAN.match(word):
            found |= {word[at : at + 2] for at in range(max(1, len(word) - 1))}
        else:
            found.add(word[:6])  # inflected forms of a word share their beginning
    return found
