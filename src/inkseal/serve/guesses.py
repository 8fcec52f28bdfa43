"""Slows down who tries keys: after too many wrong ones an address waits, save with keys that have worked from there."""

import math
import time
from collections import OrderedDict
from typing import TypeVar

from inkseal.core.language import say
from inkseal.serve.errors import Busy

K = TypeVar("K")
V = TypeVar("V")
WRONG_PER_MINUTE = 120
"""More than any person mistypes, and than a page asks with a key that was just revoked."""
_MAX_KEPT = 10_000


class Guesses:
    """Counts wrong keys by address; the count sinks evenly. Kept in memory, and bounded."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._worked: OrderedDict[tuple[str, str], None] = OrderedDict()

    def take(self, address: str, key_id: str | None) -> None:
        """Notes a try; `key_id` is None when the key was wrong.

        Raises:
            Busy: too many were wrong; also a right key is not told from a wrong one then.
        """
        count, since = self._wrong.get(address, (0.0, 0.0))
        moment = time.monotonic()
        count = max(0.0, count - (moment - since) * WRONG_PER_MINUTE / 60)
        if count >= WRONG_PER_MINUTE and (address, key_id) not in self._worked:
            _keep(self._wrong, address, (min(count + 1, 2.0 * WRONG_PER_MINUTE), moment))
            raise Busy(
                "too_many_wrong_keys",
                say("Too many wrong keys came from this address.", "来自此地址的错误密钥过多。"),
                math.ceil((count - WRONG_PER_MINUTE + 2) * 60 / WRONG_PER_MINUTE),
            )
        if key_id is None:
            _keep(self._wrong, address, (count + 1, moment))
        else:
            _keep(self._worked, (address, key_id), None)


def _keep(kept: "OrderedDict[K, V]", name: K, value: V) -> None:
    kept[name] = value
    kept.move_to_end(name)
    while len(kept) > _MAX_KEPT:
        kept.popitem(last=False)
