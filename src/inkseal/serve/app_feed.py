"""The events of a run of an app, all of them: the pieces of an answer are put together once it is whole."""

from typing import ClassVar

from inkseal.apps.events import AppFailed, AppFinished, KeptEvent, StepStarted, StepWords
from inkseal.core.events import Generated, Progress, Withdrawn
from inkseal.serve.feeds import Feed

_WORDS = Generated | StepWords | Withdrawn
MAX_PIECES = 512
"""Of the answer at work; more are put together before it is whole."""


class AppFeed(Feed):
    """A feed that drops nothing; an app bounds how many answers there are.

    A reader who had some of the pieces is told all the words, which take the place of what was shown.
    """

    last: ClassVar[tuple[type, ...]] = (AppFinished, AppFailed)

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self._num_settled = 0
        """So many of the kept events are of answers that are whole."""

    def _keep(self, event: KeptEvent) -> None:
        is_next = isinstance(event, StepStarted | AppFinished | AppFailed)
        if is_next or len(self._events) - self._num_settled > MAX_PIECES:
            self._gather()
        if is_next:
            self._num_settled = len(self._events)
        self.num_events += 1
        self._events.append((self.num_events, event))

    def _gather(self) -> None:
        """Puts the pieces of the last answer together, at the place of the last one."""
        pieces = [self._events.pop() for _ in range(len(self._events) - self._num_settled)][::-1]
        place = max((number for number, event in pieces if isinstance(event, _WORDS)), default=0)
        words = ""
        for number, event in pieces:
            words = _further(words, event)
            if number == place:
                self._events.append((number, StepWords(text=words)))
            elif not isinstance(event, _WORDS | Progress):
                self._events.append((number, event))


def _further(words: str, event: KeptEvent) -> str:
    if isinstance(event, Generated):
        return words + event.chunk.text
    if isinstance(event, StepWords):
        return event.text
    return "" if isinstance(event, Withdrawn) else words
