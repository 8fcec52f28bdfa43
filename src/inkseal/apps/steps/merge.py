"""Code puts fields and earlier steps together by a template; no model is asked."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from inkseal.apps.contracts import Prompt, Prompts, StepConfig
from inkseal.apps.template import plain
from inkseal.apps.work import Work


class MergeConfig(StepConfig):
    """The template."""

    template: Prompt

    def prompts(self) -> Iterator[tuple[Prompts, frozenset[str]]]:
        """Yields the template."""
        yield self.template, frozenset()


class Merge:
    """Code puts fields and earlier steps together by a template; no model is asked."""

    name: ClassVar[str] = "merge"
    config: ClassVar[type[StepConfig]] = MergeConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(MergeConfig, config)

    def run(self, work: Work) -> str:
        """Returns the text."""
        return plain(self._config.template.of(work.language), work.scope)
