"""Marks the answers to a quiz as far as code can: a choice is right or wrong; free text is left to a model."""

from collections.abc import Mapping
from typing import Any, ClassVar

from inkseal.apps.choices import LETTERS, chosen
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language, say


class ChoiceMarks:
    """Marks choices exactly, and lists what a model must judge: free answers, and those whose key is no option."""

    name: ClassVar[str] = "choice_marks"
    arguments: ClassVar[frozenset[str]] = frozenset({"quiz", "answers"})
    optional: ClassVar[frozenset[str]] = frozenset()

    def run(self, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """Returns `choices` (marked), `open` (to be judged), `num_right` and `num_choices`.

        Raises:
            InvalidRequest: there are more answers than questions.
        """
        questions, answers = values["quiz"]["questions"], values["answers"]
        if len(answers) > len(questions):
            raise InvalidRequest(
                say(
                    f"{len(answers)} answers for {len(questions)} questions.",
                    f"{len(questions)} 道题却有 {len(answers)} 个答案。",
                )
            )
        choices, open_ones = [], []
        for number, question in enumerate(questions, 1):
            given = answers[number - 1].strip() if number <= len(answers) else ""
            row = {"number": number, "question": question["question"], "given": given or say("(none)", "（未作答）")}
            row |= {"answer": question["answer"], "explanation": question.get("explanation", "")}
            options = question.get("options") or []
            right = chosen(question["answer"], options)
            if right is not None:
                mine = chosen(given, options)
                row["is_right"] = mine is not None and mine == right
                row["answer"] = f"{LETTERS[right]}. {options[right]}"
                row["given"] = f"{LETTERS[mine]}. {options[mine]}" if mine is not None else row["given"]
                row["mark"] = say("right", "正确") if row["is_right"] else say("wrong", "错误")
                choices.append(row)
            else:
                open_ones.append(row)
        return {
            "choices": choices,
            "open": open_ones,
            "num_right": sum(row["is_right"] for row in choices),
            "num_choices": len(choices),
        }
