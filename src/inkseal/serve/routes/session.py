"""A browser gives its key once and gets a cookie that no script can read; there are no passwords."""

from datetime import datetime

from fastapi import APIRouter, Request, Response

from inkseal.core.types import Closed
from inkseal.serve import audit, sessions
from inkseal.serve.callers import LOCAL, AnyCaller, Role, no_key
from inkseal.serve.layers.keys import session_token

router = APIRouter(prefix="/api/v1/session", tags=["session"])


class Session(Closed):
    """Who is asking, and until when without the key."""

    key_id: str
    name: str
    role: Role
    expires_at: datetime | None = None


@router.post("", summary="Exchange a key for a session cookie")
def begin(request: Request, response: Response, caller: AnyCaller) -> Session:
    who = Session(key_id=caller.key_id, name=caller.name, role=caller.role)
    if caller == LOCAL:
        return who  # nobody has a key yet, so there is nothing to exchange
    if getattr(request.state, "by_session", False):
        raise no_key()  # a session must not prolong itself
    state = request.app.state
    token, ends = sessions.begin(state.studio.store, caller.key_id, state.settings.session_seconds)
    audit.note(state.studio.store, caller.key_id, "session_begun", request_id=request.state.request_id)
    response.set_cookie(
        sessions.COOKIE,
        token,
        max_age=state.settings.session_seconds,
        httponly=True,
        samesite="strict",
        # Behind a proxy the browser's own word tells that it came over TLS.
        secure=request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://"),
        path="/",
    )
    return who.model_copy(update={"expires_at": ends})


@router.get("", summary="Who is asking")
def show(caller: AnyCaller) -> Session:
    return Session(key_id=caller.key_id, name=caller.name, role=caller.role)


@router.delete("", summary="End the session", status_code=204)
def end(request: Request, response: Response, caller: AnyCaller) -> None:
    store = request.app.state.studio.store
    sessions.end(store, session_token(request.scope))
    response.delete_cookie(sessions.COOKIE, path="/", httponly=True, samesite="strict")
