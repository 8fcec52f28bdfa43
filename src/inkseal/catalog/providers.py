"""Models of remote services as models of this installation: named `PROVIDER/model`, without files or hash."""

from collections.abc import Mapping
from pathlib import Path

from inkseal.catalog.names import check_name
from inkseal.core.config import Provider
from inkseal.core.language import say
from inkseal.core.protocols import LocalModel, Remote


def remote_models(providers: Mapping[str, Provider]) -> dict[str, LocalModel]:
    """Returns every model that the settings name, by `PROVIDER/model`. No connection is made.

    Raises:
        InvalidRequest: nothing can be called as a provider is.
    """
    found = {}
    for name, settings in providers.items():
        check_name(name)
        for model, facts in settings.models.items():
            found[f"{name}/{model}"] = LocalModel(
                name=f"{name}/{model}",
                task=facts.task,
                folder=Path(),
                files={},
                format=settings.kind,
                context_tokens=facts.context_tokens,
                licence=facts.licence or say(f"terms of {name}", f"{name} 的条款"),
                sha256="",
                remote=Remote(provider=name, model=model, settings=settings),
            )
    return found
