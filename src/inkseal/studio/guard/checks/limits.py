"""Bounds the size of a prompt and refuses characters that no text should hold."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.language import say
from inkseal.core.types import Action, Finding, Part, Stage, Verdict
from inkseal.studio.guard.judge import verdict_of

# What terminals write into logs that people paste; everything else below a space is never typed.
_TERMINAL = re.compile("[\x07\x08\x0b\x0c\x1b\x85]")
_CONTROL = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f]+")
_BROKEN = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+")
_DIRECTION = re.compile("[\u202d\u202e\u2066-\u2068]")
_STACKED = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{8,64}")
_MOST_OF_A_KIND = 20


class LimitsConfig(ComponentConfig):
    """How large a prompt may be. The model's own context is checked by its engine, in tokens."""

    max_chars: int = Field(
        400_000, ge=1, description="Characters of all parts together.", json_schema_extra={"zh": "所有片段的总字符数。"}
    )
    max_part_chars: int = Field(
        200_000, ge=1, description="Characters of one part.", json_schema_extra={"zh": "单个片段的字符数。"}
    )
    max_parts: int = Field(
        1_000, ge=1, description="Parts of all messages together.", json_schema_extra={"zh": "所有消息的片段总数。"}
    )
    control_action: Action = Field(
        "block",
        description="For control characters that nobody types.",
        json_schema_extra={"zh": "对无人会输入的控制字符的处理。"},
    )


class Limits:
    """Blocks prompts that are too large or broken; flags what is merely odd; never blocks a result."""

    name: ClassVar[str] = "limits"
    version: ClassVar[str] = "1"
    stages: ClassVar[frozenset[Stage]] = frozenset({"prompt", "result"})
    needs: ClassVar[frozenset[str]] = frozenset()
    config: ClassVar[type[ComponentConfig]] = LimitsConfig

    def __init__(self, config: ComponentConfig, **resources: Any) -> None:
        self._config = cast(LimitsConfig, config)

    def inspect(self, parts: Sequence[Part], stage: Stage) -> Verdict:
        """Returns the verdict. Too large a prompt is not read any further."""
        sizes = list(self._sizes(parts)) if stage == "prompt" else []
        characters = [] if sizes else [pair for i, part in enumerate(parts) for pair in self._odd(i, part.text, stage)]
        return verdict_of(self.name, self.version, stage, [*sizes, *characters])

    def unfinished(self, text: str) -> int:
        """Returns 0: results are only flagged."""
        return 0

    def _sizes(self, parts: Sequence[Part]) -> Iterator[tuple[Finding, Action]]:
        config = self._config
        if len(parts) > config.max_parts:
            yield Finding(rule="limits.parts", category="size", part=config.max_parts), "block"
        if sum(len(part.text) for part in parts) > config.max_chars:
            yield Finding(rule="limits.total_chars", category="size", part=max(0, len(parts) - 1)), "block"
        for index, part in enumerate(parts[: config.max_parts]):
            if (size := len(part.text)) > config.max_part_chars:
                found = Finding(
                    rule="limits.part_chars", category="size", part=index, start=config.max_part_chars, end=size
                )
                yield found, "block"

    def _odd(self, index: int, text: str, stage: Stage) -> Iterator[tuple[Finding, Action]]:
        control = self._config.control_action
        kinds: tuple[tuple[str, re.Pattern[str], Action], ...] = (
            ("broken_characters", _BROKEN, "block"),
            ("control_characters", _CONTROL, control),
            ("terminal_characters", _TERMINAL, "flag"),
            ("direction_overrides", _DIRECTION, "flag"),
            ("stacked_marks", _STACKED, "flag"),
        )
        for rule, pattern, action in kinds:
            for count, match in enumerate(pattern.finditer(text)):
                if count == _MOST_OF_A_KIND:
                    break
                start, end = match.start(), match.end()
                found = Finding(rule=f"limits.{rule}", category="characters", part=index, start=start, end=end)
                yield found, "flag" if stage == "result" else action

    @staticmethod
    def explain(finding: Finding) -> str:
        """Says in the current language which limit was passed."""
        rules = {
            "limits.parts": say("too many messages or parts", "消息或片段过多"),
            "limits.total_chars": say("the prompt is too long", "输入总长度超限"),
            "limits.part_chars": say("one message or document is too long", "单条消息或文档过长"),
            "limits.broken_characters": say(
                "broken characters (not valid Unicode text)", "损坏的字符（不是有效的 Unicode 文本）"
            ),
            "limits.control_characters": say("control characters", "控制字符"),
            "limits.terminal_characters": say("terminal control characters", "终端控制字符"),
            "limits.direction_overrides": say("characters that reverse the writing direction", "改变书写方向的字符"),
            "limits.stacked_marks": say("stacked combining marks", "堆叠的组合符号"),
        }
        return rules.get(finding.rule, finding.rule)
