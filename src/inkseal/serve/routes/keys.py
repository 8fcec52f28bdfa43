"""Who may use the installation, and how much: what `inkseal keys` does, for admins at a browser."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from inkseal.core.language import say
from inkseal.core.types import Closed, now
from inkseal.serve import keys
from inkseal.serve.callers import LOCAL, Admin, Limits, Role
from inkseal.serve.errors import Refused
from inkseal.serve.keys import Key
from inkseal.store import runs

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])
Id = Annotated[str, Path(pattern=r"^[0-9a-z]{10}$", description="The key's public id.")]


class KeyFacts(Key):
    """A key, and what its owner's runs took since midnight UTC. Its secret is nowhere."""

    tokens_today: int = 0
    is_own: bool = False


class NewKey(Closed):
    """A key to be made."""

    name: str = Field(
        min_length=1, max_length=80, description="Whose it is, or what for.", json_schema_extra={"zh": "归属或用途。"}
    )
    role: Role = Field("creator", description="What it may do.", json_schema_extra={"zh": "权限。"})
    same_person_as: str = Field(
        "",
        pattern=r"^([0-9a-z]{10})?$",
        description="The key whose results this one shares.",
        json_schema_extra={"zh": "与该密钥共享作品。"},
    )
    limits: Limits = Limits()


class MadeKey(Closed):
    """A key that was made. `secret` is told this once and kept nowhere."""

    key: Key
    secret: str


@router.get("", summary="List the keys, also revoked ones")
def list_keys(request: Request, caller: Admin) -> tuple[KeyFacts, ...]:
    store = request.app.state.studio.store
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    with store.reading() as session:
        taken = runs.tokens_since(session, midnight)
    return tuple(
        KeyFacts(**dict(key), tokens_today=taken.get(key.owner, 0), is_own=key.id == caller.key_id)
        for key in keys.listed(store)
    )


@router.post("", summary="Make a key; its secret is told this once", status_code=201)
def create(asked: NewKey, request: Request, caller: Admin) -> MadeKey:
    store = request.app.state.studio.store
    if caller == LOCAL and asked.role != "admin":
        raise Refused(
            409,
            "first_key_not_admin",
            say("The first key must be an admin's.", "第一个密钥必须是管理员密钥。"),
            fix=say(
                "From then on every request needs a key, and only an admin's can make others.",
                "此后每个请求都需要密钥，而只有管理员密钥能创建其他密钥。",
            ),
            param="role",
        )
    key, secret = keys.create(
        store, asked.name, asked.role, same_person_as=asked.same_person_as, limits=asked.limits, by=caller.key_id
    )
    return MadeKey(key=key, secret=secret)


@router.put("/{key_id}/limits", summary="Set what a key may use up, all limits anew")
def limit(key_id: Id, limits: Limits, request: Request, caller: Admin) -> Key:
    return keys.limit(request.app.state.studio.store, key_id, limits, by=caller.key_id)


@router.delete("/{key_id}", summary="End a key and its sessions, at once and for good")
def revoke(key_id: Id, request: Request, caller: Admin) -> Key:
    return keys.revoke(request.app.state.studio.store, key_id, by=caller.key_id, keep_an_admin=True)
