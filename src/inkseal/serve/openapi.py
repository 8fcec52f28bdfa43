"""The OpenAPI document, made to tell the truth: every error a route can answer, and how a caller is known."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from inkseal.core.types import Closed
from inkseal.serve.routes.health import OPEN
from inkseal.serve.sessions import COOKIE


class ErrorFacts(Closed):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorBody(Closed):
    """The body of every error of the native routes."""

    error: ErrorFacts


TEXTS = {
    400: "The request is off.",
    401: "No valid key.",
    403: "The key, or the origin, may not.",
    404: "Nothing here by that name, for this key.",
    405: "Not this method.",
    408: "The request came too slowly.",
    409: "The Idempotency-Key was used for another request.",
    410: "It was here, and its content was deleted.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is of a kind that is not read.",
    421: "The server is not called by this name.",
    429: "Too much at once, or a quota is used up; see Retry-After.",
    431: "The headers are too large.",
    500: "A fault of the server.",
    503: "The server is closing, or has not the memory.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": text} for status, text in TEXTS.items()
}
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}


def document(app: FastAPI) -> dict[str, Any]:
    """Returns the OpenAPI document, made once."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        found.setdefault("components", {})["securitySchemes"] = SCHEMES
        found["security"] = [{name: []} for name in SCHEMES]
        for path, operations in found["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)  # what fields are off is said with 400
                if path in OPEN:
                    operation["security"] = []
        for unused in ("HTTPValidationError", "ValidationError"):
            found["components"].get("schemas", {}).pop(unused, None)
        app.openapi_schema = found
    return app.openapi_schema
