"""Tokenizes as SentencePiece's unigram models do, from the model's own bytes.

Source: sentencepiece_model.proto; Kudo 2018, "Subword Regularization"; the normaliser's table is a Darts double array.
"""

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from inkseal.core.language import say
from inkseal.formats.onnx_weights import fields, refuse, varint

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RustTokenizer

MAX_PIECES = 1_000_000


class SentencePieces:
    """A unigram tokenizer; safe in threads."""

    def __init__(self, model: bytes) -> None:
        """Reads the serialised model.

        Raises:
            ModelFileRefused: it is malformed, or no unigram model.
        """
        pieces: list[tuple[str, float]] = []
        table = b""
        for number, _, value in fields(memoryview(model)):
            if number == 1:
                pieces.append(_piece(value))
            elif number == 2:
                kinds = [varint(inner, 0)[0] for place, _, inner in fields(value) if place == 3]
                if kinds not in ([], [1]):
                    refuse(say("its tokenizer is no unigram model", "其分词器不是 unigram 模型"))
            elif number == 3:
                table = next((bytes(inner) for place, _, inner in fields(value) if place == 2), b"")
        if not 0 < len(pieces) <= MAX_PIECES:
            refuse(say(f"its tokenizer has {len(pieces)} pieces", f"其分词器有 {len(pieces)} 个词元"))
        self.num_pieces = len(pieces)
        self._normaliser = _Normaliser(table)
        self._rust = _unigram(pieces)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of each text, without a beginning or an end."""
        normal = [" ".join(filter(None, self._normaliser.apply(text).split(" "))) for text in texts]
        return [list(found.ids) for found in self._rust.encode_batch(normal, add_special_tokens=False)]


def _piece(message: memoryview) -> tuple[str, float]:
    text, score = "", 0.0
    for number, _, value in fields(message):
        if number == 1:
            text = bytes(value).decode("utf-8", "replace")
        elif number == 2 and len(value) == 4:
            score = struct.unpack("<f", value)[0]
    return text, score


def _unigram(pieces: list[tuple[str, float]]) -> "RustTokenizer":
    from tokenizers import Tokenizer as RustTokenizer
    from tokenizers import pre_tokenizers
    from tokenizers.models import Unigram

    rust = RustTokenizer(Unigram(pieces, 0, False))
    rust.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=False)
    return rust


class _Normaliser:
    """Replaces the longest known beginning at each place, as the table says; the rest stays."""

    def __init__(self, table: bytes) -> None:
        size = struct.unpack_from("<I", table)[0] if len(table) >= 4 else 0
        if size % 4 or 4 + size > len(table):
            refuse(say("its normaliser's table is cut off", "其规范化表被截断"))
        self._units: list[int] = np.frombuffer(table, "<u4", size // 4, 4).tolist()
        self._texts = table[4 + size :]

    def apply(self, text: str) -> str:
        if not self._units:
            return text
        data = text.encode("utf-8", "replace")
        out = bytearray()
        at = 0
        while at < len(data):
            length, place = self._longest(data, at)
            if length:
                out += self._texts[place : self._texts.index(b"\0", place)]
            else:
                length = _width(data[at])
                out += data[at : at + length]
            at += length
        return out.decode("utf-8", "replace")

    def _longest(self, data: bytes, at: int) -> tuple[int, int]:
        """Returns how many bytes match, and where their replacement begins; walks the double array byte by byte."""
        units, found = self._units, (0, 0)
        node = _child(units[0])
        for step in range(at, len(data)):
            node ^= data[step]
            if node >= len(units) or units[node] & 0x800000FF != data[step]:
                break
            unit = units[node]
            node ^= _child(unit)
            if unit >> 8 & 1:
                if node >= len(units):
                    break
                found = (step - at + 1, units[node] & 0x7FFFFFFF)
        return found


def _child(unit: int) -> int:
    return unit >> 10 << ((unit & 0x200) >> 6)


def _width(first: int) -> int:
    return 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
