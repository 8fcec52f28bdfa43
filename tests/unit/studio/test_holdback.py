import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.config import ComponentConfig
from inkseal.core.types import Action, Finding, Part, Stage, Verdict
from inkseal.studio.guard.holdback import STEP_CHARS, HoldBack

LONGEST = 12


class Words:
    """Hits digits in brackets, at most 12 characters long."""

    name = "words"
    version = "1"
    stages: frozenset[Stage] = frozenset({"result"})
    needs: frozenset[str] = frozenset()
    config = ComponentConfig

    def __init__(self, action: Action, **resources: Any) -> None:
        self.action = action

    def inspect(self, parts: Sequence[Part], stage: Stage) -> Verdict:
        findings = tuple(
            Finding(rule="digits", category="test", part=i, start=m.start(), end=m.end(), replacement="⟨X⟩")
            for i, part in enumerate(parts)
            for m in re.finditer(r"\[\d{1,10}\]", part.text)
        )
        action: Action = self.action if findings else "allow"
        return Verdict(check="words", version="1", stage=stage, action=action, findings=findings)

    def unfinished(self, text: str) -> int:
        match = re.search(r"\[\d{0,10}$", text)
        return len(match.group()) if match else 0


def _stream(gate: HoldBack, text: str, cuts: list[int]) -> tuple[list[str], Verdict | None]:
    shown, verdict = [], None
    edges = sorted({min(c, len(text)) for c in cuts} | {0, len(text)})
    for start, end in pairwise(edges):
        out, verdict = gate.push(text[start:end])
        shown.append(out)
        if verdict:
            return shown, verdict
    out, verdict = gate.finish()
    return [*shown, out], verdict


TEXTS = st.lists(st.one_of(st.sampled_from(["[123]", "[4]", "[1234567890]", "["]), st.text("ab[1]", max_size=30))).map(
    "".join
)
CUTS = st.lists(st.integers(0, 300), max_size=60)


@given(TEXTS, CUTS)
def test_however_the_text_is_cut_the_redacted_stream_is_the_redacted_whole(text: str, cuts: list[int]) -> None:
    shown, verdict = _stream(HoldBack([Words("redact")], {}), text, cuts)
    assert verdict is None
    assert "".join(shown) == re.sub(r"\[\d{1,10}\]", "⟨X⟩", text)


@given(TEXTS, CUTS)
def test_no_part_of_a_blocked_hit_ever_leaves(text: str, cuts: list[int]) -> None:
    shown, verdict = _stream(HoldBack([Words("block")], {}), text, cuts)
    hit = re.search(r"\[\d{1,10}\]", text)
    assert (verdict is not None) == (hit is not None)
    if hit:
        assert len("".join(shown)) <= hit.start()


@given(st.lists(st.sampled_from(["⟨PHONE_1⟩", "⟨PHONE_12⟩", "⟨", "call ", "⟨PHO"])).map("".join), CUTS)
def test_placeholders_are_restored_however_they_are_cut(text: str, cuts: list[int]) -> None:
    restore = {"⟨PHONE_1⟩": "13800138000", "⟨PHONE_12⟩": "13900139000"}
    shown, _ = _stream(HoldBack([Words("redact")], restore), text, cuts)
    expected = text
    for placeholder, original in restore.items():
        expected = expected.replace(placeholder, original)
    assert "".join(shown) == expected


def test_without_checks_nothing_is_held_back() -> None:
    assert HoldBack([], {}).push("hello there") == ("hello there", None)


def test_shown_characters_are_counted() -> None:
    gate = HoldBack([Words("block")], {})
    shown, verdict = _stream(gate, "x" * 200 + "[1]", list(range(203)))
    assert verdict is not None
    assert gate.num_chars_shown == len("".join(shown)) >= 200 - LONGEST - STEP_CHARS
