"""Runs text models on CPU with OpenVINO GenAI, after turning their file into a tuned graph once."""

import math
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.errors import MissingDependency, ModelFileRefused
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.formats import ir
from inkseal.formats.chat_template import ChatTemplate
from inkseal.formats.gguf import GGUF, read_header
from inkseal.formats.gguf_vocabulary import tokenizer_from_gguf
from inkseal.formats.openvino_core import silence_telemetry
from inkseal.formats.weights import WeightFormat
from inkseal.studio.generate.backends._openvino_conversion import candidates, converted
from inkseal.studio.generate.backends._openvino_engine import OpenvinoEngine
from inkseal.studio.generate.backends._openvino_grammar import GrammarGate
from inkseal.studio.generate.backends._openvino_loop import StepLoop
from inkseal.studio.generate.cache_size import values_per_token

BLOCK_TOKENS = 32
RUNTIME_BYTES = 350_000_000
_WEIGHT_BYTES = {"int8": 1.02, "int4_exact_32": 0.69, "int4_asym_64": 0.57, "int4_sym_128": 0.52, "f16": 2.0}
_EXACT = {"KV_CACHE_PRECISION": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}


class OpenvinoConfig(ComponentConfig):
    """How models are converted and run."""

    weight_format: WeightFormat | Literal["auto"] = Field(
        "auto", description="Of the layers' weights; auto: the fastest whose perplexity holds."
    )
    cache_tokens: int = Field(
        16384, ge=256, description="Tokens that the key-value cache holds, all requests together."
    )
    step_tokens: int = Field(256, ge=16, le=8192, description="Most prompt tokens of one step.")
    max_results: int = Field(64, ge=1, le=256, description="Most results in one batch.")
    precision: Literal["fast", "exact"] = Field(
        "fast",
        description="fast: what else is in the batch may change the last bits, so an answer. exact: never; slower.",
    )
    cache_precision: Literal["u8", "f16", "f32"] = Field("f16", description="Of keys and values, when fast.")
    grammar_seconds: float = Field(1.0, gt=0, le=60, description="Processor time to prepare a constraint.")


class Openvino:
    """Runs GGUF text models on the CPU with OpenVINO GenAI: continuous batching, prefix cache, constraints, tools."""

    name: ClassVar[str] = "openvino"
    tasks: ClassVar[frozenset[str]] = frozenset({"generate"})
    config: ClassVar[type[ComponentConfig]] = OpenvinoConfig

    def __init__(self, config: ComponentConfig) -> None:
        assert isinstance(config, OpenvinoConfig)
        self._config = config

    def fits(self, model: LocalModel) -> str | None:
        """Returns None when the model is a GGUF text model of a known architecture, else the reason."""
        if model.task != "generate":
            return say(
                f"This backend generates text, it does not {model.task}.", f"该后端用于生成文本，不支持 {model.task}。"
            )
        if model.format != "gguf":
            return say(
                f"Files of the format {model.format!r} cannot be read.", f"无法读取 {model.format!r} 格式的文件。"
            )
        return None

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns the memory that `load` will need: weights, key-value cache, and the runtime itself."""
        header = read_header(_source(model))
        num_weights = _num_weights(header)
        # rows are kept packed once for the multiplication and once mapped from the file
        weights = 2 * num_weights * _WEIGHT_BYTES[self._formats(num_weights)[0]]
        return int(weights + self._cache_bytes(header.metadata, header.architecture) + RUNTIME_BYTES)

    def _cache_bytes(self, metadata: Mapping[str, Any], architecture: str) -> float:
        per_token = values_per_token(metadata, architecture)
        precision = "f32" if self._config.precision == "exact" else self._config.cache_precision
        return per_token * self._config.cache_tokens * {"u8": 1.1, "f16": 2, "f32": 4}[precision]

    def facts(self) -> dict[str, Any]:
        """Returns the versions and the config that decide the results besides model and request."""
        packages = ("openvino", "openvino-genai")
        return {name: version(name) for name in packages} | self._config.model_dump() | {"conversion": ir.VERSION}

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> OpenvinoEngine:
        """Loads the model, after converting it if that has not been done."""
        silence_telemetry()
        source = _source(model)
        header = read_header(source)
        formats = self._formats(_num_weights(header))
        folder = converted(model, source, formats, self.accuracy_properties(), on_event, cancel).folder
        tokenizer = tokenizer_from_gguf(header.metadata)
        template = ChatTemplate(tokenizer.chat_template, tokenizer) if tokenizer.chat_template else None
        engine_tokenizer = _engine_tokenizer(folder)
        end_id = min(tokenizer.end_ids, default=0)
        grammars = GrammarGate(folder, engine_tokenizer, tokenizer.num_tokens, end_id, self._config.grammar_seconds)
        loop = StepLoop(lambda: self._pipeline(folder, engine_tokenizer, threads))
        limit = min(model.context_tokens, self._config.cache_tokens)
        return OpenvinoEngine(model, loop, tokenizer, template, grammars, limit)

    def _pipeline(self, folder: Path, tokenizer: Any, threads: int) -> Any:
        from openvino_genai import ContinuousBatchingPipeline, SchedulerConfig

        scheduler = SchedulerConfig()
        scheduler.max_num_batched_tokens = self._config.step_tokens
        scheduler.num_kv_blocks = -(-self._config.cache_tokens // BLOCK_TOKENS)
        scheduler.max_num_seqs = self._config.max_results
        scheduler.enable_prefix_caching = True
        properties = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"} | self.accuracy_properties()
        return ContinuousBatchingPipeline(folder, tokenizer, scheduler, "CPU", **properties)

    def _formats(self, num_weights: int) -> tuple[WeightFormat, ...]:
        chosen = self._config.weight_format
        return candidates(num_weights) if chosen == "auto" else (chosen,)

    def accuracy_properties(self) -> dict[str, Any]:
        """Returns what decides the numbers: the perplexity is measured with the same."""
        # f32: the plugin's own choice, bfloat16 on some machines, costs perplexity.
        properties = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": self._config.cache_precision}
        return properties | (_EXACT if self._config.precision == "exact" else {})


def _engine_tokenizer(folder: Path) -> Any:
    try:
        from openvino_genai import Tokenizer
    except ModuleNotFoundError as error:
        raise MissingDependency("openvino-genai", "openvino") from error
    return Tokenizer(folder)


def _num_weights(header: GGUF) -> int:
    return sum(math.prod(info.shape) for info in header.tensors.values())


def _source(model: LocalModel) -> Path:
    files = [name for name in model.files if name.endswith(".gguf")]
    if len(files) != 1:
        raise ModelFileRefused(
            say(
                f"The model {model.name!r} has {len(files)} GGUF files, not one.",
                f"模型 {model.name!r} 有 {len(files)} 个 GGUF 文件，而非一个。",
            )
        )
    return model.folder / files[0]
