"""Events as a stream: of a feed, or of a run in a protocol's frames."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Protocol

from fastapi import Header, Request

from inkseal.core.errors import InksealError
from inkseal.core.events import Event, Generated
from inkseal.serve.bridge import ClientLeft
from inkseal.serve.callers import Caller
from inkseal.serve.feeds import Feed, frames
from inkseal.serve.routes._outcome import Outcome
from inkseal.serve.sse import EventStream

STREAM = {"text/event-stream": {"schema": {"type": "string"}}}
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": STREAM, "description": "The events, as they come."}}
RESPOND_ASYNC = "respond-async"
Prefer = Annotated[
    str,
    Header(
        max_length=200,
        description="`respond-async` (RFC 7240): answer at once; the run goes on when the client leaves.",
    ),
]
LastEvent = Annotated[int, Header(alias="Last-Event-ID", ge=0, le=2**53, description="Go on after this event.")]


def follow(request: Request, caller: Caller, feed: Feed, after: int) -> EventStream:
    """Returns a feed's events beyond a number, as they come, for as long as the client is there.

    Raises:
        Busy: the caller holds enough streams.
    """
    feeds = request.app.state.feeds

    async def watched() -> AsyncGenerator[bytes, None]:
        async with aclosing(frames(feed, after)) as pieces:
            async for piece in pieces:
                yield piece
                if await request.is_disconnected():
                    return

    feeds.check(caller)
    return EventStream(feeds.counted(caller, watched()), {})


class Frames(Protocol):
    """Turns events into a protocol's frames. Keeps its outcome up to date."""

    outcome: Outcome

    def take(self, event: Event) -> bytes:
        """Returns the frames for an event; may be empty."""

    def ping(self) -> bytes:
        """Returns a sign of life."""

    def end(self) -> bytes:
        """Returns the last frames of a run that ended as it should."""

    def fail(self, error: InksealError) -> bytes:
        """Returns the last frames of a run that broke off after something had been shown."""


Ended = Callable[[], Awaitable[None]]


async def open_stream(
    events: AsyncGenerator[list[Event], None], frames: Frames, on_end: Ended | None = None
) -> EventStream:
    """Waits for the first words, so that an error before them still has its own status; then streams.

    What `on_end` does of a run that ended as it should is done before the client reads the last frames.

    Raises:
        InksealError: the run failed before anything was shown.
    """
    begun: list[Event] = []
    async for batch in events:
        begun += batch
        if any(isinstance(event, Generated) for event in batch):
            break
    head = [frames.take(event) for event in begun]
    return EventStream(_bodies(events, frames, head, on_end), frames.outcome.headers())


async def _bodies(
    events: AsyncGenerator[list[Event], None], frames: Frames, head: Sequence[bytes], on_end: Ended | None
) -> AsyncGenerator[bytes, None]:
    try:
        yield b"".join(head)
        async for batch in events:
            if body := b"".join(map(frames.take, batch)) if batch else frames.ping():
                yield body
        last = frames.end()
        if on_end is not None:
            await on_end()
        yield last
    except ClientLeft:
        raise
    except InksealError as error:
        yield frames.fail(error)
    finally:
        await events.aclose()
