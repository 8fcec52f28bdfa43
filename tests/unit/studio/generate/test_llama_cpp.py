"""The engine between requests and llama.cpp: one that is closed at the worst moment still ends every request."""

import threading
from typing import Any

import pytest

from inkseal.core.errors import EngineFailed
from inkseal.core.protocols import LocalModel
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.generate.backends._llama_cpp_engine import LlamaCppEngine

MODEL = LocalModel.model_validate(
    {"name": "m", "task": "generate", "folder": "/nowhere", "files": {}, "format": "gguf", "context_tokens": 64}
    | {"licence": "Apache-2.0", "sha256": "0" * 64}
)


class Unasked:
    """In place of llama.cpp's server: nobody may come to it."""

    def handle_completions(self, body: dict[str, Any], heard: Any) -> None:
        raise AssertionError("asked after the close")


class ClosesBetween(LlamaCppEngine):
    """Is closed by somebody else while a request's prompt is being read."""

    def _prompt(self, request: TextRequest) -> list[int]:
        closing = threading.Thread(target=self.close)
        closing.start()
        closing.join()
        return [1, 2, 3]


def test_a_close_while_a_request_begins_ends_the_request() -> None:
    tokenizer: Any = None
    engine = ClosesBetween(MODEL, Unasked(), lambda schema: "", tokenizer, None, 64)
    with pytest.raises(EngineFailed, match="closed"):
        list(engine.generate(TextRequest.of("x", max_tokens=2, n=2), threading.Event()))


class NoMemory:
    """In place of llama.cpp's server: the system gives it no memory."""

    def handle_completions(self, body: dict[str, Any], heard: Any) -> None:
        raise MemoryError("std::bad_alloc")


class Reads(LlamaCppEngine):
    """Takes any prompt."""

    def _prompt(self, request: TextRequest) -> list[int]:
        return [1, 2, 3]


def test_whatever_the_library_raises_ends_the_request() -> None:
    tokenizer: Any = None
    engine = Reads(MODEL, NoMemory(), lambda schema: "", tokenizer, None, 64)
    with pytest.raises(EngineFailed, match="bad_alloc"):
        list(engine.generate(TextRequest.of("x", max_tokens=2), threading.Event()))
    engine.close()
