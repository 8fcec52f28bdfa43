"""What torch models are made from: a folder of safetensors, or a GGUF whose weights are decoded to floats.

Our own readers check the files; the library is handed a configuration and tensors, and sees neither folder nor file.
"""

import math
from pathlib import Path
from typing import Any, Protocol

from inkseal.core.errors import Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import LocalModel
from inkseal.formats.checkpoint import GGUFCheckpoint, expected_shapes, num_weights
from inkseal.formats.hf_folder import hub_name, read_config
from inkseal.formats.shards import open_shards
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tokenizer_json import tokenizer_from_folder

FOLDER_NEEDS = frozenset({"config.json", "tokenizer.json"})
_FLOAT_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}


class Source(Protocol):
    """A model on the disk.

    Attributes:
        facts: what config.json says, or would say.
    """

    facts: dict[str, Any]

    @property
    def num_tensors(self) -> int: ...

    @property
    def num_weights(self) -> int: ...

    def weights(self, precision: str) -> dict[str, Any]:
        """Returns torch tensors by the hub's names."""

    def tokenizer(self) -> Tokenizer: ...


def fits(model: LocalModel) -> bool:
    """True for text models of one GGUF file, or in a folder of safetensors with what belongs to them."""
    if model.task != "generate":
        return False
    if model.format == "gguf":
        return len(_ggufs(model)) == 1
    return model.format == "safetensors" and model.files.keys() >= FOLDER_NEEDS


def open_source(model: LocalModel) -> Source:
    """Returns the model's files, checked.

    Raises:
        ModelFileRefused: they are malformed, or bring code.
        Unsupported: a GGUF is of a kind that cannot be handed over.
    """
    return _Gguf(_ggufs(model)[0]) if model.format == "gguf" else _Folder(model.folder)


def _ggufs(model: LocalModel) -> list[Path]:
    return [model.folder / name for name in model.files if name.endswith(".gguf")]


class _Folder:
    """Weights as they are; tensors are mapped from the file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.facts = read_config(folder)
        self._shards = open_shards(folder)

    @property
    def num_tensors(self) -> int:
        return len(self._shards)

    @property
    def num_weights(self) -> int:
        infos = (file.tensors[name] for name, file in self._shards.items())
        return sum(info.size_bytes // _FLOAT_BYTES.get(info.type_name, 1) for info in infos)

    def weights(self, precision: str) -> dict[str, Any]:
        from safetensors.torch import load_file

        found: dict[str, Any] = {}
        for path in sorted({file.path for file in self._shards.values()}):
            found |= load_file(path)
        return found

    def tokenizer(self) -> Tokenizer:
        rows = self.facts.get("vocab_size")
        return tokenizer_from_folder(self._folder, rows if type(rows) is int and rows > 0 else None)


class _Gguf:
    """Weights decoded from their blocks, under the hub's names and in its row order."""

    def __init__(self, path: Path) -> None:
        self._checkpoint = GGUFCheckpoint(path)
        config = self._checkpoint.config
        if config.rope_factors is not None:
            raise Unsupported(
                say("A GGUF with scaled rotary positions does not run here.", "此后端不支持带旋转位置缩放的 GGUF。"),
                fix=say("Use openvino, llama_cpp or its safetensors.", "请用 openvino、llama_cpp 或 safetensors。"),
            )
        self.facts = {
            "model_type": config.architecture,
            "hidden_size": config.width,
            "num_hidden_layers": config.num_layers,
            "num_attention_heads": config.num_heads,
            "num_key_value_heads": config.num_kv_heads,
            "head_dim": config.head_width,
            "intermediate_size": config.hidden_width,
            "vocab_size": config.vocabulary,
            "max_position_embeddings": config.context_length,
            "rms_norm_eps": config.norm_epsilon,
            "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_base},
            "tie_word_embeddings": config.tied,
        }

    @property
    def num_tensors(self) -> int:
        return len(expected_shapes(self._checkpoint.config))

    @property
    def num_weights(self) -> int:
        return num_weights(self._checkpoint)

    def weights(self, precision: str) -> dict[str, Any]:
        import torch

        found = {}
        for name, shape in expected_shapes(self._checkpoint.config).items():
            matrix = len(shape) == 2
            values = self._checkpoint.rows(name, 0, shape[0]) if matrix else self._checkpoint.vector(name)
            order = self._checkpoint.row_order(name)
            values = values if order is None else values[order]
            found[hub_name(name)] = torch.tensor(values.reshape(shape), dtype=getattr(torch, precision))
        return found

    def tokenizer(self) -> Tokenizer:
        return self._checkpoint.tokenizer()


def cache_values(facts: dict[str, Any]) -> int:
    """Returns how many numbers keys and values of one token are, in all layers; guesses high where nothing is said."""

    def number(name: str, default: int) -> int:
        found = facts.get(name)
        return found if type(found) is int and found > 0 else default

    heads = number("num_attention_heads", 32)
    width = number("head_dim", math.ceil(number("hidden_size", 4096) / heads))
    return 2 * number("num_hidden_layers", 32) * number("num_key_value_heads", heads) * width
