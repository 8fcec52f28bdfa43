"""Runs text models on CPU with OpenVINO GenAI, after turning their file into a tuned graph once."""

from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from inkseal.catalog.verify import verify_files
from inkseal.core.config import ComponentConfig
from inkseal.core.errors import MissingDependency, ModelFileRefused
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.core.versions import version
from inkseal.formats import ir
from inkseal.formats.chat_template import ChatTemplate
from inkseal.formats.checkpoint import Checkpoint, num_weights
from inkseal.formats.decoder import DecoderConfig
from inkseal.formats.ir import open_checkpoint
from inkseal.formats.openvino_core import silence_telemetry
from inkseal.formats.weights import WeightFormat
from inkseal.studio.generate.backends._openvino_conversion import candidates, converted
from inkseal.studio.generate.backends._openvino_engine import OpenvinoEngine
from inkseal.studio.generate.backends._openvino_grammar import GrammarGate
from inkseal.studio.generate.backends._openvino_loop import StepLoop

BLOCK_TOKENS = 32
WIDE_WEIGHTS = 300_000_000
"""From here on matrices are wide enough that inputs quantised in groups of 64 save time: a sixth of a prompt's."""
FOLDER_NEEDS = frozenset({"config.json", "tokenizer.json"})
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
    """Runs GGUF and safetensors text models on the CPU: continuous batching, prefix cache, constraints, tools."""

    name: ClassVar[str] = "openvino"
    tasks: ClassVar[frozenset[str]] = frozenset({"generate"})
    config: ClassVar[type[ComponentConfig]] = OpenvinoConfig

    def __init__(self, config: ComponentConfig) -> None:
        assert isinstance(config, OpenvinoConfig)
        self._config = config

    def fits(self, model: LocalModel) -> str | None:
        """Returns None when the model is a text model in a GGUF or a folder of safetensors, else the reason."""
        if model.task != "generate":
            return say(
                f"This backend generates text, it does not {model.task}.", f"该后端用于生成文本，不支持 {model.task}。"
            )
        if model.format not in ("gguf", "safetensors"):
            return say(
                f"Files of the format {model.format!r} cannot be read.", f"无法读取 {model.format!r} 格式的文件。"
            )
        if model.format == "safetensors" and not model.files.keys() >= FOLDER_NEEDS:
            missing = ", ".join(sorted(FOLDER_NEEDS - model.files.keys()))
            return say(f"Beside its weights there is no {missing}.", f"权重旁缺少 {missing}。")
        return None

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns the memory that `load` will need: weights, key-value cache, and the runtime itself."""
        checkpoint = open_checkpoint(_source(model))
        # rows are kept packed once for the multiplication and once mapped from the file
        weights = 2 * num_weights(checkpoint) * _WEIGHT_BYTES[self._formats(checkpoint)[0]]
        return int(weights + self._cache_bytes(checkpoint.config) + RUNTIME_BYTES)

    def _cache_bytes(self, config: DecoderConfig) -> float:
        per_token = 2 * config.num_layers * config.num_kv_heads * config.head_width
        precision = "f32" if self._config.precision == "exact" else self._config.cache_precision
        return per_token * self._config.cache_tokens * {"u8": 1.1, "f16": 2, "f32": 4}[precision]

    def facts(self) -> dict[str, Any]:
        """Returns the versions and the config that decide the results besides model and request."""
        packages = ("openvino", "openvino-genai")
        return {name: version(name) for name in packages} | self._config.model_dump() | {"conversion": ir.VERSION}

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> OpenvinoEngine:
        """Loads the model, after converting it if that has not been done."""
        silence_telemetry()
        checkpoint = open_checkpoint(_source(model))
        formats = self._formats(checkpoint)
        properties = partial(self.accuracy_properties, num_weights=num_weights(checkpoint))
        ready = converted(model, checkpoint, formats, properties, on_event, cancel)
        folder = ready.folder
        if checkpoint.source.is_dir():  # tokenizer and template are read anew each time, not from the converted folder
            small = {name: sha256 for name, sha256 in model.files.items() if not name.endswith(".safetensors")}
            verify_files(checkpoint.source, small, cancel)
        tokenizer = checkpoint.tokenizer()
        template = ChatTemplate(tokenizer.chat_template, tokenizer) if tokenizer.chat_template else None
        engine_tokenizer = _engine_tokenizer(folder)
        seconds = self._config.grammar_seconds
        grammars = GrammarGate(folder, engine_tokenizer, tokenizer.num_tokens, tokenizer.end_id, seconds)
        served = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"} | properties(ready.weight_format)
        loop = StepLoop(lambda: self._pipeline(folder, engine_tokenizer, served))
        limit = min(model.context_tokens or checkpoint.config.context_length, self._config.cache_tokens)
        return OpenvinoEngine(model, loop, tokenizer, template, grammars, limit)

    def _pipeline(self, folder: Path, tokenizer: Any, properties: dict[str, Any]) -> Any:
        from openvino_genai import ContinuousBatchingPipeline, SchedulerConfig

        scheduler = SchedulerConfig()
        scheduler.max_num_batched_tokens = self._config.step_tokens
        scheduler.num_kv_blocks = -(-self._config.cache_tokens // BLOCK_TOKENS)
        scheduler.max_num_seqs = self._config.max_results
        scheduler.enable_prefix_caching = True
        return ContinuousBatchingPipeline(folder, tokenizer, scheduler, "CPU", **properties)

    def _formats(self, checkpoint: Checkpoint) -> tuple[WeightFormat, ...]:
        chosen = self._config.weight_format
        if chosen != "auto":
            return (chosen,)
        return candidates(num_weights(checkpoint), keeps_codes=checkpoint.keeps_codes)

    def accuracy_properties(self, weight_format: WeightFormat, num_weights: int) -> dict[str, Any]:
        """Returns what decides the numbers: the perplexity is measured with the same."""
        # f32: the plugin's own choice, bfloat16 on some machines, costs perplexity.
        properties = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": self._config.cache_precision}
        if self._config.precision == "exact":
            return properties | _EXACT
        wide = weight_format == "int8" and num_weights >= WIDE_WEIGHTS
        return properties | {"DYNAMIC_QUANTIZATION_GROUP_SIZE": 64 if wide else 32}


def _engine_tokenizer(folder: Path) -> Any:
    try:
        from openvino_genai import Tokenizer
    except ModuleNotFoundError as error:
        raise MissingDependency("openvino-genai", "openvino") from error
    return Tokenizer(folder)


def _source(model: LocalModel) -> Path:
    """Returns the GGUF file, or the folder of safetensors."""
    if model.format == "safetensors":
        return model.folder
    files = [name for name in model.files if name.endswith(".gguf")]
    if len(files) != 1:
        raise ModelFileRefused(
            say(
                f"The model {model.name!r} has {len(files)} GGUF files, not one.",
                f"模型 {model.name!r} 有 {len(files)} 个 GGUF 文件，而非一个。",
            )
        )
    return model.folder / files[0]
