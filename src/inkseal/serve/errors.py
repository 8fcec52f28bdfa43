"""From an error to what a caller is told: status, type, code and words; never a path, a trace or a key."""

import logging
from dataclasses import dataclass, field
from typing import Any

from inkseal.core import errors
from inkseal.core.errors import InksealError
from inkseal.core.language import say

log = logging.getLogger(__name__)

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "conflict_error",
    410: "not_found_error",
    413: "request_too_large",
    414: "request_too_large",
    415: "invalid_request_error",
    421: "permission_error",
    429: "rate_limit_error",
    431: "request_too_large",
    501: "not_supported_error",
    502: "server_error",
    500: "server_error",
    503: "overloaded_error",
    504: "timeout_error",
    507: "server_error",
}
STATUS: dict[type[InksealError], int] = {
    errors.InvalidRequest: 400,
    errors.Blocked: 400,
    errors.AnswerRefused: 400,
    errors.Deleted: 410,
    errors.ModelMissing: 404,
    errors.FetchFailed: 502,
    errors.NotEnoughMemory: 503,
    errors.NotEnoughSpace: 507,
    errors.InUse: 503,
    errors.EngineFailed: 500,
    errors.Cancelled: 504,
    errors.MissingDependency: 501,
}
"""By class; a subclass has its parent's, and what is not here is 500."""

NOT_FOUND_KINDS = frozenset({"app", "artifact", "collection", "conversation", "key", "model", "run", "task"})
CODES = {
    "context_too_long": "context_length_exceeded",
    "blocked": "content_blocked",
    "model_missing": "model_not_found",
}


class Refused(InksealError):
    """A request that the server itself turns away.

    Args:
        status: the HTTP status.
        code: the stable name for programs.
        param: the field that is off.
        retry_after_seconds: when to come again.
        accepts: the codings of bodies that are read, where another one came.
    """

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        *,
        fix: str = "",
        param: str | None = None,
        retry_after_seconds: int = 0,
        accepts: str = "",
    ) -> None:
        super().__init__(what, fix=fix)
        self.accepts = accepts
        self.status = status
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self._code = code

    @property
    def code(self) -> str:
        return self._code

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says beside its body."""
        found = {"Retry-After": str(self.retry_after_seconds)} if self.retry_after_seconds else {}
        found |= {"Accept-Encoding": self.accepts} if self.accepts else {}
        return found | ({"WWW-Authenticate": "Bearer"} if self.status == 401 else {})


class Busy(Refused):
    """There is no place now; come again after `retry_after_seconds`."""

    def __init__(self, code: str, what: str, retry_after_seconds: int, *, status: int = 429) -> None:
        super().__init__(status, code, what, retry_after_seconds=max(1, retry_after_seconds))


@dataclass(frozen=True)
class Refusal:
    """What a caller is told of an error; a route group's `error_shape(request, refusal)` puts it into its own words."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def refusal_of(error: BaseException, request_id: str = "", secrets: tuple[str, ...] = ()) -> Refusal:
    """Returns what the caller is told; of our own faults no more than an id to ask with.

    Args:
        error: what was raised.
        request_id: stands in the log beside the error.
        secrets: texts, such as the data folder's path, that must not leave.
    """
    if not isinstance(error, InksealError):
        return _ours(500, "internal_error", request_id)
    status = status_of(error)
    code = code_of(error, status)
    if status in (500, 502, 507) or (status == 503 and not isinstance(error, Refused | errors.NotEnoughMemory)):
        return _ours(status, code, request_id)
    headers = error.headers if isinstance(error, Refused) else {}
    kind = "model" if code == "model_not_found" else None
    return Refusal(
        status, TYPES[status], code, without(str(error), secrets), getattr(error, "param", None) or kind, headers
    )


def without(message: str, secrets: tuple[str, ...]) -> str:
    """Returns a message without texts that must not leave."""
    for secret in secrets:
        message = message.replace(secret, "…")
    return message


def status_of(error: InksealError) -> int:
    """Returns the HTTP status of an error."""
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, errors.UnknownName) and error.kind in NOT_FOUND_KINDS:
        return 404
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def code_of(error: InksealError, status: int) -> str:
    """Returns the error's stable name, by the word that clients of this field know where there is one."""
    if isinstance(error, errors.UnknownName) and status == 404:
        return f"{error.kind}_not_found"
    return CODES.get(error.code, error.code)


def native_shape(request: Any, refusal: Refusal) -> dict[str, Any]:
    """Returns the error body of routes that follow no other protocol."""
    return {
        "error": {
            "message": refusal.message,
            "type": refusal.type,
            "param": refusal.param,
            "code": refusal.code,
        }
    }


def _ours(status: int, code: str, request_id: str) -> Refusal:
    message = say(
        f"The server could not do this. Ask its keeper, with the request id {request_id or '-'}.",
        f"服务器未能完成此请求。请凭请求编号 {request_id or '-'} 询问管理员。",
    )
    return Refusal(status, TYPES.get(status, "server_error"), code, message)
