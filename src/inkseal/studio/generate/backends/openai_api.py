"""Runs models of services that speak OpenAI's protocol: vLLM, SGLang, TGI, Ollama, llama.cpp's server, OpenAI."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from inkseal.core.errors import Unsupported
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, Engine, LocalModel, Remote
from inkseal.core.types import Chunk, Request, Usage
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.generate.backends import _openai_mapping as mapping
from inkseal.studio.generate.backends._openai_profile import Profile, profile_of, refuse_unsupported
from inkseal.studio.generate.prompting import refuse_overflow, text_request
from inkseal.studio.generate.remote.answers import Account, Tally
from inkseal.studio.generate.remote.backend import RemoteBackend
from inkseal.studio.generate.remote.client import RemoteClient
from inkseal.studio.generate.remote.fitting import remote_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

EMBED_BATCH = 64


class OpenaiApi(RemoteBackend):
    """Runs models of services that speak OpenAI's protocol."""

    name: ClassVar[str] = "openai_api"
    tasks: ClassVar[frozenset[str]] = frozenset({"generate", "embed"})

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> Engine:
        """Reads the key; connects at the first request.

        Raises:
            TrustError: the key cannot be read.
        """
        remote = remote_of(model)
        profile = profile_of(remote.settings.engine)
        client = RemoteClient(remote, self._config, lambda key: {"Authorization": f"Bearer {key}"} if key else {})
        return OpenaiEmbedding(model, client) if model.task == "embed" else OpenaiEngine(model, client, profile)


class OpenaiEngine:
    """Implements `GenerativeEngine`. Results that the service cannot give in one call are asked for one by one."""

    def __init__(self, model: LocalModel, client: RemoteClient, profile: Profile) -> None:
        self.model = model
        self._remote: Remote = remote_of(model)
        self._client = client
        self._profile = profile

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields the chunks of all results; see `GenerativeEngine.generate`."""
        asked = text_request(request)
        refuse_unsupported(asked, self._profile)
        if self.model.context_tokens:
            known = self.count_tokens(asked) if self._profile.counts else 0
            refuse_overflow(known, asked.max_tokens, self.model.context_tokens)
        account = Account()
        together = asked.n if self._profile.many else 1
        running = True
        for first in range(0, asked.n, together):
            if not running:
                yield Chunk(index=first, finish_reason="cancelled")
                continue
            seed = None if asked.seed is None else (asked.seed + first) % 2**31
            body = mapping.body(asked, self._remote.model, self._profile, together, seed)
            tally = Tally(self._client, forced=asked.tool_choice not in ("auto", "none"))
            events = self._client.stream("/completions" if asked.raw_prompt else "/chat/completions", body, cancel)
            try:
                running = yield from account.run(mapping.pieces(events, tally), tally, first, together)
            finally:
                events.close()
        return account.usage()

    def count_tokens(self, request: Request) -> int:
        """Returns the exact number of prompt tokens, where the service counts them.

        Raises:
            Unsupported: it does not.
        """
        asked = text_request(request)
        if self._profile.counts == "llama_cpp":
            return self._count_llama_cpp(asked)
        if self._profile.counts == "vllm":
            given: dict[str, Any] = {"model": self._remote.model}
            given |= {"prompt": _plain(asked)} if asked.raw_prompt else {"messages": mapping.messages(asked)}
            return mapping.count(self._client.post("//tokenize", given).get("count")) or 0
        raise Unsupported(say("The provider counts no tokens beforehand.", "服务商不支持预先统计词元。"))

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _count_llama_cpp(self, request: TextRequest) -> int:
        text: Any = _plain(request)
        if not request.raw_prompt:
            given = {"messages": mapping.messages(request), "tools": mapping.tools(request)}
            text = self._client.post("//apply-template", {k: v for k, v in given.items() if v}).get("prompt")
        found = self._client.post("//tokenize", {"content": text, "add_special": True, "parse_special": True})
        tokens = found.get("tokens")
        if not isinstance(tokens, list):
            raise self._client.failed("it counted no tokens")
        return len(tokens)


class OpenaiEmbedding:
    """Implements `EmbeddingEngine`."""

    def __init__(self, model: LocalModel, client: RemoteClient) -> None:
        self.model = model
        self._client = client

    def embed(self, texts: Sequence[str]) -> "NDArray[Any]":
        """Returns (B, D) float32 rows of length 1, in the order given.

        Raises:
            EngineFailed: the service sent other rows than were asked for.
        """
        import numpy as np

        rows = [row for at in range(0, len(texts), EMBED_BATCH) for row in self._batch(texts[at : at + EMBED_BATCH])]
        if not rows:
            return np.zeros((0, 0), np.float32)
        try:
            found = np.array(rows, dtype=np.float32)
        except ValueError:
            raise self._client.failed("its vectors are not of one length") from None
        lengths = np.linalg.norm(found, axis=-1, keepdims=True)
        if found.ndim != 2 or not np.isfinite(found).all() or not lengths.all():
            raise self._client.failed("its vectors are no numbers, or zero")
        unit: NDArray[Any] = found / lengths
        return unit

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Raises Unsupported: services count only what they were asked to embed."""
        raise Unsupported(say("The provider counts no tokens beforehand.", "服务商不支持预先统计词元。"))

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _batch(self, texts: Sequence[str]) -> list[Any]:
        given = {"model": remote_of(self.model).model, "input": list(texts), "encoding_format": "float"}
        data = self._client.post("/embeddings", given).get("data")
        if not isinstance(data, list) or len(data) != len(texts) or not all(isinstance(row, dict) for row in data):
            raise self._client.failed("it sent other vectors than were asked for")
        ordered: dict[Any, Any] = {row.get("index"): row.get("embedding") for row in data}
        if set(ordered) != set(range(len(texts))):
            raise self._client.failed("its vectors are not numbered")
        return [ordered[place] for place in range(len(texts))]


def _plain(request: TextRequest) -> str:
    return "".join(message.text for message in request.messages)
