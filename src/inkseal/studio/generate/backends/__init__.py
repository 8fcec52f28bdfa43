"""Code that runs models, one backend per file."""

from inkseal.core.protocols import Backend
from inkseal.core.registry import Registry

backends: Registry[Backend] = Registry(__name__, "backend")
