"""Runs text models with torch and the native classes of transformers, through the extra `torch`."""

import importlib.util
from importlib.metadata import version
from typing import Any, ClassVar, Literal

from pydantic import Field

from inkseal.catalog.verify import verify_files
from inkseal.core.config import ComponentConfig
from inkseal.core.errors import MissingDependency
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.formats.chat_template import ChatTemplate
from inkseal.formats.watermarks import key_id, watermarks
from inkseal.studio.generate.backends._hf_transformers_batch import Batch
from inkseal.studio.generate.backends._hf_transformers_engine import HfTransformersEngine, Marks
from inkseal.studio.generate.backends._hf_transformers_model import (
    PRECISIONS,
    choose_device,
    choose_precision,
    cpu_precision,
    load_model,
)
from inkseal.studio.generate.backends._hf_transformers_source import cache_values, fits, open_source
from inkseal.studio.generate.backends._hf_transformers_turns import Turns

MAX_TOKENS = 1 << 30
RUNTIME_BYTES = 600_000_000
"""torch and transformers themselves, and what one step needs beside weights and cache."""


class HfTransformersConfig(ComponentConfig):
    """How models are run."""

    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="auto: cuda, else mps, else cpu.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="Of weights and cache; auto: half where the device is made for it."
    )
    cache_tokens: int = Field(
        8192, ge=256, description="Tokens that the cache holds: results in the batch times the longest one."
    )
    max_results: int = Field(8, ge=1, le=64, description="Most results in one batch; 1: no answer depends on others.")
    step_tokens: int = Field(256, ge=16, le=8192, description="Most prompt tokens of one step.")
    watermark: Literal["synthid", "kgw", "none"] = Field(
        "synthid", description="The text watermark put in where the regime asks for one."
    )


class HfTransformers:
    """Runs safetensors and GGUF text models with torch: native classes of transformers, batching, watermarks, GPUs."""

    name: ClassVar[str] = "hf_transformers"
    tasks: ClassVar[frozenset[str]] = frozenset({"generate"})
    rank: ClassVar[int] = 20
    config: ClassVar[type[ComponentConfig]] = HfTransformersConfig
    needs: ClassVar[frozenset[str]] = frozenset({"watermark_key"})

    def __init__(self, config: ComponentConfig, *, watermark_key: str = "") -> None:
        """Takes the installation's secret for watermarks in hexadecimal; without it none can be put in."""
        assert isinstance(config, HfTransformersConfig)
        self._config = config
        self._key = bytes.fromhex(watermark_key)

    def fits(self, model: LocalModel) -> str | None:
        """Returns None when it is a text model of a GGUF or safetensors and the extra is installed, else the reason."""
        if not fits(model):
            return say(
                "It runs text models of one GGUF, or of safetensors with config.json and tokenizer.json.",
                "只运行单个 GGUF，或含 config.json 和 tokenizer.json 的 safetensors 文本模型。",
            )
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                return MissingDependency(package, "torch").fix
        return None

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns the memory that `load` will need: weights, key-value cache, torch itself."""
        precision = cpu_precision(self._config.precision)
        source = open_source(model)
        numbers = source.num_weights + cache_values(source.facts) * self._config.cache_tokens
        return numbers * PRECISIONS[precision] + RUNTIME_BYTES

    def facts(self) -> dict[str, Any]:
        """Returns the versions and the config that decide the results besides model and request."""
        return {name: version(name) for name in ("torch", "transformers")} | self._config.model_dump()

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> HfTransformersEngine:
        """Proves the files and loads the model; its own code is never run."""
        try:
            import torch
            import transformers  # noqa: F401 - so that the missing one is named
        except ModuleNotFoundError as error:
            raise MissingDependency(str(error.name), "torch") from error
        verify_files(model.folder, model.files, cancel)
        source = open_source(model)
        device = choose_device(self._config.device)
        precision = choose_precision(self._config.precision, device)
        tokenizer = source.tokenizer()
        template = ChatTemplate(tokenizer.chat_template, tokenizer) if tokenizer.chat_template else None

        def make() -> Batch:
            torch.set_num_threads(threads)
            return Batch(load_model(source, device, precision), device, self._config.step_tokens)

        try:
            turns = Turns(make, self._config.max_results, self._config.cache_tokens)
        except BaseException:
            if template is not None:
                template.close()
            raise
        context = model.context_tokens or source.facts.get("max_position_embeddings")
        limit = min(context if type(context) is int and context > 0 else MAX_TOKENS, self._config.cache_tokens)
        reported = {"device": device, "precision": precision}
        return HfTransformersEngine(model, turns, tokenizer, template, limit, self._marks(), reported)

    def _marks(self) -> Marks:
        if not self._key:
            return Marks({}, "", "")
        known = {name: watermarks[name](self._key) for name in watermarks}
        return Marks(known, self._config.watermark, key_id(self._key))
