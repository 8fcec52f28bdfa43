"""Ways to follow a velocity from noise to data, one per file. They only add and multiply, so any array will do."""

from inkseal.core.protocols import Solver
from inkseal.core.registry import Registry

solvers: Registry[Solver] = Registry(__name__, "solver")
