"""What computes a score of made things, one metric per file."""

from inkseal.core.protocols import Metric
from inkseal.core.registry import Registry

metrics: Registry[Metric] = Registry(__name__, "metric")
