"""What an app can do in a step, one kind in a file."""

from inkseal.apps.contracts import Step
from inkseal.core.registry import Registry

steps: Registry[Step] = Registry(__name__, "app_step")
