"""What the events of a run may carry to those who follow it."""

import asyncio
from pathlib import Path

import pytest

from inkseal.apps.events import AppFailed
from inkseal.core.events import Failed, Noted
from inkseal.serve.app_feed import AppFeed
from inkseal.serve.callers import LOCAL
from inkseal.serve.feeds import MAX_EVENTS, Feeds, KeptEvent, frames, told
from inkseal.serve.metrics import Metrics
from inkseal.serve.queue import JobQueue
from inkseal.serve.routes.runs import EventFrames

RUN = "0" * 26


def streamed(feeds: Feeds, after: int = 0) -> str:
    async def read() -> bytes:
        return b"".join([piece async for piece in frames(feeds.of(RUN, LOCAL), after)])

    return asyncio.run(read()).decode()


@pytest.fixture
def feeds(tmp_path: Path) -> Feeds:
    return Feeds(Metrics(JobQueue(1, 1, 1)), 10, (str(tmp_path),))


def test_the_words_of_errors_and_notes_name_no_folder(feeds: Feeds, tmp_path: Path) -> None:
    inside = f"{tmp_path}/models/x is damaged"
    feeds.take("", RUN, Noted(text=inside))
    feeds.take("", RUN, Failed(run_id=RUN, code="x", message=inside))
    assert str(tmp_path) not in streamed(feeds)
    assert streamed(feeds).count("…/models/x is damaged") == 2
    asked: list[KeptEvent] = [Failed(run_id=RUN, code="x", message=inside), AppFailed(code="x", message=inside)]
    for event in asked:
        assert told(event, (str(tmp_path),)).message == "…/models/x is damaged"  # type: ignore[union-attr]
    frame = EventFrames((str(tmp_path),)).take(Failed(run_id=RUN, code="x", message=inside))
    assert str(tmp_path).encode() not in frame


def test_what_is_no_longer_kept_is_counted(feeds: Feeds) -> None:
    for number in range(MAX_EVENTS + 5):
        feeds.take("", RUN, Noted(text=str(number)))
    feeds.take("", RUN, Failed(run_id=RUN, code="x", message="y"))
    assert streamed(feeds).startswith('event: gap\ndata: {"missed": 6}\n\nid: 7\n')
    assert streamed(feeds, 4).startswith('event: gap\ndata: {"missed": 2}\n\nid: 7\n')
    assert streamed(feeds, MAX_EVENTS + 5).startswith(f"id: {MAX_EVENTS + 6}\nevent: failed")
    assert streamed(feeds, 10**6) == ""


def test_a_feed_of_an_app_ends_with_the_app(feeds: Feeds) -> None:
    feed = AppFeed("ann")
    feed.put(Failed(run_id=RUN, code="x", message="a step's run"))
    assert not feed.over
    feed.put(AppFailed(code="x", message="y"))
    assert feed.over
