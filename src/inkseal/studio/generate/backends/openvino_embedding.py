"""Embeds sentences with the Universal Sentence Encoder (multilingual, convolutional) drawn anew for OpenVINO.

The published graph carries its tokenizer inside and quantizes a whole batch by its largest value; here rows of a batch
do not influence one another. Source: Yang et al. 2019, "Multilingual Universal Sentence Encoder".
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from inkseal.catalog.verify import verify_files
from inkseal.core.config import ComponentConfig
from inkseal.core.errors import EngineFailed, ModelFileRefused
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.core.versions import version
from inkseal.formats.onnx_weights import Array, read_weights
from inkseal.formats.openvino_core import core, silence_telemetry
from inkseal.formats.sentence_pieces import SentencePieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEGIN, END = 1, 2
WORKING_BYTES = 250_000_000
"""Beside the weights: the runtime itself and the activations of a batch."""


class OpenvinoEmbeddingConfig(ComponentConfig):
    """How sentences are embedded."""

    batch: int = Field(32, ge=1, le=1024, description="Texts embedded at once.")
    max_tokens: int = Field(512, ge=8, le=8192, description="A longer text is cut here.")


class OpenvinoEmbedding:
    """Embeds sentences in many languages with the Universal Sentence Encoder, drawn anew for OpenVINO."""

    name: ClassVar[str] = "openvino_embedding"
    tasks: ClassVar[frozenset[str]] = frozenset({"embed"})
    config: ClassVar[type[ComponentConfig]] = OpenvinoEmbeddingConfig

    def __init__(self, config: ComponentConfig) -> None:
        self._config = OpenvinoEmbeddingConfig.model_validate(config.model_dump())

    def fits(self, model: LocalModel) -> str | None:
        """Returns None for an embedding model in one ONNX file, else the reason."""
        if model.task != "embed":
            return say("This backend only embeds.", "该后端只做向量化。")
        if model.format != "onnx" or len(_files(model)) != 1:
            return say("It needs one ONNX file.", "需要且仅需要一个 ONNX 文件。")
        return None

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns the memory that `load` will need."""
        return 2 * _files(model)[0].stat().st_size + WORKING_BYTES

    def facts(self) -> dict[str, Any]:
        """Returns the version and the config that decide the results besides model and request."""
        return {"openvino": version("openvino")} | self._config.model_dump()

    def load(self, model: LocalModel, threads: int, on_event: Listener, cancel: Cancel) -> "OpenvinoEmbeddingEngine":
        """Reads the weights and the tokenizer out of the file, and compiles the network."""
        silence_telemetry()
        verify_files(model.folder, model.files, cancel)
        tensors, strings = read_weights(_files(model)[0])
        pieces = SentencePieces(strings.get("SentencepieceTokenizer", b""))
        network = Network(tensors).build()
        compiled = core().compile_model(
            network, "CPU", {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        )
        return OpenvinoEmbeddingEngine(model, pieces, compiled, self._config)


class OpenvinoEmbeddingEngine:
    """Implements `EmbeddingEngine`."""

    def __init__(
        self, model: LocalModel, pieces: SentencePieces, compiled: Any, config: OpenvinoEmbeddingConfig
    ) -> None:
        self.model = model
        self._pieces = pieces
        self._compiled = compiled
        self._config = config
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> "NDArray[Any]":
        """Returns (B, D) float32 rows of length 1, in the order given.

        Texts of like length share a batch; what else is in it changes no row by more than rounding.

        Raises:
            EngineFailed: the engine is closed.
        """
        ids = self._ids(texts)
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        rows: list[Array | None] = [None] * len(ids)
        for start in range(0, len(order), self._config.batch):
            places = order[start : start + self._config.batch]
            for place, row in zip(places, self._embed_batch([ids[place] for place in places]), strict=True):
                rows[place] = row
        return np.stack([row for row in rows if row is not None]) if rows else np.zeros((0, 512), np.float32)

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Returns how many tokens `embed` reads of the texts; what is cut off is not read."""
        return sum(map(len, self._ids(texts)))

    def close(self) -> None:
        """Frees the network."""
        with self._lock:
            self._compiled = None

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        limit = self._config.max_tokens
        return [[BEGIN, *found[: limit - 2], END] for found in self._pieces.encode(texts)]

    def _embed_batch(self, ids: Sequence[Sequence[int]]) -> Array:
        longest = max(map(len, ids))
        padded = np.zeros((len(ids), longest), np.int32)
        mask = np.zeros((len(ids), longest, 1), np.float32)
        for row, found in enumerate(ids):
            padded[row, : len(found)] = found
            mask[row, : len(found)] = 1
        with self._lock:
            if self._compiled is None:
                raise EngineFailed(say("The engine was closed.", "引擎已关闭。"))
            return np.array(self._compiled([padded, mask])[0], dtype=np.float32)


class Network:
    """Draws the encoder out of the published weights: ids [B, T], mask [B, T, 1] → vectors [B, 512]."""

    PREFIX = "StatefulPartitionedCall/EncoderDNN/"
    NUM_SHARDS = 17
    WINDOWS: ClassVar[dict[int, tuple[int, ...]]] = {2: (0, 1), 3: (-1, 0, 1), 5: (-2, -1, 0, 1, 2)}

    def __init__(self, tensors: dict[str, Array]) -> None:
        from openvino import opset13

        self.ov: Any = opset13
        self.tensors = tensors

    def build(self) -> Any:
        """Returns an `openvino.Model`."""
        import openvino

        ov = self.ov
        ids = ov.parameter([-1, -1], np.int32, name="ids")
        self.mask = ov.parameter([-1, -1, 1], np.float32, name="mask")
        words = self.embedding(ids)
        grams = [self.grams(words, order) for order in self.WINDOWS]
        joined = self.norm(ov.concat([words, *grams], -1), "CNN_layers/LayerNorm", 1280)
        seen = ov.multiply(self.dense(joined, "CNN_layers/dense/kernel", "CNN_layers/dense/bias"), self.mask)
        counts = ov.reduce_sum(self.mask, self.axes(1))
        mean = ov.divide(ov.reduce_sum(seen, self.axes(1)), ov.sqrt(counts))
        vectors = ov.normalize_l2(self.residual(mean), self.axes(1), 1e-12, "max")
        return openvino.Model([ov.result(vectors)], [ids, self.mask], "sentence_encoder")

    def embedding(self, ids: Any) -> Any:
        """Looks words up in the shards' common table, which stays in 8 bits."""
        ov = self.ov
        shards = [
            self.quantized(f"Func/StatefulPartitionedCall/input/_{place + 1}:0") for place in range(self.NUM_SHARDS)
        ]
        codes = np.stack([shard[0] for shard in shards], axis=1).reshape(-1, shards[0][0].shape[1])
        rows = len(codes) // self.NUM_SHARDS
        zeros = np.tile(np.array([shard[1] for shard in shards], np.float32), rows)[:, None]
        scales = np.tile(np.array([shard[2] for shard in shards], np.float32), rows)[:, None]
        axis = ov.constant(np.int32(0))
        found = ov.convert(ov.gather(ov.constant(codes), ids, axis), np.float32)
        centred = ov.subtract(found, ov.gather(ov.constant(zeros), ids, axis))
        return ov.multiply(centred, ov.gather(ov.constant(scales), ids, axis))

    def grams(self, words: Any, order: int) -> Any:
        """Two residual convolutions over windows of `order` words, which end at the sentence's ends."""
        ov, at = self.ov, f"CNN_layers/ngram_order_{order}"
        projected = self.dense(
            words, f"{at}/input_size_projection/dense/kernel", f"{at}/input_size_projection/dense/bias"
        )
        stream = self.norm(projected, f"{at}/LayerNorm", 256)
        for name in (f"{at}/Ngram-{order}-Conv", f"{at}/Ngram-{order}-Conv_1"):
            window = self.window(ov.multiply(stream, self.mask), self.WINDOWS[order])
            stream = ov.add(stream, ov.relu(self.dense(window, f"{name}/weights", f"{name}/bias")))
        return stream

    def window(self, stream: Any, offsets: tuple[int, ...]) -> Any:
        """Puts each word's neighbours beside it; beyond the ends are zeros."""
        ov = self.ov
        before, after = -offsets[0], offsets[-1]
        padded = ov.pad(stream, [0, before, 0], [0, after, 0], "constant", ov.constant(np.float32(0)))
        length = ov.gather(ov.shape_of(stream), self.axes(1), ov.constant(np.int64(0)))
        parts = [
            ov.slice(padded, self.axes(place), ov.add(length, self.axes(place)), self.axes(1), self.axes(1))
            for place in range(len(offsets))
        ]
        return ov.concat(parts, -1)

    def residual(self, mean: Any) -> Any:
        """Four layers with two shortcuts."""
        ov, at = self.ov, "DNN/ResidualHidden_"
        first = ov.relu(self.dense(mean, f"{at}0/dense/kernel"))
        shortcut = self.dense(mean, f"{at}1/AdjustDepth/projection/kernel")
        second = ov.relu(ov.add(self.dense(first, f"{at}1/dense/kernel"), shortcut))
        third = ov.relu(self.dense(second, f"{at}2/dense/kernel"))
        shortcut = self.dense(second, f"{at}3/AdjustDepth/projection/kernel")
        return ov.tanh(ov.add(self.dense(third, f"{at}3/dense/kernel"), shortcut))

    def dense(self, stream: Any, kernel: str, bias: str | None = None) -> Any:
        codes, zero, scale = self.quantized(f"{self.PREFIX}{kernel}:0")
        weights = (codes.astype(np.float32) - np.float32(zero)) * np.float32(scale)
        product = self.ov.matmul(stream, self.ov.constant(weights), False, False)
        return product if bias is None else self.ov.add(product, self.real(f"{self.PREFIX}{bias}:0"))

    def norm(self, stream: Any, name: str, width: int) -> Any:
        ov = self.ov
        normal = ov.mvn(stream, self.axes(-1), True, 1e-12, "inside_sqrt")
        scaled = ov.multiply(normal, self.real(f"{self.PREFIX}{name}/gamma:0", width))
        return ov.add(scaled, self.real(f"{self.PREFIX}{name}/beta:0", width))

    def axes(self, *values: int) -> Any:
        return self.ov.constant(np.array(values, np.int64))

    def real(self, name: str, width: int | None = None) -> Any:
        values = self.tensor(name).astype(np.float32).reshape(-1)
        if width is not None and len(values) != width:
            raise _other_network(name)
        return self.ov.constant(values)

    def quantized(self, name: str) -> tuple[Array, float, float]:
        """Returns codes, zero point and scale of a matrix."""
        codes = self.tensor(f"{name}_quantized")
        if codes.ndim != 2:
            raise _other_network(name)
        return codes, float(self.tensor(f"{name}_zero_point").item()), float(self.tensor(f"{name}_scale").item())

    def tensor(self, name: str) -> Array:
        if name not in self.tensors:
            raise _other_network(name)
        return self.tensors[name]


def _other_network(name: str) -> ModelFileRefused:
    short = name.rpartition("EncoderDNN/")[2]
    return ModelFileRefused(
        say(f"The file is no Universal Sentence Encoder: {short!r}.", f"该文件不是通用句子编码器：{short!r}。"),
        fix=say("Use the model `use-multilingual-3`.", "请使用模型 `use-multilingual-3`。"),
    )


def _files(model: LocalModel) -> list[Path]:
    return [model.folder / name for name in model.files if name.endswith(".onnx")]
