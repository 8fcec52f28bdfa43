"""What all compatible protocols share: closed bodies, and errors in the shape that a protocol's clients read.

Fields that nobody knows are refused everywhere, fields that are known but cannot be kept are refused with the reason,
and fields that change no answer are taken and have no effect (`NO_EFFECT` in each body's docstring).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from inkseal.core import errors
from inkseal.core.errors import InksealError, InvalidRequest
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.core.types import Closed
from inkseal.serve.bridge import ClientLeft

_STATUS: dict[type[InksealError], int] = {
    errors.UnknownName: 404,
    errors.ModelMissing: 404,
    ClientLeft: 499,
    errors.Cancelled: 504,
    errors.InvalidRequest: 400,
    errors.Blocked: 400,
    errors.MissingDependency: 501,
    errors.NotEnoughSpace: 507,
    errors.ResourceError: 503,
}


class FieldError(InvalidRequest):
    """One field of a body is off."""

    def __init__(self, what: str, *, param: str | None = None, code: str = "invalid_value", fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.param = param
        self._code = code

    @property
    def code(self) -> str:
        return self._code


class Failure(NamedTuple):
    """An error as every protocol sees it, before it takes the protocol's shape."""

    status: int
    message: str
    code: str
    param: str | None = None
    headers: Mapping[str, str] = {}


class Wire(Closed):
    """Base of request bodies: unknown fields are errors, and fields in `refused` are errors with a reason."""

    refused: ClassVar[Mapping[str, tuple[str, str]]] = {}

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for name, reason in cls.refused.items():
                if given.get(name) not in (None, False, [], {}):
                    message = f"{name}: {say(*reason)}"
                    raise PydanticCustomError("unsupported_parameter", message, {"param": name})  # type: ignore[arg-type]
            return {name: value for name, value in given.items() if name not in cls.refused}
        return given


def failure_of(error: Exception) -> Failure:
    """Returns what is to be said of an error."""
    if isinstance(error, RequestValidationError):
        return _validation_failure(error.errors()[0])
    if isinstance(error, HTTPException):
        return Failure(error.status_code, str(error.detail), "http_error", headers=error.headers or {})
    assert isinstance(error, InksealError)
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    status = int(getattr(error, "status", status))
    code = error.code
    if isinstance(error, errors.ContextTooLong):
        code = "context_length_exceeded"
    elif isinstance(error, errors.Blocked):
        code = "content_filter"
    elif isinstance(error, errors.Unsupported):
        code = "unsupported_parameter" if code == "unsupported" else code
    return Failure(status, str(error), code, getattr(error, "param", None), getattr(error, "headers", None) or {})


def route_class(render: Callable[[Failure], JSONResponse]) -> type[APIRoute]:
    """Returns a kind of route whose errors, also those of validation, are rendered by `render`."""

    class ProtocolRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
            inner = super().get_route_handler()

            async def handle(request: Request) -> Response:
                with use_language(language_of(request)):
                    try:
                        return await inner(request)
                    except (InksealError, RequestValidationError, HTTPException) as error:
                        return render(failure_of(error))

            return handle

    return ProtocolRoute


def language_of(request: Request) -> Language:
    """Returns the language that the client prefers; the installation's when it does not say."""
    wanted = request.headers.get("accept-language", "").strip().lower()
    if wanted.startswith("zh"):
        return "zh"
    return "en" if wanted.startswith("en") else current_language()


@contextmanager
def naming(param: str) -> Iterator[None]:
    """Turns what a core type refuses inside the block into an error of that field."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join([param, *(str(step) for step in first["loc"])])
        raise FieldError(f"{place}: {first['msg']}.", param=place) from None


def _validation_failure(first: Mapping[str, Any]) -> Failure:
    kind = str(first["type"])
    if kind == "json_invalid":
        return Failure(400, say("The body is not JSON.", "请求体不是 JSON。"), "invalid_json")
    steps = [str(step) for step in first["loc"] if step != "body"]
    param = str(first.get("ctx", {}).get("param") or ".".join(steps)) or None
    code = {
        "missing": "missing_required_parameter",
        "extra_forbidden": "unknown_parameter",
        "unsupported_parameter": "unsupported_parameter",
    }.get(kind, "invalid_value")
    if code == "unknown_parameter":
        message = say(f"There is no field {param[:120]!r} here.", f"此处没有字段 {param[:120]!r}。") if param else ""
    elif code == "unsupported_parameter":
        message = str(first["msg"])
    else:
        message = f"{param}: {first['msg']}." if param else f"{first['msg']}."
    return Failure(400, message[:600], code, param[:200] if param else None)
