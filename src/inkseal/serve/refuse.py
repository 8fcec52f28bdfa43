"""Lets a layer answer an error itself, in the shape of the route group that the path belongs to."""

from typing import Any

from starlette.types import Message, Receive, Scope, Send


async def refuse(scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
    """Answers a request with an error."""
    from fastapi import Request

    from inkseal.serve.app import answer_error

    response = await answer_error(Request(scope), error)
    await response(scope, receive, send)


def closing(send: Send) -> Send:
    """Returns a `send` that ends the connection with the response: what else came over it is not to be believed."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        await send(message)

    return told


def header(scope: Scope, name: bytes) -> bytes:
    """Returns the first header of the name (lower case), or nothing."""
    return next((value for key, value in scope["headers"] if key == name), b"")


def state(scope: Scope) -> dict[str, Any]:
    """Returns what layers and routes tell one another of a request."""
    found: dict[str, Any] = scope.setdefault("state", {})
    return found


def with_headers(message: Message, headers: dict[bytes, bytes], *, replace: bool = False) -> Message:
    """Returns the start of a response with headers added that it does not have yet, or has otherwise."""
    own = message.get("headers", [])
    have = {key.lower() for key, _ in own}
    if replace:
        own = [(key, value) for key, value in own if key.lower() not in headers]
        have = set()
    return {**message, "headers": [*own, *((key, value) for key, value in headers.items() if key not in have)]}
