"""Numbers of a JSON answer that must add up."""

import math
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Count, Facts, RuleConfig, values_at
from inkseal.core.language import say


class SumConfig(RuleConfig):
    """`path` names the numbers, such as `phases[].minutes`."""

    total: Count
    tolerance: float = Field(0, ge=0, le=1_000_000, description="How far off the sum may be.")

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
        """Changes nothing: which number is wrong, code cannot tell."""
        return answer


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
