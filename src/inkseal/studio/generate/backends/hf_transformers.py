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
from inkseal.formats.hf_folder import read_config
from inkseal.formats.tokenizer_json import tokenizer_from_folder
from inkseal.formats.watermarks import key_id, watermarks
from inkseal.studio.generate.backends._hf_transformers_batch import Batch
from inkseal.studio.generate.backends._hf_transformers_engine import HfTransformersEngine, Marks
from inkseal.studio.generate.backends._hf_transformers_model import (
    PRECISIONS,
    choose_device,
    choose_precision,
    cpu_precision,
    load_model,
    weight_bytes,
)
from inkseal.studio.generate.backends._hf_transformers_turns import Turns

FOLDER_NEEDS = frozenset({"config.json", "tokenizer.json"})
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
    """Runs safetensors text models with torch: any native class of transformers, batching, watermarks, GPUs."""

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
        """Returns None when the model is a folder of safetensors and the extra is installed, else the reason."""
        if model.task != "generate" or model.format != "safetensors" or not model.files.keys() >= FOLDER_NEEDS:
            return say(
                "It runs text models in folders of safetensors with config.json and tokenizer.json.",
                "只运行含 config.json 和 tokenizer.json 的 safetensors 文本模型文件夹。",
            )
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                return MissingDependency(package, "torch").fix
        return None

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns the memory that `load` will need: weights, key-value cache, torch itself."""
        precision = cpu_precision(self._config.precision)
        cache = _cache_values(read_config(model.folder)) * self._config.cache_tokens * PRECISIONS[precision]
        return int(weight_bytes(model.folder, precision) + cache + RUNTIME_BYTES)

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
        facts = read_config(model.folder)
        device = choose_device(self._config.device)
        precision = choose_precision(self._config.precision, device)
        tokenizer = tokenizer_from_folder(model.folder, _number(facts, "vocab_size") or None)
        template = ChatTemplate(tokenizer.chat_template, tokenizer) if tokenizer.chat_template else None

        def make() -> Batch:
            torch.set_num_threads(threads)
            return Batch(load_model(model.folder, device, precision), device, self._config.step_tokens)

        try:
            turns = Turns(make, self._config.max_results, self._config.cache_tokens)
        except BaseException:
            if template is not None:
                template.close()
            raise
        context = model.context_tokens or _number(facts, "max_position_embeddings") or self._config.cache_tokens
        limit = min(context, self._config.cache_tokens)
        reported = {"device": device, "precision": precision}
        return HfTransformersEngine(model, turns, tokenizer, template, limit, self._marks(), reported)

    def _marks(self) -> Marks:
        if not self._key:
            return Marks({}, "", "")
        known = {name: watermarks[name](self._key) for name in watermarks}
        return Marks(known, self._config.watermark, key_id(self._key))


def _number(facts: dict[str, Any], name: str, default: int = 0) -> int:
    found = facts.get(name)
    return found if type(found) is int and found > 0 else default


def _cache_values(facts: dict[str, Any]) -> int:
    """Returns how many numbers keys and values of one token are, in all layers; guesses high where nothing is said."""
    heads = _number(facts, "num_attention_heads", 32)
    width = _number(facts, "head_dim", _number(facts, "hidden_size", 4096) // heads)
    return 2 * _number(facts, "num_hidden_layers", 32) * _number(facts, "num_key_value_heads", heads) * width
