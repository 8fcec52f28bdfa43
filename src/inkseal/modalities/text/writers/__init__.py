"""File formats that texts are exported to, one per file."""

from inkseal.core.protocols import Writer
from inkseal.core.registry import Registry

writers: Registry[Writer] = Registry("inkseal.modalities.text.writers", "text_writer")
