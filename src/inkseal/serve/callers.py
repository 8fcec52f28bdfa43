"""Who is calling: found once by the layer that asks for keys, and handed to every route."""

from typing import Annotated, Literal

from fastapi import Depends, Request
from pydantic import Field

from inkseal.core.language import say
from inkseal.core.types import Closed
from inkseal.serve.errors import Refused

Role = Literal["admin", "creator", "viewer"]
RANK: dict[Role, int] = {"viewer": 0, "creator": 1, "admin": 2}


class Limits(Closed):
    """What a key may use up; None: as much as there is."""

    requests_per_minute: int | None = Field(
        None, ge=1, le=10**9, description="Requests a minute.", json_schema_extra={"zh": "每分钟请求数。"}
    )
    tokens_per_day: int | None = Field(
        None, ge=0, le=10**12, description="Tokens a day (UTC).", json_schema_extra={"zh": "每天词元数（UTC）。"}
    )
    max_running: int | None = Field(
        None, ge=1, le=10**6, description="Generations at once.", json_schema_extra={"zh": "同时生成数。"}
    )


class Caller(Closed):
    """The holder of a key, or the local admin while there is no key.

    Attributes:
        key_id: the key's public id; "local" for the local admin.
        owner: under whose id things are kept: several keys of one person share it.
    """

    key_id: str
    name: str
    role: Role
    owner: str
    limits: Limits = Limits()

    @property
    def sees(self) -> str | None:
        """The owner whose things exist for this caller; None: all do."""
        return None if self.role == "admin" else self.owner

    def may_see(self, owner: str) -> bool:
        """True when things of `owner` exist for this caller."""
        return self.sees in (None, owner)

    def require(self, role: Role) -> None:
        """Refuses a caller of a lower role.

        Raises:
            Refused: with 403.
        """
        if RANK[self.role] < RANK[role]:
            raise Refused(
                403,
                "role_too_low",
                say(f"This needs a key of the role {role!r}.", f"此操作需要角色为 {role!r} 的密钥。"),
            )


LOCAL = Caller(key_id="local", name="local", role="admin", owner="")


def current_caller(request: Request) -> Caller:
    """Returns who is calling; a dependency of routes.

    Raises:
        Refused: the request did not pass the layer that asks for keys, so nobody is known.
    """
    caller = request.scope.get("state", {}).get("caller")
    if not isinstance(caller, Caller):
        raise no_key()
    return caller


def no_key() -> Refused:
    """Returns the refusal of a request without a valid key."""
    return Refused(
        401,
        "invalid_api_key",
        say("There is no valid key with this request.", "请求没有有效的密钥。"),
        fix=say(
            "Send it as `Authorization: Bearer KEY` or `X-Api-Key: KEY`.",
            "请以 `Authorization: Bearer 密钥` 或 `X-Api-Key: 密钥` 发送。",
        ),
    )


def creator(request: Request) -> Caller:
    """Returns the caller, who may make things."""
    caller = current_caller(request)
    caller.require("creator")
    return caller


def admin(request: Request) -> Caller:
    """Returns the caller, who may see and do everything."""
    caller = current_caller(request)
    caller.require("admin")
    return caller


AnyCaller = Annotated[Caller, Depends(current_caller)]
Creator = Annotated[Caller, Depends(creator)]
Admin = Annotated[Caller, Depends(admin)]
