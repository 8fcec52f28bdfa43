"""Tells browsers what an answer may do: nothing, unless its route says otherwise."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkseal.serve.refuse import with_headers

HEADERS = {
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Policy:
    """Adds the headers that a response does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            await send(with_headers(message, HEADERS) if message["type"] == "http.response.start" else message)

        await self._app(scope, receive, told)
