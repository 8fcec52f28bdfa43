"""Runs models of services that speak Anthropic's protocol."""

from collections.abc import Generator
from typing import Any, ClassVar

from inkseal.core.events import Listener
from inkseal.core.protocols import Cancel, LocalModel, Remote
from inkseal.core.types import Chunk, Request, Usage
from inkseal.studio.generate.backends import _anthropic_mapping as mapping
from inkseal.studio.generate.prompting import refuse_overflow, text_request
from inkseal.studio.generate.remote.answers import Account, Tally
from inkseal.studio.generate.remote.backend import RemoteBackend
from inkseal.studio.generate.remote.client import RemoteClient
from inkseal.studio.generate.remote.fitting import remote_of

VERSION = "2023-06-01"


class AnthropicApi(RemoteBackend):
    """Runs models of services that speak Anthropic's protocol."""

    name: ClassVar[str] = "anthropic_api"
    tasks: ClassVar[frozenset[str]] = frozenset({"generate"})

    def facts(self) -> dict[str, Any]:
        """Returns the protocol's version; what else decides the results is at the provider's, and unknown here."""
        return {"protocol": VERSION}

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> "AnthropicEngine":
        """Reads the key; connects at the first request.

        Raises:
            TrustError: the key cannot be read.
        """
        return AnthropicEngine(model, RemoteClient(remote_of(model), self._config, _headers))


def _headers(key: str) -> dict[str, str]:
    return {"anthropic-version": VERSION} | ({"x-api-key": key} if key else {})


class AnthropicEngine:
    """Implements `GenerativeEngine`. The protocol has no seed and one result a call; several are asked for in turn."""

    def __init__(self, model: LocalModel, client: RemoteClient) -> None:
        self.model = model
        self._remote: Remote = remote_of(model)
        self._client = client

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields the chunks of all results; see `GenerativeEngine.generate`."""
        asked = text_request(request)
        mapping.refuse_unsupported(asked)
        if self.model.context_tokens:
            refuse_overflow(0, asked.max_tokens, self.model.context_tokens)
        account, running = Account(), True
        for index in range(asked.n):
            if not running:
                yield Chunk(index=index, finish_reason="cancelled")
                continue
            forced = asked.tool_choice not in ("auto", "none")
            tally = Tally(self._client, reported={"seed": "not used"}, forced=forced)
            events = self._client.stream("/v1/messages", mapping.body(asked, self._remote.model), cancel)
            try:
                running = yield from account.run(mapping.pieces(events, tally), tally, index, 1)
            finally:
                events.close()
        return account.usage()

    def count_tokens(self, request: Request) -> int:
        """Returns the number of prompt tokens, as the service counts them."""
        asked = text_request(request)
        mapping.refuse_unsupported(asked)
        found = self._client.post("/v1/messages/count_tokens", mapping.prompt(asked, self._remote.model))
        count = found.get("input_tokens")
        if not isinstance(count, int):
            raise self._client.failed("it counted no tokens")
        return count

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()
