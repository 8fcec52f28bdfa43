"""What may go in and what may come out, one check per file."""

from inkseal.core.protocols import Check
from inkseal.core.registry import Registry

checks: Registry[Check] = Registry(__name__, "check")
