"""Asks every request for its key, save those few paths that tell nothing; what is not named here is closed."""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from inkseal.core.errors import InksealError
from inkseal.core.language import say
from inkseal.serve.callers import LOCAL, Caller, no_key
from inkseal.serve.errors import Refused
from inkseal.serve.guesses import Guesses
from inkseal.serve.keyring import Keyring
from inkseal.serve.quotas import RequestRate
from inkseal.serve.refuse import header, refuse, state
from inkseal.serve.sessions import COOKIE

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Keys:
    """Finds the caller and counts the request.

    Args:
        loopback: only programs of this machine reach the server; then nobody needs a key until there is one.
        open_paths: what is answered to anybody.
    """

    def __init__(self, app: ASGIApp, keyring: Keyring, loopback: bool, open_paths: frozenset[str]) -> None:
        self._app = app
        self._keyring = keyring
        self._loopback = loopback
        self._open = open_paths
        self._rate = RequestRate()
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._open:
            await self._app(scope, receive, send)
            return
        try:
            caller = self._caller(scope)
            state(scope)["caller"] = caller
            self._rate.take(caller)
        except InksealError as error:
            await refuse(scope, receive, send, error)
            return
        await self._app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller:
        _refuse_key_in_query(scope)
        if self._loopback and not self._keyring.any():
            return LOCAL
        given = _given(scope)
        caller = self._of_key(scope, given) if given else self._of_session(scope)
        if caller is None:
            raise no_key()
        return caller

    def _of_key(self, scope: Scope, given: str) -> Caller | None:
        caller = self._keyring.caller_of_key(given)
        address = (scope.get("client") or ("",))[0]
        self._guesses.take(address, caller.key_id if caller else None)
        return caller

    def _of_session(self, scope: Scope) -> Caller | None:
        state(scope)["by_session"] = True
        token = session_token(scope)
        caller = self._keyring.caller_of_session(token) if token else None
        # The layer before has compared Origin with Host; here one must be there at all.
        from_page = header(scope, b"origin") or header(scope, b"sec-fetch-site") == b"same-origin"
        if caller is not None and scope["method"] not in SAFE and not from_page:
            raise Refused(
                403,
                "origin_missing",
                say("A request with a session needs an Origin.", "使用会话的请求必须带有 Origin 请求头。"),
            )
        return caller


def session_token(scope: Scope) -> str:
    """Returns the session cookie of a request, or nothing."""
    try:
        cookies = SimpleCookie(header(scope, b"cookie").decode("latin-1"))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _given(scope: Scope) -> str:
    scheme, _, text = header(scope, b"authorization").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    return header(scope, b"x-api-key").decode("latin-1").strip()


def _refuse_key_in_query(scope: Scope) -> None:
    # Addresses end up in histories and in the logs of others.
    names = {name.lower() for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)}
    if names & {"key", "api_key", "api-key", "apikey", "access_token", "token"}:
        raise Refused(
            400,
            "key_in_address",
            say("A key does not belong into an address.", "密钥不应出现在地址中。"),
            fix=say("Send it as a header, and revoke this one.", "请改用请求头发送，并吊销该密钥。"),
        )
