"""Tokenizes as SentencePiece's byte-pair models do, from pieces and their scores; GGUF calls such a vocabulary `llama`.

Source: Sennrich et al. 2016 with SentencePiece's order of merges (best score first, then leftmost); Kudo and Richardson
2018. Knows no normaliser's table.
"""

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from inkseal.formats.tokenizer import any_of

BLANK = "\u2581"
"""Stands for a blank inside pieces."""
CACHED_CHARS = 32
NUM_CACHED = 65_536

Merged = tuple[str, str]


class SentenceBPE:
    """Encodes plain text; safe in threads."""

    def __init__(
        self,
        scores: Mapping[str, tuple[int, float]],
        *,
        whole: Mapping[str, int],
        unused: frozenset[str],
        byte_ids: Sequence[int] | None,
        unknown_id: int,
        blank_first: bool,
    ) -> None:
        """Takes what merging may make, and what stands beside it.

        Args:
            scores: piece → id and score; control, unknown and byte pieces are not among them.
            whole: pieces that are found in the text first and never merged with others.
            unused: pieces that merging may pass through but that never come out.
            byte_ids: 256 ids for the bytes of characters without a piece, or None.
            unknown_id: stands for such a character without them.
            blank_first: a text begins with a blank.
        """
        self._scores = scores
        self._whole = whole
        self._whole_pattern = any_of(whole)
        self._unused = unused
        self._byte_ids = byte_ids
        self._unknown_id = unknown_id
        self._blank_first = blank_first
        spans_words = re.compile(f"[^{BLANK}]{BLANK}")
        # without a piece that reaches over a word's end no merge does, so words can be encoded one by one
        self._by_words = not any(spans_words.search(piece) for piece in scores)
        self._words = re.compile(f"{BLANK}*[^{BLANK}]+|{BLANK}+")
        self._cached = lru_cache(NUM_CACHED)(self._merge)

    def encode(self, text: str) -> list[int]:
        """Returns the ids of plain text, without a beginning or an end."""
        escaped = (BLANK if self._blank_first else "") + text.replace(" ", BLANK)
        ids: list[int] = []
        at = 0
        for hit in self._whole_pattern.finditer(escaped) if self._whole_pattern else ():
            ids += self._stretch(escaped[at : hit.start()])
            ids.append(self._whole[hit[0]])
            at = hit.end()
        return ids + self._stretch(escaped[at:])

    def _stretch(self, text: str) -> list[int]:
        if not self._by_words:
            return list(self._merge(text))
        ids: list[int] = []
        for hit in self._words.finditer(text):
            ids += self._cached(hit[0]) if len(hit[0]) <= CACHED_CHARS else self._merge(hit[0])
        return ids

    def _merge(self, text: str) -> tuple[int, ...]:
        """Joins the neighbours whose union scores best until none is a piece."""
        symbols = list(text)
        before = list(range(-1, len(symbols) - 1))
        after = [*range(1, len(symbols)), -1]
        halves: dict[str, Merged] = {}
        agenda: list[tuple[float, int, int, str]] = []

        def consider(left: int, right: int) -> None:
            if left < 0 or right < 0:
                return
            union = symbols[left] + symbols[right]
            found = self._scores.get(union)
            if found is not None:
                heapq.heappush(agenda, (-found[1], left, right, union))
                if union in self._unused:
                    halves[union] = (symbols[left], symbols[right])

        for place in range(len(symbols) - 1):
            consider(place, place + 1)
        while agenda:
            _, left, right, union = heapq.heappop(agenda)
            if after[left] != right or not symbols[left] or symbols[left] + symbols[right] != union:
                continue  # one of the two has been joined with another neighbour since
            symbols[left], symbols[right] = union, ""
            after[left] = after[right]
            if after[left] >= 0:
                before[after[left]] = left
            consider(before[left], left)
            consider(left, after[left])
        return tuple(token for symbol in symbols if symbol for token in self._ids(symbol, halves))

    def _ids(self, symbol: str, halves: Mapping[str, Merged]) -> Iterator[int]:
        waiting = [symbol]
        while waiting:
            piece = waiting.pop()
            if piece in self._unused and piece in halves:
                waiting += reversed(halves[piece])
            elif piece in self._scores:
                yield self._scores[piece][0]
            elif self._byte_ids is not None:
                for byte in piece.encode("utf-8", "replace"):
                    yield self._byte_ids[byte]
            else:
                yield self._unknown_id
