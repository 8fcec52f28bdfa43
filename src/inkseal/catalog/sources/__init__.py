"""Places models come from, one per file; the order in a card is the order in which they are tried."""

from inkseal.core.protocols import Source
from inkseal.core.registry import Registry

sources: Registry[Source] = Registry(__name__, "source")
