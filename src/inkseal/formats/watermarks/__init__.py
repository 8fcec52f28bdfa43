"""Marks in the choice of words: put in while a text is drawn, found again by the key. One kind per file."""

from hashlib import sha256

from inkseal.core.protocols import TextWatermark
from inkseal.core.registry import Registry

watermarks: Registry[TextWatermark] = Registry(__name__, "watermark")


def key_id(key: bytes) -> str:
    """Returns the public name of a key: a hash of it."""
    return sha256(b"inkseal watermark key" + key).hexdigest()[:16]
