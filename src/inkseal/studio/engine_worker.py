"""What an engine's own process runs: `python -m inkseal.studio.engine_worker SOCKET PARENT`. Not for people."""

import os
import socket
import sys
from collections.abc import Mapping
from typing import Any

from inkseal.core.config import configure
from inkseal.core.errors import Unsupported
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, Engine, LocalModel
from inkseal.core.types import Request
from inkseal.formats.child import limit_memory
from inkseal.modalities import modalities
from inkseal.runtime.engine_host import serve, settle
from inkseal.studio.generate.backends import backends


def load(values: Mapping[str, Any], on_event: Listener, cancel: Cancel) -> Engine:
    """Loads the engine that `Engines` describes."""
    if values["memory_limit_bytes"] is not None:
        limit_memory(values["memory_limit_bytes"])
    kind = backends[values["backend"]]
    backend = kind(configure(kind.config, values["config"], f"backends.{kind.name}"), **values.get("given", {}))
    return backend.load(LocalModel.model_validate(values["model"]), values["threads"], on_event, cancel)


def read_request(modality: str, values: Mapping[str, Any]) -> Request:
    """Returns the request of the modality, checked anew.

    Raises:
        Unsupported: nothing here makes such artifacts.
    """
    if modality not in modalities:
        raise Unsupported(say(f"No engine here makes {modality!r}.", f"此处没有引擎能生成 {modality!r}。"))
    return modalities[modality].request.model_validate(values)


if __name__ == "__main__":
    handle, parent = map(int, sys.argv[1:3])
    settle(parent)
    os.set_inheritable(handle, False)
    serve(socket.socket(fileno=handle), load, read_request)
