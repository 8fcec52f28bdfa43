"""Numbers of a JSON answer that must add up."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Count, Facts, RuleConfig, values_at
from inkseal.core.language import say


class SumConfig(RuleConfig):
    """`path` names the numbers, such as `phases[].minutes`."""

    keeps_words: ClassVar[bool] = True
    total: Count
    tolerance: float = Field(0, ge=0, le=1_000_000, description="How far off the sum may be.")
    scale: bool = Field(False, description="Whole numbers that are off are scaled to the total, shares kept.")

    def templates(self) -> Iterator[str]:
        """Yields the total if it is a name."""
        yield from (value for value in (self.total,) if isinstance(value, str))


class Sum:
    """Numbers add up to what was asked for."""

    name: ClassVar[str] = "sum"
    config: ClassVar[type[RuleConfig]] = SumConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(SumConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns what the numbers add up to, if that is something else."""
        total = facts.number(self._config.total)
        values = values_at(answer, self._config.path)
        if total is None:
            return []
        if not values or not all(_is_number(value) for value in values):
            return [say(f"{self._config.path} holds something else than numbers.", f"{self._config.path} 含非数字。")]
        found = math.fsum(values)
        if abs(found - total) <= self._config.tolerance:
            return []
        shown = " + ".join(f"{value:g}" for value in values[:12])
        return [
            say(f"{shown} is {found:g}; it must be {total}.", f"{shown} 合计 {found:g}，应为 {total}。"),
        ]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Scales whole numbers to the total where the rule says so; else which one is wrong, code cannot tell."""
        total, values = facts.number(self._config.total), values_at(answer, self._config.path)
        counts = all(_is_number(value) and value == int(value) and value > 0 for value in values)
        if not self._config.scale or total is None or not counts or not 0 < len(values) <= total:
            return answer
        data = _replaced(answer.data, self._config.path.split("."), iter(scaled(values, total)))
        return Answer(json.dumps(data, ensure_ascii=False), data)


def scaled(values: Sequence[int], total: int) -> list[int]:
    """Returns whole numbers of at least 1 that add up to the total, as near to the shares of the given ones as may be.

    Source: the method of largest remainders (A. Hamilton, 1792).
    """
    exact = [value * total / sum(values) for value in values]
    found = [max(1, math.floor(share)) for share in exact]
    while (left := total - sum(found)) != 0:
        step = 1 if left > 0 else -1
        gaps = {
            (share - number) * step: place
            for place, (share, number) in enumerate(zip(exact, found, strict=True))
            if number + step >= 1
        }
        found[gaps[max(gaps)]] += step
    return found


def _replaced(value: Any, path: Sequence[str], fresh: Iterator[int]) -> Any:
    """Returns the value with the numbers at a path replaced, in the order of `values_at`."""
    if not path or not isinstance(value, Mapping):
        return value if value is None or path else next(fresh)
    name = path[0].removesuffix("[]")
    inner = value.get(name)
    if path[0].endswith("[]") and isinstance(inner, list):
        return {**value, name: [_replaced(item, path[1:], fresh) for item in inner]}
    return {**value, name: _replaced(inner, path[1:], fresh)} if name in value else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
