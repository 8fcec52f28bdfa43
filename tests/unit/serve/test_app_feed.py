"""The events of a run of an app: who comes later finds them all, with the words of each answer in one piece."""

from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.events import AnswerJudged, AppEvent, AppFailed, KeptEvent, StepStarted, StepWords
from inkseal.core.events import Generated, Progress
from inkseal.core.types import Chunk
from inkseal.serve import app_feed
from inkseal.serve.app_feed import AppFeed

PIECES = st.lists(st.sampled_from(["a", "b", "墨", ""]), max_size=12)


def shown(events: list[tuple[int, KeptEvent]], words: list[str]) -> None:
    """Does with events what the page does: `words` are those of each answer."""
    for _, event in events:
        if isinstance(event, StepStarted):
            words.append("")
        elif isinstance(event, Generated):
            words[-1] += event.chunk.text
        elif isinstance(event, StepWords):
            words[-1] = event.text


def told(answers: list[list[str]]) -> list[AppEvent]:
    events: list[AppEvent] = []
    for number, pieces in enumerate(answers):
        events.append(StepStarted(step=f"s{number}", title="S"))
        for piece in pieces:
            events += [Generated(chunk=Chunk(text=piece)), Progress(what="x", done=0)]
        events.append(AnswerJudged(step=f"s{number}", attempt=1, problems=()))
    return [*events, AppFailed(code="x", message="y")]


@given(st.lists(PIECES, min_size=1, max_size=4), st.lists(st.integers(0, 60), max_size=5), st.integers(1, 30))
def test_every_reader_sees_the_same_words(answers: list[list[str]], looks: list[int], most: int) -> None:
    feed, before = AppFeed(""), app_feed.MAX_PIECES
    late, slow, at = [], [], 0
    app_feed.MAX_PIECES = most
    try:
        for number, event in enumerate(told(answers)):
            feed.put(event)
            if number in looks:
                found = feed.after(at)[1]
                shown(found, slow)
                at = found[-1][0]
    finally:
        app_feed.MAX_PIECES = before
    shown(feed.after(at)[1], slow)
    num_missed, events = feed.after(0)
    shown(events, late)
    wanted = ["".join(pieces) for pieces in answers]
    assert (late, slow, num_missed) == (wanted, wanted, 0)
    assert [number for number, _ in events] == sorted({number for number, _ in events})
    assert not [event for _, event in events if isinstance(event, Generated)]
    assert events[-1][0] == feed.num_events
    assert feed.over
