"""The form of verse: how many lines, and how long each is."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Count, Facts, RuleConfig, texts_at
from inkseal.apps.rules._counting import letters, size
from inkseal.core.language import say

_VERSE_END = re.compile(r"(?<=[，。！？；,.!?;])(?=[^\s，。！？；,.!?;])")


class LinesConfig(RuleConfig):
    """Counts are numbers or fields' names in braces; empty ones are not asked for."""

    keeps_words: ClassVar[bool] = True
    count: Count | None = Field(None, description="Lines that are not blank.")
    min: Count | None = None
    max: Count | None = None
    letters: Count | None = Field(None, description="Chinese characters or letters in each line, without punctuation.")
    min_words: Count | None = Field(None, description="Words, or Chinese characters, in each line.")
    max_words: Count | None = None
    split_verse: bool = Field(False, description="A line of verse also ends at its punctuation mark.")

    def templates(self) -> Iterator[str]:
        """Yields the counts that are names."""
        counts = (self.count, self.min, self.max, self.letters, self.min_words, self.max_words)
        yield from (count for count in counts if isinstance(count, str))


class Lines:
    """So many lines, each so long."""

    name: ClassVar[str] = "lines"
    config: ClassVar[type[RuleConfig]] = LinesConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(LinesConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns what is off, with the number of the first line that is."""
        found: list[str] = []
        for text in texts_at(answer, self._config.path):
            lines = self._lines(text)
            found += self._counted(lines, facts)
            found += self._measured(lines, facts)
        return found[:6]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Puts each verse on a line of its own, and takes off marks of Markdown around lines; no word changes."""
        if self._config.path:
            return answer
        plain = [re.sub(r"^\s*(?:[-*>]|\d+[.)、])\s+|[*_]{2,}", "", line).strip() for line in answer.text.splitlines()]
        text = "\n".join(plain)
        if self._config.split_verse:
            text = _VERSE_END.sub("\n", text)
        return answer._replace(text=re.sub(r"\n{3,}", "\n\n", text).strip("\n"))

    def _lines(self, text: str) -> list[str]:
        whole = [line.strip() for line in text.splitlines() if line.strip()]
        if not self._config.split_verse:
            return whole
        return [verse.strip() for line in whole for verse in _VERSE_END.split(line) if verse.strip()]

    def _counted(self, lines: list[str], facts: Facts) -> list[str]:
        config, number = self._config, len(lines)
        exact, least, most = (
            None if bound is None else facts.number(bound) for bound in (config.count, config.min, config.max)
        )
        if exact is not None and number != exact:
            return [say(f"It has {number} lines; {exact} are needed.", f"有 {number} 行，应为 {exact} 行。")]
        if least is not None and number < least:
            return [say(f"It has {number} lines; at least {least} are needed.", f"只有 {number} 行，至少 {least} 行。")]
        if most is not None and number > most:
            return [say(f"It has {number} lines; at most {most} are allowed.", f"有 {number} 行，最多 {most} 行。")]
        return []

    def _measured(self, lines: list[str], facts: Facts) -> list[str]:
        config, found = self._config, []
        exact, least, most = (
            None if bound is None else facts.number(bound)
            for bound in (config.letters, config.min_words, config.max_words)
        )
        for place, line in enumerate(lines, 1):
            if exact is not None and letters(line) != exact:
                found.append(
                    say(
                        f"Line {place} has {letters(line)} letters; {exact} are needed.",
                        f"第 {place} 行有 {letters(line)} 个字，应为 {exact} 个字。",
                    )
                )
            words = size(line)
            if (least is not None and words < least) or (most is not None and words > most):
                span = f"{least or 1} … {most or '∞'}"
                found.append(
                    say(
                        f"Line {place} has {words} words; {span} are needed.",
                        f"第 {place} 行有 {words} 字，应为 {span} 字。",
                    )
                )
        return found[:4]
