"""A result while it is made: what waits behind the window is counted when it is let out."""

from inkseal.core.events import Generated, Progress
from inkseal.core.types import Chunk, Part, Stage, Verdict
from inkseal.studio.draft import Draft
from inkseal.studio.guard.holdback import HoldBack


class Waits:
    """Lets nothing out before the text ends with a full stop."""

    name = "waits"
    version = "1"
    stages: frozenset[Stage] = frozenset({"result"})

    def inspect(self, parts: tuple[Part, ...], stage: Stage) -> Verdict:
        return Verdict(check="waits", version="1", stage=stage, action="allow")

    def unfinished(self, text: str) -> int:
        return 0 if text.endswith(".") else len(text)


def test_tokens_that_waited_are_counted_with_the_words_that_were_let_out() -> None:
    draft = Draft(0, HoldBack([Waits()], {}))  # type: ignore[list-item]
    pieces = ["one", " two", ".", " three", " four"]
    events = [event for piece in pieces for event in draft.take(Chunk(text=piece, num_tokens=1))]
    events += draft.take(Chunk(num_tokens=2, finish_reason="stop"))
    let_out = [(event.chunk.text, event.chunk.num_tokens) for event in events if isinstance(event, Generated)]
    assert "".join(text for text, _ in let_out) == "one two. three four"
    assert sum(count for _, count in let_out) == 7
    assert len(let_out) < len(pieces) + 1, "some of it did wait"


def test_a_picture_is_kept_and_in_no_event_and_half_of_it_is_only_progress() -> None:
    draft = Draft(1, HoldBack([], {}))
    chunks = [Chunk(index=1, progress=0.5), Chunk(index=1, data=b"all of it", finish_reason="stop")]
    progress, made = (event for chunk in chunks for event in draft.take(chunk))
    assert isinstance(progress, Progress)
    assert (progress.what, progress.done, progress.total) == ("Picture 2", 0.5, 1)
    assert isinstance(made, Generated)
    assert (made.chunk.data, made.chunk.finish_reason) == (b"", "stop")
    assert draft.data == b"all of it"
