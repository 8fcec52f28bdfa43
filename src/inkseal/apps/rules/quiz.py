"""Whether the questions of a quiz can be answered and marked."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.choices import chosen
from inkseal.apps.contracts import Answer, Facts, RuleConfig
from inkseal.apps.folding import folded
from inkseal.core.language import say


class QuizConfig(RuleConfig):
    """The answer is an object with `questions`, each with `question`, `options` (empty: free text) and `answer`."""

    num_options: int = Field(4, ge=2, le=8, description="Of a question with choices.")


class Quiz:
    """Questions differ, options differ, and the answer is one of them."""

    name: ClassVar[str] = "quiz"
    config: ClassVar[type[RuleConfig]] = QuizConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(QuizConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns a line for each question that is off."""
        questions = answer.data.get("questions", []) if isinstance(answer.data, Mapping) else []
        asked = [folded(question["question"]) for question in questions]
        found = [say("Two questions are the same.", "有两道题相同。")] if len(set(asked)) < len(asked) else []
        for number, question in enumerate(questions, 1):
            if why := self._fault(question):
                found.append(say(f"Question {number}: {why}.", f"第 {number} 题：{why}。"))
        return found[:6]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing."""
        return answer

    def _fault(self, question: Mapping[str, Any]) -> str:
        options = question.get("options") or []
        if not question["question"].strip() or not question["answer"].strip():
            return say("the question or its answer is empty", "题目或答案为空")
        if not options:
            return ""
        if len(options) != self._config.num_options or len({folded(option) for option in options}) != len(options):
            return say(
                f"{self._config.num_options} different options are needed",
                f"需要 {self._config.num_options} 个不同的选项",
            )
        return (
            "" if chosen(question["answer"], options) is not None else say("its answer is no option", "答案不在选项中")
        )
