"""File formats that pictures are exported to, one per file."""

from inkseal.core.protocols import Writer
from inkseal.core.registry import Registry

writers: Registry[Writer] = Registry("inkseal.modalities.image.writers", "image_writer")
