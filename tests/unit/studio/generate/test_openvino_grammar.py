"""What the gate of grammars remembers: that one is too hard, but not that the machine had no time for it."""

from pathlib import Path
from typing import Any

import pytest

from inkseal.core.errors import Unsupported
from inkseal.formats.child import Starved
from inkseal.studio.generate.backends._openvino_grammar import GrammarGate

SPEC: Any = {"regex": "[a-z]+"}


class Fails:
    """A child that fails once, and then answers that all is well."""

    def __init__(self, how: type[TimeoutError]) -> None:
        self.answers: list[Any] = [how("child"), ""]

    def start(self) -> None:
        """Is there."""

    def ask(self, question: object, limit_seconds: float) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(("how", "is_remembered"), [(TimeoutError, True), (Starved, False)])
def test_only_what_used_up_its_own_time_is_refused_again(
    how: type[TimeoutError], is_remembered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = GrammarGate(Path(), tokenizer=None, num_tokens=8, end_id=0, limit_seconds=1.0)  # type: ignore[arg-type]
    child = Fails(how)
    monkeypatch.setattr(gate, "_child", child)
    monkeypatch.setattr(gate, "_compile", lambda spec: "")
    with pytest.raises(Unsupported, match=r"more than 1\.0 s"):
        gate.admit(SPEC)
    if is_remembered:
        with pytest.raises(Unsupported):
            gate.admit(SPEC)
    else:
        gate.admit(SPEC)
    assert len(child.answers) == int(is_remembered)
