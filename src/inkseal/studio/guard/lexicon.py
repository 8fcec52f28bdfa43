"""Finds many literal terms in one pass: a trie written as one regular expression."""

import re
from collections.abc import Iterable
from typing import Any


def _trie_pattern(terms: Iterable[str]) -> str:
    root: dict[str, Any] = {}
    for term in terms:
        node = root
        for char in term:
            node = node.setdefault(char, {})
        node[""] = {}
    return _pattern(root)


def _pattern(node: dict[str, Any]) -> str:
    chars = [char for char in node if char]
    if not chars:
        return ""
    branches = [re.escape(char) + _pattern(node[char]) for char in sorted(chars)]
    body = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    # Greedy: the longest term at each place is found first.
    return f"(?:{body})?" if "" in node else body


def _is_word(char: str) -> bool:
    return char.isascii() and char.isalnum()


class Lexicon:
    """A set of lower-case terms. Terms that begin or end in a Latin letter or digit match whole words only."""

    def __init__(self, terms: Iterable[str]) -> None:
        words = {term for term in terms if term}
        self._shorter = {term: tuple(term[:n] for n in range(1, len(term)) if term[:n] in words) for term in words}
        self._regex = re.compile(f"(?=({_trie_pattern(words)}))") if words else None
        self.longest = max(map(len, words), default=0)
        self._beginnings = {term[:n] for term in words for n in range(1, len(term) + 1)}

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Returns every hit (start, end, term) in lower-case text, overlapping ones too, in order of start."""
        if self._regex is None:
            return []
        return [
            (match.start(), match.start() + len(term), term)
            for match in self._regex.finditer(text)
            for term in (match.group(1), *self._shorter[match.group(1)])
            if self._whole(text, match.start(), match.start() + len(term))
        ]

    def unfinished_from(self, text: str) -> int:
        """Returns where the longest end of the text begins that a term begins with, or is one; its length if none."""
        for start in range(max(0, len(text) - self.longest), len(text)):
            if text[start:] in self._beginnings:
                return start
        return len(text)

    @staticmethod
    def _whole(text: str, start: int, end: int) -> bool:
        before, after = text[start - 1 : start], text[end : end + 1]
        return not (_is_word(text[start]) and _is_word(before)) and not (_is_word(text[end - 1]) and _is_word(after))
