"""Which harmless texts of the fresh set only raise the thresholds of injection; the test is made of all others."""

import hashlib
from typing import Any


def calibrates(item: dict[str, Any]) -> bool:
    """Returns true for half of the harmless texts, told by their hash: never for an attack."""
    return not item["attack"] and hashlib.sha256(item["text"].encode()).digest()[0] % 2 == 0
