"""What code works out for an app from its form, so that no model has to, one computation in a file."""

from inkseal.apps.contracts import Computation
from inkseal.core.registry import Registry

computations: Registry[Computation] = Registry(__name__, "app_computation")
