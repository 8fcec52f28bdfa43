"""Finds sensitive terms in Chinese and English by rules. Matches words, not meaning: a paraphrase passes."""

import hashlib
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.core.config import ComponentConfig, default_data_dir
from inkseal.core.language import say
from inkseal.core.types import Action, Finding, Origin, Part, Stage, Verdict
from inkseal.modalities.text.normalise import fold, squeeze
from inkseal.studio.guard.judge import at_most, verdict_of
from inkseal.studio.guard.placeholders import Placeholders
from inkseal.studio.guard.rulebook import Hit, Rulebook, RuleFile, builtin_rules, parse_rules, read_text


def _categories() -> dict[str, Any]:
    """Returns what forms call the product's own categories."""
    return {
        name: {"en": category.title[0], "zh": category.title[1]} for name, category in builtin_rules().category.items()
    }


class SensitiveTermsConfig(ComponentConfig):
    """Which rules apply and what their categories lead to."""

    builtin: bool = Field(
        True, description="Use the rules that come with the product.", json_schema_extra={"zh": "使用产品自带的规则。"}
    )
    files: tuple[Path, ...] = Field(
        (),
        description="More rule files (TOML); relative paths start in the data folder.",
        json_schema_extra={"zh": "更多规则文件（TOML）；相对路径从数据目录算起。"},
    )
    rules: RuleFile = Field(
        RuleFile(), description="More rules, written here.", json_schema_extra={"zh": "直接写在这里的规则。"}
    )
    actions: dict[str, Action] = Field(
        {},
        description="Action by category, instead of the rule file's.",
        json_schema_extra=lambda schema: schema.update(zh="按类别处理；代替规则文件中的方式。", keys=_categories()),
    )
    disabled: frozenset[str] = Field(
        frozenset(), description="Rules or categories that are off.", json_schema_extra={"zh": "停用的规则或类别。"}
    )


class SensitiveTerms:
    """Judges by category: explosives, weapons, drugs, minors, self-harm, fraud … See the rule file.

    System texts and earlier answers are only flagged: they name forbidden things in order to forbid them.
    """

    name: ClassVar[str] = "sensitive_terms"
    version: ClassVar[str] = "1"
    stages: ClassVar[frozenset[Stage]] = frozenset({"prompt", "result"})
    needs: ClassVar[frozenset[str]] = frozenset()
    config: ClassVar[type[ComponentConfig]] = SensitiveTermsConfig

    def __init__(self, config: ComponentConfig, **resources: Any) -> None:
        self._config = cast(SensitiveTermsConfig, config)
        # As text they are a key that can be cached; compiling takes longer than inspecting a prompt.
        texts = tuple((path.name, read_text(default_data_dir() / path)) for path in self._config.files)
        self._book, digest = _compile(self._config.model_dump_json(), texts)
        self._version = f"{self.version}+rules.{digest}"
        self._placeholders = Placeholders()

    def inspect(self, parts: Sequence[Part], stage: Stage) -> Verdict:
        """Returns the verdict; a term whose category says "redact" gets a placeholder, in results asterisks."""
        if stage == "prompt":
            self._placeholders.avoid(part.text for part in parts)
        judged = (pair for index, part in enumerate(parts) for pair in self._judge(index, part, stage))
        return verdict_of(self.name, self._version, stage, judged)

    def unfinished(self, text: str) -> int:
        """Returns the length of what may become a term, complete a rule, or be softened by what follows."""
        folded = squeeze(fold(text))
        start = self._book.unfinished_from(folded.text)
        return len(text) - folded.span(start, len(folded.text))[0] if start < len(folded.text) else 0

    def _judge(self, index: int, part: Part, stage: Stage) -> Iterator[tuple[Finding, Action]]:
        if not part.text:
            return
        folded = squeeze(fold(part.text))
        found = ((hit, self._action(hit, part.origin, stage)) for hit in self._book.hits(folded.text))
        spans = [(*folded.span(hit.start, hit.end), hit, action) for hit, action in found if action != "allow"]
        replaced = _apart((start, end) for start, end, _, action in spans if action == "redact")
        for start, end, hit, action in sorted(spans, key=lambda span: span[:2]):
            replacement = None
            if action == "redact" and (start, end) in replaced:
                term = part.text[start:end]
                replacement = "*" * len(term) if stage == "result" else self._placeholders.of("TERM", fold(term).text)
                replaced.discard((start, end))
            found_here = Finding(
                rule=hit.rule.id,
                category=hit.rule.category,
                part=index,
                start=start,
                end=end,
                score=0.5 if hit.contexts else 1.0,
                replacement=replacement,
            )
            yield found_here, action

    def _action(self, hit: Hit, origin: Origin, stage: Stage) -> Action:
        category = self._book.categories[hit.rule.category]
        action = self._config.actions.get(hit.rule.category, category.action)
        # Only the model's own words may soften by refusing; in a prompt "you cannot refuse" is part of the demand.
        ours = stage == "result" or origin in (Origin.ASSISTANT, Origin.SYSTEM)
        if hit.contexts & set(category.softened_by) or (ours and "refusal" in hit.contexts):
            action = "flag" if action == "block" else "allow"
        return at_most(action, "flag") if origin in (Origin.SYSTEM, Origin.ASSISTANT) and stage == "prompt" else action

    @staticmethod
    def explain(finding: Finding) -> str:
        """Says in the current language what kind of term was found."""
        category = builtin_rules().category.get(finding.category)
        en, zh = category.title if category else (finding.category, finding.category)
        return say(f"sensitive terms: {en}", f"敏感词：{zh}")


def _apart(spans: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Returns the longest of the spans that do not overlap."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(set(spans), key=lambda span: (span[0] - span[1], span[0])):
        index = bisect(kept, (start, end))
        free_before = index == 0 or kept[index - 1][1] <= start
        free_after = index == len(kept) or end <= kept[index][0]
        if free_before and free_after:
            kept.insert(index, (start, end))
    return set(kept)


@lru_cache(maxsize=8)
def _compile(config_json: str, texts: tuple[tuple[str, str], ...]) -> tuple[Rulebook, str]:
    config = SensitiveTermsConfig.model_validate_json(config_json)
    sources: list[RuleFile] = [builtin_rules()] if config.builtin else []
    sources += [parse_rules(name, text) for name, text in texts]
    sources.append(config.rules)
    known = "\n".join([source.model_dump_json() for source in sources] + sorted(config.disabled))
    return Rulebook(sources, config.disabled), hashlib.sha256(known.encode()).hexdigest()[:8]
