"""What is put on exports and found on them again, one kind of mark per file."""

from inkseal.core.protocols import Mark
from inkseal.core.registry import Registry

marks: Registry[Mark] = Registry(__name__, "mark")
