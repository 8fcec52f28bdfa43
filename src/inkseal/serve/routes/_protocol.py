"""What all compatible protocols share: closed bodies, and errors in the shape that a protocol's clients read.

Fields that nobody knows are refused everywhere, fields that are known but cannot be kept are refused with the reason,
and fields that change no answer are taken and have no effect (`NO_EFFECT` in each body's docstring).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Closed
from inkseal.serve.bridge import ClientLeft
from inkseal.serve.errors import Refusal, refusal_of


class FieldError(InvalidRequest):
    """One field of a body is off."""

    def __init__(self, what: str, *, param: str | None = None, code: str = "invalid_value", fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.param = param
        self._code = code

    @property
    def code(self) -> str:
        return self._code


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
                    raise PydanticCustomError("unsupported_parameter", message, {"param": name})
            return {name: value for name, value in given.items() if name not in cls.refused}
        return given


def told(http: Request, error: Exception) -> Refusal:
    """Returns what the client is told of an error after its answer has begun."""
    request_id = http.scope.get("state", {}).get("request_id", "")
    return refusal_of(error, request_id, (str(http.app.state.studio.settings.data_dir),))


class ProtocolRoute(APIRoute):
    """A route whose validation errors name their field and kind, as the protocols' clients know them."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Returns the handler."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except RequestValidationError as error:
                raise _field_error(error.errors()[0]) from None
            except ClientLeft:
                return Response(status_code=499)  # for the log; there is nobody to read it

        return handle


@contextmanager
def naming(param: str) -> Iterator[None]:
    """Turns what a core type refuses inside the block into an error of that field."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join([param, *(str(step) for step in first["loc"])])
        raise FieldError(f"{place}: {first['msg']}.", param=place) from None


def _field_error(first: Mapping[str, Any]) -> FieldError:
    kind = str(first["type"])
    if kind == "json_invalid":
        return FieldError(say("The body is not JSON.", "请求体不是 JSON。"), code="invalid_json")
    steps = [str(step) for step in first["loc"] if step != "body"]
    param = str(first.get("ctx", {}).get("param") or ".".join(steps))[:200]
    code = {
        "missing": "missing_required_parameter",
        "extra_forbidden": "unknown_parameter",
        "unsupported_parameter": "unsupported_parameter",
    }.get(kind, "invalid_value")
    message = f"{param}: {first['msg']}." if param else f"{first['msg']}."
    if code == "unknown_parameter":
        message = say(f"There is no field {param!r} here.", f"此处没有字段 {param!r}。")
    elif code == "unsupported_parameter":
        message = str(first["msg"])
    return FieldError(message[:600], param=param or None, code=code)
