"""Reversible placeholders: equal values get equal numbers for as long as the object lives; values are not kept."""

import hashlib
import os
import re
import threading
from collections.abc import Iterable

_TAKEN = re.compile(r"⟨([A-Z_]{1,24})_(\d{1,6})⟩")


class Placeholders:
    """Numbers values by kind. Holds a keyed digest of each value, never the value; safe in several threads."""

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._numbers: dict[tuple[str, bytes], int] = {}
        self._last: dict[str, int] = {}
        self._issued: set[str] = set()
        self._lock = threading.Lock()

    def avoid(self, texts: Iterable[str]) -> None:
        """Never issues a number that a foreign placeholder in one of the texts already has."""
        with self._lock:
            for text in texts:
                for match in _TAKEN.finditer(text) if "⟨" in text else ():
                    if match.group() not in self._issued:
                        self._last[match[1]] = max(self._last.get(match[1], 0), int(match[2]))

    def of(self, kind: str, value: str) -> str:
        """Returns the placeholder of a value, such as `⟨ID_CARD_1⟩`."""
        digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()
        name = kind.upper()
        with self._lock:
            number = self._numbers.get((name, digest))
            if number is None:
                number = self._last[name] = self._last.get(name, 0) + 1
                self._numbers[(name, digest)] = number
            placeholder = f"⟨{name}_{number}⟩"
            self._issued.add(placeholder)
            return placeholder
