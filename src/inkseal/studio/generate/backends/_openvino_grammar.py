"""Tries out grammars before they reach the batch: a bad one would break every running request, a huge one stall them.

A grammar is compiled first in a child process that may be killed, then here, into the cache that the batch reads.
"""

import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import EngineFailed, InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.formats.child import Child, Starved, limit_memory, serve
from inkseal.studio.generate.backends._openvino_config import GrammarSpec, structured_output

if TYPE_CHECKING:
    from openvino_genai import ContinuousBatchingPipeline, Tokenizer

START_SECONDS = 30.0
CHILD_MEMORY_BYTES = 4 << 30
NUM_REMEMBERED = 1_000
_WIDTH = 32


class GrammarGate:
    """Lets grammars pass that compile in time."""

    def __init__(
        self, folder: Path, tokenizer: "Tokenizer", num_tokens: int, end_id: int, limit_seconds: float
    ) -> None:
        """Takes the folder of the converted model and the very tokenizer object that the batch uses."""
        self._tokenizer = tokenizer
        self._num_tokens = num_tokens
        self._end_id = end_id
        self._limit_seconds = limit_seconds
        facts = {"folder": str(folder), "num_tokens": num_tokens, "end_id": end_id}
        self._child = Child(__name__, facts, START_SECONDS)
        self._lock = threading.Lock()
        self._known: dict[str, InvalidRequest | None] = {}
        self._compile: Callable[[GrammarSpec], str] | None = None

    def admit(self, spec: GrammarSpec) -> None:
        """Returns when the grammar is compiled and ready for the batch.

        Raises:
            InvalidRequest: the engine cannot read it.
            Unsupported: it takes too long or too much memory.
        """
        key = json.dumps(spec, sort_keys=True)
        with self._lock:
            if key not in self._known:
                if len(self._known) >= NUM_REMEMBERED:
                    self._known.clear()
                self._known[key] = self._try(spec)
            error = self._known[key]
        if error is not None:
            raise type(error)(error.what, fix=error.fix)

    def _try(self, spec: GrammarSpec) -> InvalidRequest | None:
        """Compiles the grammar there, then here; returns what is wrong with it."""
        try:
            self._child.start()
        except TimeoutError:
            raise EngineFailed(say("The compiler of constraints did not start.", "约束编译器未能启动。")) from None
        try:
            error = self._child.ask(spec, self._limit_seconds) or self._compile_here(spec)
        except Starved:
            raise self._too_long() from None  # not remembered: another time the machine may have time for it
        except TimeoutError:
            return self._too_long()
        if error:
            return InvalidRequest(say(f"The constraint cannot be used: {error}", f"该约束无法使用：{error}"))
        return None

    def _too_long(self) -> Unsupported:
        return Unsupported(
            say(
                f"The constraint takes more than {self._limit_seconds} s to prepare.",
                f"该约束的准备时间超过 {self._limit_seconds} 秒。",
            ),
            fix=say("Use fewer optional fields and fewer choices.", "请减少可选字段和可选值。"),
        )

    def close(self) -> None:
        """Ends the child process and frees the compiler."""
        self._child.close()
        self._compile = None

    def _compile_here(self, spec: GrammarSpec) -> str:
        if self._compile is None:
            self._compile = _compiler(self._tokenizer, self._num_tokens, self._end_id)
        return self._compile(spec)


def _compiler(tokenizer: "Tokenizer", num_tokens: int, end_id: int) -> Callable[[GrammarSpec], str]:
    """Returns a function that compiles a grammar into the tokenizer's cache and returns what was wrong, if anything.

    The engine compiles only inside a pipeline, so this is one around a model of a single, empty layer.
    """
    import numpy as np
    import openvino as ov
    from openvino_genai import GenerationConfig

    pipeline = _empty_pipeline(tokenizer, num_tokens)

    def compile_grammar(spec: GrammarSpec) -> str:
        config = GenerationConfig(max_new_tokens=1, eos_token_id=end_id)
        config.stop_token_ids = {end_id}
        config.structured_output_config = structured_output(spec)
        try:
            pipeline.generate([ov.Tensor(np.array([[end_id]], dtype=np.int64))], [config])
        except RuntimeError as error:
            return str(error).strip().splitlines()[-1].rpartition(": ")[2][:200] or "?"
        return ""

    return compile_grammar


def _empty_pipeline(tokenizer: "Tokenizer", num_tokens: int) -> "ContinuousBatchingPipeline":
    import numpy as np
    import openvino as ov
    from openvino_genai import ContinuousBatchingPipeline, SchedulerConfig

    from inkseal.formats.decoder import DecoderConfig, DecoderGraph
    from inkseal.formats.weights import code_rows

    config = DecoderConfig(
        "llama", 1, _WIDTH, 1, 1, _WIDTH, _WIDTH, num_tokens, 64, 1e4, 1e-5, None, False, False, True
    )

    def matrix(name: str) -> Any:
        rows = num_tokens if name == "token_embd.weight" else _WIDTH
        return code_rows(np.zeros((rows, _WIDTH), np.float32), "int8")

    graph = DecoderGraph(config, matrix, lambda name: np.ones(_WIDTH, np.float32))
    scheduler = SchedulerConfig()
    scheduler.num_kv_blocks = 8
    with tempfile.TemporaryDirectory() as folder:
        ov.save_model(graph.build(), Path(folder) / "openvino_model.xml")
        return ContinuousBatchingPipeline(folder, tokenizer, scheduler, "CPU", INFERENCE_NUM_THREADS=1)


def _start(facts: dict[str, Any]) -> tuple[Any, Callable[[Any], Any]]:
    from inkseal.formats.openvino_core import silence_telemetry

    silence_telemetry()
    limit_memory(CHILD_MEMORY_BYTES)
    from openvino_genai import Tokenizer

    compile_grammar = _compiler(Tokenizer(facts["folder"]), facts["num_tokens"], facts["end_id"])
    compile_grammar({"regex": "[a-z]"})  # the compiler itself takes a moment to start
    return "ready", compile_grammar


if __name__ == "__main__":
    serve(_start)
