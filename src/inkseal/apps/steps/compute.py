"""Code works something out: figures of a table, sentences with numbers, marks for answers."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self, cast

from pydantic import Field, model_validator

from inkseal.apps.computations import computations
from inkseal.apps.contracts import Name, PathName, StepConfig
from inkseal.apps.template import look_up
from inkseal.apps.work import Work


class ComputeConfig(StepConfig):
    """Which computation, and where its values are."""

    function: str = Field(description="A computation's name.")
    values: dict[Name, PathName] = Field(description="Argument → field or step.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.function not in computations:
            raise ValueError(f"there is no computation {self.function!r}; there are: {', '.join(computations)}")
        kind = computations[self.function]
        given = set(self.values)
        if not kind.arguments <= given <= kind.arguments | kind.optional:
            raise ValueError(f"{self.function} takes {sorted(kind.arguments)} and may take {sorted(kind.optional)}")
        return self

    def asks_for(self) -> Iterator[str]:
        """Yields where the arguments come from."""
        yield from super().asks_for()
        yield from self.values.values()


class Compute:
    """Code works something out: figures of a table, sentences with numbers, marks for answers."""

    name: ClassVar[str] = "compute"
    config: ClassVar[type[StepConfig]] = ComputeConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(ComputeConfig, config)

    def run(self, work: Work) -> Any:
        """Returns what was worked out.

        Raises:
            InvalidRequest: a value cannot be used.
        """
        values = {name: look_up(path, work.scope).value for name, path in self._config.values.items()}
        return computations[self._config.function]().run(values, work.language)
