"""Which backend speaks with which provider."""

from inkseal.core.errors import Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import LocalModel, Remote


def fits_remote(model: LocalModel, kind: str, tasks: frozenset[str]) -> str | None:
    """Returns None when the model is of a provider of this kind, else the reason why not."""
    if model.remote is None or model.remote.settings.kind != kind:
        return say(f"It is for models of providers of the kind {kind!r}.", f"只用于类型为 {kind!r} 的服务商模型。")
    if model.task not in tasks:
        return say(f"This protocol does not {model.task}.", f"该协议不支持 {model.task}。")
    return None


def remote_of(model: LocalModel) -> Remote:
    """Returns where the model is.

    Raises:
        Unsupported: it is on this machine.
    """
    if model.remote is None:
        raise Unsupported(say(f"{model.name!r} is no provider's model.", f"{model.name!r} 不是服务商的模型。"))
    return model.remote
