"""Answers only to its own names (against DNS rebinding), and to no web page but its own (cross-site requests)."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from inkseal.core.language import say
from inkseal.serve.config import ServeConfig
from inkseal.serve.errors import Refused
from inkseal.serve.refuse import header, refuse

LOCAL_NAMES = frozenset({"localhost", "localhost."})


class Origins:
    """Checks Host, Origin and Sec-Fetch-Site."""

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self._app = app
        self._names = LOCAL_NAMES | {config.host.lower()} | {name.lower() for name in config.hosts}
        self._origins = frozenset(origin.lower().rstrip("/") for origin in config.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._fault(scope) if scope["type"] == "http" else None
        if error is not None:
            await refuse(scope, receive, send, error)
        else:
            await self._app(scope, receive, send)

    def _fault(self, scope: Scope) -> Refused | None:
        host = header(scope, b"host").decode("latin-1").lower()
        if not self._is_own(host):
            return Refused(
                421,
                "wrong_host",
                say("The server is not called by this name.", "服务器不使用此主机名。"),
                fix=say(
                    "Add it to `hosts` in [serve] of settings.toml.", "请将其加入 settings.toml 中 [serve] 的 hosts。"
                ),
            )
        if not self._may_come(scope, host):
            return Refused(
                403,
                "wrong_origin",
                say("Pages of other origins may not call the server.", "其他来源的网页不得调用服务器。"),
            )
        return None

    def _is_own(self, host: str) -> bool:
        # A rebound name is always a name; nobody can make a browser believe in another owner of a bare address.
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return bool(host) and "@" not in host and (name in self._names or _is_address(name))

    def _may_come(self, scope: Scope, host: str) -> bool:
        origin = header(scope, b"origin").decode("latin-1").lower()
        if origin:
            return origin == f"{scope['scheme']}://{host}" or origin in self._origins
        if header(scope, b"sec-fetch-site") in (b"", b"same-origin", b"none"):
            return True
        # A link from elsewhere may be followed; nothing else may come from elsewhere.
        return header(scope, b"sec-fetch-mode") == b"navigate" and scope["method"] in ("GET", "HEAD")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
