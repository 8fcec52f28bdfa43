"""Models of remote services as models of this installation: named `PROVIDER/model`, without files or hash."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from inkseal.catalog.names import check_name
from inkseal.core.config import Provider
from inkseal.core.language import say
from inkseal.core.protocols import LocalModel, Remote
from inkseal.runtime.addresses import Allowed, is_public, literal


def remote_models(providers: Mapping[str, Provider], allow: Sequence[str] = ()) -> dict[str, LocalModel]:
    """Returns every model that the settings name, by `PROVIDER/model`. No connection is made.

    Args:
        providers: the settings' own.
        allow: what may be reached besides the open internet, as in `[fetch] allow`.

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
                remote=Remote(provider=name, model=model, settings=settings, allow=tuple(allow)),
            )
    return found


def is_near(provider: Provider, allow: Sequence[str] = ()) -> bool:
    """True for a service that may be asked offline: on this machine or in a closed network, and allowed.

    Its address must be a number or `localhost`: to look any other name up is to ask the network.
    """
    parts = urlsplit(provider.base_url)
    host = (parts.hostname or "").lower()
    address = literal(host)
    if host != "localhost" and (address is None or is_public(address)):
        return False
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return provider.allow_private or any(Allowed.parse(entry).covers(host, address, port) for entry in allow)


def remote_facts(model: LocalModel) -> dict[str, Any]:
    """Returns what may be told of a provider's model; its address and key are nobody else's business."""
    return {
        "name": model.name,
        "provider": model.remote.provider if model.remote else None,
        "task": model.task,
        "context_tokens": model.context_tokens,
        "licence": model.licence,
        "sha256": None,
    }
