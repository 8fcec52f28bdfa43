"""Sizes and characters."""

import pytest

from inkseal.core.types import Action, Part
from inkseal.studio.guard.checks.limits import Limits, LimitsConfig


def test_sizes_are_bounded_and_named() -> None:
    check = Limits(LimitsConfig(max_chars=30, max_part_chars=20, max_parts=3))
    assert check.inspect([Part(text="x" * 20)], "prompt").action == "allow"
    for parts, rule in (
        ([Part(text="x" * 21)], "limits.part_chars"),
        ([Part(text="x" * 16)] * 2, "limits.total_chars"),
        ([Part(text="x")] * 4, "limits.parts"),
    ):
        verdict = check.inspect(parts, "prompt")
        assert verdict.action == "block"
        assert rule in {f.rule for f in verdict.findings}
    assert check.inspect([Part(text="x" * 999)], "result").action == "allow"


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("tab\tline\r\nend", "allow"),
        ("nul\x00", "block"),
        ("surrogate \ud800", "block"),
        ("not a character \ufffe", "block"),
        ("escape \x1b[31mred", "flag"),
        ("control \x01", "block"),
        ("c1 \x9b", "block"),
        ("reversed \u202e", "flag"),
        ("z" + "\u0301" * 30, "flag"),
        ("é ñ 你好 👨‍👩‍👧", "allow"),
    ],
)
def test_fault_1_characters(text: str, action: Action) -> None:
    part = Part.model_construct(text=text, artifact=None, media_type="text/plain")
    assert Limits(LimitsConfig()).inspect([part], "prompt").action == action
    assert Limits(LimitsConfig()).inspect([part], "result").action in ("allow", "flag")


def test_fault_5_very_many_parts_are_refused_at_once() -> None:
    verdict = Limits(LimitsConfig()).inspect([Part(text="x")] * 100_000, "prompt")
    assert verdict.action == "block"
    assert len(verdict.findings) == 1
