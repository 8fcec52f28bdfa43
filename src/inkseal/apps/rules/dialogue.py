"""Whether a branching dialogue can be played: every node is reached, every one but the last goes on."""

import copy
import json
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Facts, RuleConfig
from inkseal.core.language import say


class DialogueConfig(RuleConfig):
    """The answer is an object with `nodes`, each with `choices`, each with `to`: a node's number, from 1."""

    keeps_words: ClassVar[bool] = True
    least: int = Field(2, ge=1, le=8, description="Choices of every node but the last, which has none.")


class Dialogue:
    """Every node is reached from the first, and every one but the last has choices."""

    name: ClassVar[str] = "dialogue"
    config: ClassVar[type[RuleConfig]] = DialogueConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(DialogueConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns a line for each node that is off."""
        nodes, least = _nodes(answer), self._config.least
        found = []
        for number, node in enumerate(nodes[:-1], 1):
            if (count := len(node["choices"])) < least:
                en = f"Node {number}: {least} choices are needed, not {count}."
                found.append(say(en, f"节点 {number}：至少要 {least} 个选项，现有 {count} 个。"))
        if nodes and nodes[-1]["choices"]:
            found.append(say("The last node has choices; it must end.", "最后一个节点不应有选项。"))
        lost = sorted(set(range(1, len(nodes) + 1)) - _reached(nodes))
        return [*found, *(say(f"No choice leads to node {n}.", f"没有选项通往节点 {n}。") for n in lost)][:8]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Lets the last node end, and turns choices that others repeat to nodes that none leads to."""
        data = copy.deepcopy(answer.data)
        nodes = _nodes(Answer("", data))
        if not nodes:
            return answer
        nodes[-1]["choices"] = []
        for lost in range(2, len(nodes) + 1):
            if lost not in _reached(nodes) and not _turned(nodes, lost):
                break
        return answer if data == answer.data else Answer(json.dumps(data, ensure_ascii=False), data)


def _nodes(answer: Answer) -> list[Any]:
    found = answer.data.get("nodes") if isinstance(answer.data, Mapping) else None
    return found if isinstance(found, list) else []


def _reached(nodes: list[Any]) -> set[int]:
    reached, ahead = set[int](), [1] if nodes else []
    while ahead:
        number = ahead.pop()
        if number not in reached and 1 <= number <= len(nodes):
            reached.add(number)
            ahead += [choice["to"] for choice in nodes[number - 1]["choices"]]
    return reached


def _turned(nodes: list[Any], lost: int) -> bool:
    """Turns a choice to a lost node, if one can be without losing another; one of the nearest node before, if any."""
    reached = _reached(nodes)
    for number in sorted(reached, key=lambda number: (number > lost, abs(lost - number))):
        for choice in reversed(nodes[number - 1]["choices"]):
            before, choice["to"] = choice["to"], lost
            if reached <= _reached(nodes):
                return True
            choice["to"] = before
    return False
