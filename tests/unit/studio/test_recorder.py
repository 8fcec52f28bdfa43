"""How a run is recorded that broke: nothing unchecked is kept, and the cause is said whatever else fails."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from inkseal import Studio, TextRequest
from inkseal.core.errors import EngineFailed, InksealError, StoreError
from inkseal.core.events import ArtifactReady, Event, Failed, Generated, Withdrawn
from inkseal.core.types import Chunk
from inkseal.store.records import ArtifactRow, RunRow
from inkseal.studio.generate.backends.echo import EchoEngine

BLOCKED_WORD = "quixotrope"
RULES = f"""
[checks.sensitive_terms.rules.category.test]
title = ["test", "测试"]
action = "block"
[[checks.sensitive_terms.rules.rule]]
id = "test.word"
category = "test"
terms = ["{BLOCKED_WORD}"]
"""


@pytest.fixture
def studio(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio whose engine writes a word that is blocked, then half of another result, and breaks."""

    def generate(self: EchoEngine, request: Any, cancel: Any) -> Generator[Chunk, None, None]:
        yield Chunk(index=0, text="fine words " * 100 + BLOCKED_WORD + " more" * 100)
        yield Chunk(index=1, text="half of a result " * 100)
        raise EngineFailed("The engine broke.")

    monkeypatch.setattr(EchoEngine, "generate", generate)
    (data_dir / "settings.toml").write_text(RULES)
    with Studio.open() as opened:
        yield opened


def _broken(studio: Studio) -> list[Event]:
    events: list[Event] = []
    with pytest.raises(EngineFailed, match="The engine broke"):
        studio.run(TextRequest.of("Write.", model="echo", n=2), on_event=events.append)
    return events


def _run(studio: Studio) -> RunRow:
    with studio.store.reading() as session:
        return session.scalars(select(RunRow)).one()


def test_what_nobody_checked_as_a_whole_is_not_kept(studio: Studio) -> None:
    events = _broken(studio)
    assert [event.index for event in events if isinstance(event, Withdrawn)] == [0]
    assert "half of a result" in "".join(event.chunk.text for event in events if isinstance(event, Generated))
    with studio.store.reading() as session:
        (row,) = session.scalars(select(ArtifactRow))
        assert (row.state, row.title) == ("withdrawn", "")
        assert studio.sealer.load(session, row.id).manifest.withdrawn is not None
    assert not list(studio.store.blobs)
    assert studio.search("half") == []
    assert not [event for event in events if isinstance(event, ArtifactReady)]
    assert (_run(studio).status, _run(studio).error) == ("failed", "engine_failed")


@pytest.mark.parametrize("error", [StoreError("The records are damaged."), ValueError("anything")])
def test_what_cannot_be_sealed_hides_neither_the_cause_nor_the_end(
    studio: Studio, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: object) -> InksealError:
        raise error

    monkeypatch.setattr(studio.recorder, "_sign", refuse)
    events = _broken(studio)
    assert [event.code for event in events if isinstance(event, Failed)] == ["engine_failed"]
    assert (_run(studio).status, _run(studio).error) == ("failed", "engine_failed")
    assert _run(studio).id in caplog.text
    assert "half of a result" not in caplog.text


def test_a_run_whose_end_cannot_be_recorded_is_told_to_be_over(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(studio.recorder, "_finish", refuse)
    events: list[Event] = []
    with pytest.raises(StoreError, match="full"):
        studio.run(TextRequest.of("Write.", model="echo", n=2), on_event=events.append)
    assert [event.code for event in events if isinstance(event, Failed)] == ["engine_failed"]


def test_a_run_that_breaks_in_an_unforeseen_way_is_told_to_be_over(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generate(self: EchoEngine, request: Any, cancel: Any) -> Generator[Chunk, None, None]:
        yield Chunk(index=0, text="words")
        raise ZeroDivisionError("/a/secret/place")

    monkeypatch.setattr(EchoEngine, "generate", generate)
    events: list[Event] = []
    with pytest.raises(ZeroDivisionError):
        studio.run(TextRequest.of("Write.", model="echo"), on_event=events.append)
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.code == "engine_failed"
    assert "secret" not in failed.message
    assert (_run(studio).status, _run(studio).error) == ("failed", "engine_failed")
