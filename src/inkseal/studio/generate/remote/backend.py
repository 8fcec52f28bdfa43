"""What the backends of all remote services have in common: nothing of them lies on this machine."""

from typing import Any, ClassVar

from inkseal.core.config import ComponentConfig
from inkseal.core.protocols import LocalModel
from inkseal.studio.generate.remote.client import RemoteConfig
from inkseal.studio.generate.remote.fitting import fits_remote


class RemoteBackend:
    """The part of a `Backend` that no protocol decides; a protocol's own adds `load`."""

    name: ClassVar[str]
    tasks: ClassVar[frozenset[str]]
    config: ClassVar[type[ComponentConfig]] = RemoteConfig

    def __init__(self, config: ComponentConfig) -> None:
        assert isinstance(config, RemoteConfig)
        self._config = config

    def fits(self, model: LocalModel) -> str | None:
        """Returns None for models of providers of this kind."""
        return fits_remote(model, self.name, self.tasks)

    def forecast_bytes(self, model: LocalModel) -> int:
        """Returns 0: the weights are elsewhere."""
        return 0

    def facts(self) -> dict[str, Any]:
        """Returns nothing: what decides the results is at the provider's, and unknown here."""
        return {}
