"""Random words for pairs of context and token, the same on every machine and device, patternless without the key."""

import hmac
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]
WORD_BYTES = 4
BLOCK_WORDS = 4


class KeyedWords:
    """A pseudorandom function of context and token with 32-bit values.

    The context's HMAC-SHA256 is key and start of an AES-CTR stream, of which each token has a word: so the words of
    a whole vocabulary cost little more than those of one token. Source: RFC 2104; NIST SP 800-38A, 6.5.
    """

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key = hmac.digest(key, f"inkseal watermark: {purpose}".encode(), "sha256")

    def of(self, context: Sequence[int], tokens: Tokens) -> Words:
        """Returns a word for each of the tokens, [C], after a context."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        seed = hmac.digest(self._key, struct.pack(f"<{len(context)}I", *context), "sha256")
        first, last = int(tokens.min()) // BLOCK_WORDS, int(tokens.max()) // BLOCK_WORDS
        counter = (int.from_bytes(seed[16:]) + first) % (1 << 128)
        stream = Cipher(algorithms.AES(seed[:16]), modes.CTR(counter.to_bytes(16))).encryptor()
        data = stream.update(bytes(BLOCK_WORDS * WORD_BYTES * (last - first + 1)))
        words: Any = np.frombuffer(data, "<u4")[tokens - BLOCK_WORDS * first]
        return np.asarray(words, np.uint32)
