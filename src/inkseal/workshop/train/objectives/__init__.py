"""What a network is trained for, one objective per file: batch → loss."""

from inkseal.core.protocols import Objective
from inkseal.core.registry import Registry

objectives: Registry[Objective] = Registry(__name__, "objective")
