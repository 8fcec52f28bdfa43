"""Text to token ids and back, from the vocabulary of a GGUF or a `tokenizer.json`.

Plain text never becomes a control token: `encode` takes `<|im_end|>` for seven characters. Only `chat_template`
places control tokens. Knows nothing of roles or templates.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

Encode = Callable[[str], Sequence[int]]
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class Tokenizer:
    """Encodes and decodes for one model; immutable, safe in threads.

    Attributes:
        control: strings that steer the model → ids; never produced by `encode`.
        num_tokens: size of the vocabulary, holes included.
        bos_id: begins a text, if the model wants that.
        end_ids: each ends an answer.
        end_id: the one of them that ends this model's turns.
        blank_first: `encode` puts a blank before every text, which `decode` takes away.
        chat_template: source of the template that came with the vocabulary; empty if none.
    """

    def __init__(
        self,
        encode: Encode,
        pieces: Sequence[bytes],
        control: Mapping[str, int],
        *,
        hidden: Iterable[int] = (),
        bos_id: int | None = None,
        end_ids: Iterable[int] = (),
        blank_first: bool = False,
        chat_template: str = "",
    ) -> None:
        """Takes an encoder without control tokens, the bytes of every id, and the control tokens beside it.

        Args:
            hidden: ids that decode to nothing: turn ends, padding.
            end_ids: the usual one first.
        """
        self._encode = encode
        self._pieces = pieces
        self._hidden = frozenset(hidden)
        self.control = dict(control)
        self.bos_id = bos_id
        ends = list(end_ids)
        self.end_ids = frozenset(ends)
        self.end_id = ends[0] if ends else 0
        self.blank_first = blank_first
        self.chat_template = chat_template

    @property
    def num_tokens(self) -> int:
        return len(self._pieces)

    @property
    def shown_pieces(self) -> list[bytes]:
        """The bytes that every id decodes to, in order; none for hidden ids."""
        return [b"" if place in self._hidden else piece for place, piece in enumerate(self._pieces)]

    @property
    def longest_piece_bytes(self) -> int:
        """No token stands for more bytes, so a text has at least `bytes / longest` tokens."""
        return max(map(len, self._pieces), default=1)

    def encode(self, text: str) -> list[int]:
        """Returns the ids of plain text, without a beginning or an end token."""
        return list(self._encode(text)) if text else []

    def piece(self, token: int) -> bytes:
        """Returns the bytes one token stands for; none for hidden and unknown ids."""
        if token in self._hidden or not 0 <= token < len(self._pieces):
            return b""
        return self._pieces[token]

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text; bytes that are no UTF-8 become U+FFFD."""
        decoder = self.decoder()
        return "".join(map(decoder.push, ids)) + decoder.finish()

    def decoder(self, *, begins: bool = True) -> "IncrementalDecoder":
        """Returns a fresh decoder for one stream of tokens.

        Args:
            begins: the stream begins a text; False when it goes on with one, where a first blank means a blank.
        """
        return IncrementalDecoder(self, drop_blank=begins and self.blank_first)


class IncrementalDecoder:
    """Turns a stream of tokens into text without ever cutting a character in two."""

    def __init__(self, tokenizer: Tokenizer, *, drop_blank: bool = False) -> None:
        self._tokenizer = tokenizer
        self._drop_blank = drop_blank
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """Returns the characters that are whole now; those of a cut character come with its last byte."""
        piece = self._tokenizer.piece(token)
        if piece and self._drop_blank:
            piece, self._drop_blank = piece.removeprefix(b" "), False
        return self._utf8.decode(piece)

    def finish(self) -> str:
        """Returns what is left; an unfinished character becomes U+FFFD."""
        return self._utf8.decode(b"", final=True)


def rust_encode(rust: Any) -> Encode:
    """Returns the encoder of a `tokenizers.Tokenizer`."""
    return lambda text: list(rust.encode(text, add_special_tokens=False).ids)


@lru_cache(maxsize=1)
def byte_letters() -> dict[str, int]:
    """Returns the letter that stands for each byte in byte-level vocabularies (GPT-2's printable alphabet)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(256 + place): byte for place, byte in enumerate(others)}


def piece_bytes(piece: str) -> bytes:
    """Returns the bytes of a byte-level vocabulary entry; an entry outside that alphabet is its own text."""
    letters = byte_letters()
    if all(letter in letters for letter in piece):
        return bytes(letters[letter] for letter in piece)
    return piece.encode("utf-8", "replace")


def byte_of(piece: str) -> int | None:
    """Returns the byte that an entry such as `<0x0A>` stands for."""
    found = _BYTE.fullmatch(piece)
    return int(found[1], 16) if found else None


def blank_piece_bytes(piece: str) -> bytes:
    """Returns the bytes of an entry of a vocabulary that writes blanks as U+2581 and bytes as `<0x0A>`."""
    byte = byte_of(piece)
    return bytes([byte]) if byte is not None else piece.replace("\u2581", " ").encode("utf-8", "replace")


def any_of(strings: Iterable[str]) -> "re.Pattern[str] | None":
    """Returns a pattern that finds any of the strings, the longest first; None when there are none."""
    ordered = sorted(filter(None, strings), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None
