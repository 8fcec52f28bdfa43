"""What the streams of chat and completions have in common."""

import json
from abc import ABC, abstractmethod

from fastapi import Request

from inkseal.core.errors import Blocked, InksealError
from inkseal.core.events import Event
from inkseal.serve.errors import native_shape
from inkseal.serve.routes._outcome import Outcome
from inkseal.serve.routes._protocol import told
from inkseal.serve.sse import PING

DONE = b"data: [DONE]\n\n"


class OpenAIFrames(ABC):
    """The chunks of a run with `num_results` results; a protocol's own adds `take` and `end`."""

    def __init__(self, http: Request, model: str, num_results: int, *, with_usage: bool) -> None:
        self.outcome = Outcome()
        self._http = http
        self._model = model
        self._num_results = num_results
        self._with_usage = with_usage
        self._written = b""  # what all chunks of the run begin with

    def ping(self) -> bytes:
        """Returns a comment."""
        return PING

    @abstractmethod
    def take(self, event: Event) -> bytes:
        """Returns the chunks for an event."""

    @abstractmethod
    def end(self) -> bytes:
        """Returns the last chunks of a run that ended as it should."""

    def fail(self, error: InksealError) -> bytes:
        """Returns an error frame; a block is no error, but the finish reason `content_filter`, if all have ended."""
        ended = {*self.outcome.reasons, *self.outcome.withdrawn}
        if isinstance(error, Blocked) and ended >= set(range(self._num_results)):
            return self.end()
        return b"data: " + json.dumps(native_shape(None, told(self._http, error))).encode() + b"\n\n" + DONE
