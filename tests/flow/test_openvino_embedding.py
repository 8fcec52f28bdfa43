"""The encoder we draw equals the published one, computed elsewhere, and rows do not influence one another."""

import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inkseal.core.errors import ModelFileRefused
from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.formats.onnx_weights import read_weights
from inkseal.formats.sentence_pieces import SentencePieces
from inkseal.studio.generate.backends.openvino_embedding import (
    OpenvinoEmbedding,
    OpenvinoEmbeddingConfig,
    OpenvinoEmbeddingEngine,
)

pytestmark = pytest.mark.model

REFERENCE = json.loads((Path(__file__).parent / "sentence_vectors.json").read_text("utf-8"))
"""Vectors of onnxruntime with its own tokenizer op; its 8-bit activations were undone, since they vary by batch."""


@pytest.fixture(scope="module")
def engine(embedding_model: LocalModel) -> Iterator[OpenvinoEmbeddingEngine]:
    loaded = OpenvinoEmbedding(OpenvinoEmbeddingConfig()).load(embedding_model, 2, ignore, threading.Event())
    yield loaded
    loaded.close()


def test_vectors_equal_those_of_onnxruntime(engine: OpenvinoEmbeddingEngine) -> None:
    expected = np.array(REFERENCE["vectors"])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    cosines = (engine.embed(REFERENCE["texts"]) * expected).sum(1)
    assert cosines.min() > 0.9999


def test_a_row_does_not_depend_on_its_batch(engine: OpenvinoEmbeddingEngine) -> None:
    texts = REFERENCE["texts"]
    alone = np.concatenate([engine.embed([text]) for text in texts])
    assert np.abs(engine.embed(texts) - alone).max() < 1e-5
    assert np.abs(engine.embed([*texts, "长" * 400])[:-1] - alone).max() < 1e-5


def test_meaning_is_near_across_languages(engine: OpenvinoEmbeddingEngine) -> None:
    rows = engine.embed(["How do I reset my password?", "怎样重置我的密码？", "今天天气很好。"])
    assert rows[0] @ rows[1] > 0.7
    assert rows[0] @ rows[2] < 0.3


def test_very_long_texts_are_cut_not_refused(engine: OpenvinoEmbeddingEngine) -> None:
    assert engine.embed(["很长的文字。" * 5000]).shape == (1, 512)


def test_pieces_equal_those_of_sentencepiece(embedding_model: LocalModel) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    _, strings = read_weights(next(embedding_model.folder / name for name in embedding_model.files))
    model = strings["SentencepieceTokenizer"]
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    texts = [
        "Hello  world ",
        "你好，世界",
        "",
        " ",
        "café ﬁ ½ ㎏",
        "👩‍👩‍👧 🎉",
        "\ta\nb\r",
        "　全角　",
        "ＡＢＣ",
        "ｶﾞｷﾞ",
        "a▁ b",
        "\x00\x01",
    ]
    chance = random.Random(3)
    ranges = [(32, 0x250), (0x4E00, 0x9FFF), (0x3000, 0x30FF), (0x1F300, 0x1F700), (0x600, 0x700), (0xFF00, 0xFFEF)]
    for _ in range(1000):
        letters = (chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.randrange(1, 40)))
        texts.append("".join(letters))
    assert SentencePieces(model).encode(texts) == [reference.encode(text) for text in texts]


@pytest.mark.parametrize("damage", ["cut", "length", "noise", "empty", "other"])
def test_fault_34_a_damaged_file_is_refused(embedding_model: LocalModel, tmp_path: Path, damage: str) -> None:
    (name,) = embedding_model.files
    data = bytearray((embedding_model.folder / name).read_bytes()[: 4 << 20])
    if damage == "length":
        data[:20] = b"\x3a" + b"\xff" * 9 + b"\x01" + b"\0" * 9
    elif damage == "noise":
        data[:] = random.Random(1).randbytes(100_000)
    elif damage == "empty":
        data[:] = b""
    elif damage == "other":
        data[:] = b"\x3a\x00"
    (tmp_path / name).write_bytes(data)
    broken = embedding_model.model_copy(update={"folder": tmp_path})
    with pytest.raises(ModelFileRefused):
        OpenvinoEmbedding(OpenvinoEmbeddingConfig()).load(broken, 1, ignore, threading.Event())
