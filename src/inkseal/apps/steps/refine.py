"""A draft is criticised, and written again with the critique: T11's staged writing.

Source: Madaan et al. 2023, "Self-Refine: Iterative Refinement with Self-Feedback", algorithm 1.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Name, Prompt, Prompts, StepConfig
from inkseal.apps.template import Bound
from inkseal.apps.work import Question, Work
from inkseal.core.errors import AnswerRefused
from inkseal.core.types import Origin

CRITIQUE_TOKENS = 400
_OWN = frozenset({"draft", "critique"})


class RefineConfig(StepConfig):
    """Two prompts: the critique of `draft`, and the new writing with `draft` and `critique`."""

    of: Name = Field(description="The step whose text is refined.")
    critique: Prompt
    prompt: Prompt
    rounds: int = Field(1, ge=1, le=3)
    regex: Prompt | None = Field(
        None, description="What the text must match, made of fields; not asked for when empty."
    )
    max_tokens: int | None = Field(None, ge=1, le=8192)
    attempts: int | None = Field(None, ge=1, le=5)

    def prompts(self) -> Iterator[tuple[Prompts, frozenset[str]]]:
        """Yields both."""
        yield self.critique, _OWN - {"critique"}
        yield self.prompt, _OWN
        if self.regex is not None:
            yield self.regex, frozenset()

    def asks_for(self) -> Iterator[str]:
        """Yields the draft's step."""
        yield from super().asks_for()
        yield self.of

    def refines(self) -> str:
        """Returns the draft's step."""
        return self.of

    def writes_text(self) -> bool:
        """Returns True."""
        return True

    def calls(self) -> int:
        """Returns two a round."""
        return 2 * self.rounds


class Refine:
    """Draft, critique, refined text; the draft stays where no refined text meets the rules."""

    name: ClassVar[str] = "refine"
    config: ClassVar[type[StepConfig]] = RefineConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(RefineConfig, config)

    def run(self, work: Work) -> str:
        """Returns the refined text.

        Raises:
            AnswerRefused: neither the draft nor a refined text meets the rules.
        """
        config = self._config
        text, kept = str(work.scope[config.of].value), work.made[config.of][-1]
        for _ in range(config.rounds):
            draft = {"draft": Bound(text, Origin.ASSISTANT)}
            critique = work.ask(
                Question(
                    prompt=config.critique,
                    own=draft,
                    ruled=False,
                    max_tokens=CRITIQUE_TOKENS,
                    attempts=1,
                    phase="critique",
                )
            )
            own = draft | {"critique": Bound(critique.text, Origin.ASSISTANT)}
            question = Question(
                prompt=config.prompt,
                regex=config.regex,
                own=own,
                max_tokens=config.max_tokens,
                attempts=config.attempts,
                phase="refine",
            )
            try:
                text = work.ask(question).text
                kept = work.made[config.name][-1]
            except AnswerRefused:
                if not work.fits(text):
                    raise
                work.keep(kept)
        return text
