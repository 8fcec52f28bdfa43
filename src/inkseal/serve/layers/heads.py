"""Turns away requests whose head is too big, or says two things at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from inkseal.core.language import say
from inkseal.serve.errors import Refused
from inkseal.serve.refuse import closing, refuse

MAX_TARGET_BYTES = 8192
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32768


class Heads:
    """Looks at the request line and the headers, before anything is done with them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = _fault(scope) if scope["type"] == "http" else None
        if error is not None:
            # Where a head can be read in two ways, what follows it may be its body or another request.
            await refuse(scope, receive, closing(send), error)
        else:
            await self._app(scope, receive, send)


def _fault(scope: Scope) -> Refused | None:
    headers = scope["headers"]
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > MAX_TARGET_BYTES:
        return Refused(414, "uri_too_long", say("The address is too long.", "请求地址过长。"))
    if len(headers) > MAX_HEADERS or sum(len(key) + len(value) for key, value in headers) > MAX_HEADER_BYTES:
        return Refused(431, "headers_too_large", say("The headers are too large.", "请求头过大。"))
    names = [key for key, _ in headers]
    # Two readers of such a request would see two different ones; that is how requests are smuggled.
    if (b"transfer-encoding" in names and b"content-length" in names) or names.count(b"host") > 1:
        return Refused(400, "ambiguous_request", say("The headers contradict each other.", "请求头自相矛盾。"))
    return None
