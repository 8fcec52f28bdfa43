"""Published sets of pictures, one per file."""

from inkseal.core.protocols import Collection
from inkseal.core.registry import Registry

collections: Registry[Collection] = Registry(__name__, "collection")
