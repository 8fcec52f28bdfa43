"""What an artifact is, one folder per modality."""

from inkseal.core.protocols import Modality
from inkseal.core.registry import Registry

modalities: Registry[Modality] = Registry(__name__, "modality")
