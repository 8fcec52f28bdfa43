"""Runs GGUF text models with llama.cpp, through the extra `llama`."""

import importlib.util
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from inkseal.catalog.verify import verify_files
from inkseal.core.config import ComponentConfig
from inkseal.core.errors import EngineFailed, MissingDependency
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.core.versions import version
from inkseal.formats.chat_template import ChatTemplate
from inkseal.formats.gguf import read_header
from inkseal.formats.gguf_vocabulary import tokenizer_from_gguf
from inkseal.studio.generate.backends._llama_cpp_engine import LlamaCppEngine
from inkseal.studio.generate.cache_size import values_per_token

RUNTIME_BYTES = 200_000_000


class LlamaCppConfig(ComponentConfig):
    """How models are run."""

    cache_tokens: int = Field(8192, ge=256, description="Tokens that the cache holds, all requests together.")
    max_results: int = Field(4, ge=1, le=64, description="Most results in one batch.")
    step_tokens: int = Field(512, ge=32, le=8192, description="Most prompt tokens of one step.")
    gpu_layers: int = Field(0, ge=-1, description="Layers on the graphics processor; -1: all.")
    cache_precision: Literal["f16", "f32"] = Field("f16", description="Of keys and values.")


class LlamaCpp:
    """Runs GGUF text models with llama.cpp: batching, prefix cache, grammars, logit_bias, graphics processors."""

    name: ClassVar[str] = "llama_cpp"
    tasks: ClassVar[frozenset[str]] = frozenset({"generate"})
    rank: ClassVar[int] = 10
    config: ClassVar[type[ComponentConfig]] = LlamaCppConfig

    def __init__(self, config: ComponentConfig) -> None:
        assert isinstance(config, LlamaCppConfig)
        self._config = config

    def fits(self, model: LocalModel) -> str | None:
        """Returns None when the model is one GGUF text file and the extra is installed, else the reason."""
        if model.task != "generate" or model.format != "gguf" or len(_files(model)) != 1:
            return say("It runs text models of one GGUF file.", "只运行单个 GGUF 文件的文本模型。")
        if importlib.util.find_spec("xllamacpp") is None:
            return MissingDependency("xllamacpp", "llama").fix
        return None

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns the memory that `load` will need: the file, the cache, the runtime."""
        path = _files(model)[0]
        header = read_header(path)
        width = {"f16": 2, "f32": 4}[self._config.cache_precision]
        cache = values_per_token(header.metadata, header.architecture) * self._config.cache_tokens * width
        return int(path.stat().st_size + cache + RUNTIME_BYTES)

    def facts(self) -> dict[str, Any]:
        """Returns the version and the config that decide the results besides model and request."""
        return {"xllamacpp": version("xllamacpp")} | self._config.model_dump()

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> LlamaCppEngine:
        """Proves the file and loads it."""
        try:
            import xllamacpp
        except ModuleNotFoundError as error:
            raise MissingDependency("xllamacpp", "llama") from error
        verify_files(model.folder, model.files, cancel)
        path = _files(model)[0]
        tokenizer = tokenizer_from_gguf(read_header(path).metadata)
        template = ChatTemplate(tokenizer.chat_template, tokenizer) if tokenizer.chat_template else None

        def grammar(schema: Mapping[str, Any]) -> str:
            return str(xllamacpp.json_schema_to_grammar(json.dumps(schema, ensure_ascii=False)))

        try:
            server = started(self._params(path, threads))
        except RuntimeError as error:
            if template is not None:
                template.close()
            raise EngineFailed(say(f"llama.cpp cannot load it: {error}", f"llama.cpp 无法加载：{error}")) from None
        limit = min(model.context_tokens, self._config.cache_tokens)
        return LlamaCppEngine(model, server, grammar, tokenizer, template, limit)

    def _params(self, path: Path, threads: int) -> Any:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = self._config.cache_tokens
        params.n_parallel = self._config.max_results
        params.kv_unified = True
        params.n_batch = self._config.step_tokens
        params.n_gpu_layers = self._config.gpu_layers
        precision = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{self._config.cache_precision.upper()}")
        params.cache_type_k = params.cache_type_v = precision
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.cache_ram_mib = 0
        params.warmup = False
        params.verbosity = 0
        params.ui = params.endpoint_slots = params.endpoint_props = False
        # The library always listens on this machine; nobody gets to know this key.
        params.api_keys = [secrets.token_hex(32)]
        return params


def started(params: Any) -> Any:
    """Returns llama.cpp's server (`xllamacpp.Server`) once its loop runs.

    The loop forgets a request to end that came before its first turn. A server freed so early, as happens on a crowded
    machine, would wait for the loop for ever, and hold the interpreter's lock meanwhile.
    """
    import xllamacpp

    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    server.handle_metrics()  # the loop itself answers
    return server


def _files(model: LocalModel) -> list[Path]:
    return [model.folder / name for name in model.files if name.endswith(".gguf")]
