"""Gives each request an id, counts and logs it, and turns what nobody caught into an answer that tells nothing."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkseal.core.types import new_id
from inkseal.serve.metrics import Metrics
from inkseal.serve.refuse import refuse, state, with_headers

log = logging.getLogger(__name__)


class Trace:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id()
        state(scope)["request_id"] = request_id
        begin, status = time.perf_counter(), 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = with_headers(message, {b"x-request-id": request_id.encode()})
            await send(message)

        try:
            with self._metrics.in_flight():
                await self._app(scope, receive, told)
        except Exception as error:
            if status:
                log.error("request %s broke off", request_id, exc_info=error)
                raise
            await refuse(scope, receive, told, error)
        finally:
            seconds = time.perf_counter() - begin
            route = getattr(scope.get("route"), "path", "-")
            self._metrics.request(route, scope["method"], status or 499, seconds)
            caller = getattr(state(scope).get("caller"), "key_id", "-")
            # The path as it came may hold anything; the log's formatter escapes it. The query is never logged.
            log.info(
                "%s %s %s -> %d in %.3f s, key %s", request_id, scope["method"], scope["path"], status, seconds, caller
            )
