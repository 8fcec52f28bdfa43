"""Whether every number in the prose follows from what was given: a table's figures, or the numbers of a text."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Facts, PathName, RuleConfig, texts_at
from inkseal.apps.quantities import Quantity, follows, numbers_in, quantities, small_numbers_in
from inkseal.apps.sentence_ends import cut
from inkseal.apps.template import look_up
from inkseal.core.language import say
from inkseal.formats.json_schema import is_number


class NumbersConfig(RuleConfig):
    """Where the numbers come from, and what becomes of a sentence with another one in the end."""

    known: tuple[PathName, ...] = Field(min_length=1, description="Fields or steps: numbers, lists of them, or texts.")
    drop: bool = Field(False, description="In the end, take out the sentences whose numbers do not follow.")
    all: bool = Field(False, description="Every number of `known` must be in the answer too, as in a translation.")

    def asks_for(self) -> Iterator[str]:
        """Yields where the numbers come from."""
        yield from super().asks_for()
        yield from self.known


class Numbers:
    """Every number in the prose follows from the given ones, as it is rounded there."""

    name: ClassVar[str] = "numbers"
    config: ClassVar[type[RuleConfig]] = NumbersConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(NumbersConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns one line that names the numbers which do not follow, or are missing."""
        needed = self._numbers(facts, numbers_in)
        known = [*needed, *self._numbers(facts, small_numbers_in)]
        found = []
        texts = texts_at(answer, self._config.path)
        if wrong := [quantity.text for text in texts for quantity in _wrong(text, known)]:
            listed = ", ".join(dict.fromkeys(wrong[:8]))
            found.append(say(f"These numbers are not in the data: {listed}.", f"以下数字不在数据中：{listed}。"))
        if self._config.all:
            stated = [number for text in texts for number in (*numbers_in(text), *small_numbers_in(text))]
            missing = [number for number in needed if not any(abs(number - one) < 1e-9 for one in stated)]
            if missing:
                listed = ", ".join(f"{number:.10g}" for number in missing[:8])
                found.append(say(f"These numbers are missing: {listed}.", f"缺少以下数字：{listed}。"))
        return found

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Takes out the sentences with numbers that do not follow, where the rule says so."""
        if not self._config.drop or self._config.path:
            return answer
        known = [*self._numbers(facts, numbers_in), *self._numbers(facts, small_numbers_in)]
        lines = []
        for line in answer.text.splitlines():
            bad = [sentence for sentence in cut(line) if _wrong(sentence, known)]
            if not bad:
                lines.append(line)
                continue
            kept = line
            for sentence in bad:
                kept = kept.replace(sentence, "")
            if any(char.isalnum() for char in kept):
                lines.append(kept.strip())
        return answer._replace(text="\n".join(lines).strip("\n"))

    def _numbers(self, facts: Facts, read: Callable[[str], list[float]]) -> list[float]:
        found = (_numbers_of(look_up(path, facts.scope).value, read) for path in self._config.known)
        return [number for numbers in found for number in numbers]


def _wrong(text: str, known: list[float]) -> list[Quantity]:
    return [quantity for quantity in quantities(text) if not follows(quantity, known)]


def _numbers_of(value: Any, read: Callable[[str], list[float]]) -> list[float]:
    if isinstance(value, str):
        return read(value)
    if is_number(value):
        return [float(value)]
    if isinstance(value, bool | int | float) or value is None:
        return []
    items = value.values() if isinstance(value, dict) else value
    return [number for item in items for number in _numbers_of(item, read)]
