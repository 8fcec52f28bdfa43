"""Draft, critique and refined text: what is kept when an answer is cut off or meets no rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkseal import Studio
from inkseal.apps.definition import AppFile, read_app
from inkseal.apps.events import AppEvent, AppFailed
from inkseal.apps.runner import run_app
from inkseal.apps.work import Options
from inkseal.core.errors import AnswerRefused, InvalidRequest
from inkseal.core.types import Message
from inkseal.modalities.text.request import TextRequest

ECHO = Options(model="echo", seed=7)
REFINING = """
format = 1
name = "refiner"
category = "writing"
title = "Refiner"
description = "Writes twice."

[writing]
attempts = 1

[[fields]]
name = "word"
type = "text"
title = "Word"

[[steps]]
name = "draft"
kind = "generate"
prompt = "Write {{word}}"

[[steps]]
name = "text"
kind = "refine"
of = "draft"
critique = "What is weak in {{draft}}?"
prompt = "Again, with {{critique}}: {{draft}}"
rounds = 2

[[rules]]
kind = "contains"
none = ["mud"]
"""


def file(toml: str = REFINING) -> AppFile:
    return read_app(toml.encode(), own=True)


@pytest.fixture
def studio(data_dir: Path) -> Iterator[Studio]:
    with Studio.open() as opened:
        yield opened


def script(studio: Studio, monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Lets the fake answer with these texts, one after the other; returns the list of what it was asked."""
    run, left, asked = studio.run, list(answers), []

    def answering(request: TextRequest, *arguments: Any, **named: Any) -> Any:
        asked.append(request.messages[-1].text)
        said = request.model_copy(update={"messages": (Message.of("user", left.pop(0)),)})
        return run(said, *arguments, **named)

    monkeypatch.setattr(studio, "run", answering)
    return asked


def test_a_refused_round_keeps_the_text_before_it_and_its_artifact(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(studio, monkeypatch, "a fox", "too short", "a red fox", "still short", "mud")
    result = run_app(studio, file(), {"word": "fox"}, language="en", options=ECHO)
    assert result.text == "a red fox"
    parents = studio.manifest(result.artifact.id).manifest.parents
    assert [studio.content(parent).decode() for parent in parents] == ["a fox", "a red fox"]


def test_where_no_round_is_kept_the_draft_is_the_artifact(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    script(studio, monkeypatch, "a fox", "short", "mud", "short", "mud")
    result = run_app(studio, file(), {"word": "fox"}, language="en", options=ECHO)
    assert result.text == "a fox"
    parents = studio.manifest(result.artifact.id).manifest.parents
    assert [studio.content(parent).decode() for parent in parents] == ["a fox"]


def test_a_draft_that_breaks_the_rules_is_no_way_out(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    script(studio, monkeypatch, "mud", "bad", "mud again")
    with pytest.raises(AnswerRefused, match="mud"):
        run_app(studio, file(), {"word": "fox"}, language="en", options=ECHO)


def test_a_critique_that_is_cut_off_is_of_use_as_far_as_it_goes(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkseal.apps.steps.refine.CRITIQUE_TOKENS", 3)
    once = file(REFINING.replace("rounds = 2", "rounds = 1"))
    asked = script(studio, monkeypatch, "a fox", "one two three four five six seven eight nine", "a red fox")
    assert run_app(studio, once, {"word": "fox"}, language="en", options=ECHO).text == "a red fox"
    assert "one" in asked[-1]
    assert "nine" not in asked[-1]


CUT = """
format = 1
name = "cutter"
category = "writing"
title = "Cutter"
description = "Has no end."

[writing]
attempts = 1
max_tokens = {tokens}

[[fields]]
name = "word"
type = "text"
title = "Word"

[[steps]]
name = "text"
kind = "generate"
prompt = "Write {{{{word}}}}"

[[rules]]
kind = "numbers"
known = ["word"]
drop = true
"""


@pytest.mark.parametrize(("tokens", "kept"), [(400, True), (12, False)])
def test_a_torn_end_is_not_made_whole_by_mending_something_else(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, tokens: int, kept: bool
) -> None:
    script(studio, monkeypatch, "It was 999 there. All of it stood in the rain, and nobody came to see it at all.")
    cutter = file(CUT.format(tokens=tokens))
    if kept:
        assert run_app(studio, cutter, {"word": "rain"}, language="en", options=ECHO).text.startswith("All of it")
        return
    with pytest.raises(AnswerRefused, match="cut off"):
        run_app(studio, cutter, {"word": "rain"}, language="en", options=ECHO)


def test_whoever_watches_is_told_of_an_unforeseen_end(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[AppEvent] = []

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(studio, "run", broken)
    with pytest.raises(RuntimeError, match="unforeseen"):
        run_app(studio, file(), {"word": "fox"}, events.append, language="en", options=ECHO)
    assert isinstance(events[-1], AppFailed)
    assert (events[-1].code, "unforeseen" in events[-1].message) == ("internal_error", False)


@pytest.mark.parametrize(
    "change",
    [
        ('of = "draft"', 'of = "word"'),
        ('prompt = "Write {{word}}"', 'when = "word"\nprompt = "Write {{word}}"'),
        ('prompt = "Write {{word}}"', 'json_schema = \'{"type": "string"}\'\nprompt = "Write {{word}}"'),
    ],
)
def test_only_a_text_that_is_always_written_can_be_refined(change: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="always writes one text"):
        file(REFINING.replace(*change).replace('critique = "What is weak in {{draft}}?"', 'critique = "Weak?"'))


def test_a_rule_that_nothing_is_written_for_is_refused() -> None:
    merged = (
        REFINING[: REFINING.index("[[steps]]")] + '[[steps]]\nname = "text"\nkind = "merge"\ntemplate = "{{word}}"\n'
    )
    assert file(merged).app.writer is None
    with pytest.raises(InvalidRequest, match="give it a 'step'"):
        file(merged + '[[rules]]\nkind = "repeats"\n')
