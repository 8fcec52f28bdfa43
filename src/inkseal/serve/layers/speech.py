"""Speaks the language that a request asks for: Chinese or English, else the installation's."""

import re
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from inkseal.core.language import Language, use_language
from inkseal.serve.refuse import header

_RANGE = re.compile(r"\s*([A-Za-z*-]{1,20})\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$")
_MAX_CHARS = 500


def wanted(accept: str) -> Language | None:
    """Returns the language of an Accept-Language header, or None when neither is in it."""
    best: tuple[float, Language] | None = None
    for piece in accept[:_MAX_CHARS].split(","):
        match = _RANGE.match(piece)
        if match is None:
            continue
        name, weight = match[1].lower().split("-")[0], float(match[2] or 1)
        if weight and (best is None or weight > best[0]):
            if name == "zh":
                best = (weight, "zh")
            elif name == "en":
                best = (weight, "en")
    return best[1] if best else None


class Speech:
    """Sets the language for the task that answers the request.

    Args:
        fallback: returns the installation's language, which may be changed while the server runs.
    """

    def __init__(self, app: ASGIApp, fallback: Callable[[], Language]) -> None:
        self._app = app
        self._fallback = fallback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with use_language(wanted(header(scope, b"accept-language").decode("latin-1")) or self._fallback()):
            await self._app(scope, receive, send)
