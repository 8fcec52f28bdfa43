"""Whose things a request may be made from."""

from inkseal.core.types import Request
from inkseal.serve.callers import Caller
from inkseal.store import artifacts
from inkseal.studio.studio import Studio


def check_inputs(studio: Studio, request: Request, caller: Caller) -> None:
    """Refuses a request that names somebody else's artifact as a parent or as a part of a message.

    Raises:
        UnknownName: for this caller there is no such artifact.
    """
    named = {*request.parents, *(part.artifact for message in request.messages for part in message.parts)} - {None}
    if not named:
        return
    with studio.store.reading() as session:
        for artifact_id in named:
            artifacts.row(session, str(artifact_id), owner=caller.sees)
