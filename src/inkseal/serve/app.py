"""Builds the web application: state, route groups, layers, and one way to answer errors."""

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from inkseal.core.errors import InksealError
from inkseal.core.language import current_language, say
from inkseal.serve.app_runs import AppRuns
from inkseal.serve.backup_work import clear
from inkseal.serve.begun import Begun
from inkseal.serve.callers import Caller
from inkseal.serve.config import ServeConfig
from inkseal.serve.conversations import Conversations
from inkseal.serve.errors import TYPES, Refusal, native_shape, refusal_of
from inkseal.serve.feeds import Feeds
from inkseal.serve.keyring import Keyring
from inkseal.serve.layers.body import Body
from inkseal.serve.layers.heads import Heads
from inkseal.serve.layers.keys import Keys
from inkseal.serve.layers.once import Once
from inkseal.serve.layers.origins import Origins
from inkseal.serve.layers.policy import Policy
from inkseal.serve.layers.speech import Speech
from inkseal.serve.layers.trace import Trace
from inkseal.serve.metrics import Metrics
from inkseal.serve.openapi import ERRORS, document
from inkseal.serve.pace import Pace
from inkseal.serve.queue import JobQueue
from inkseal.serve.quotas import check_running, check_tokens
from inkseal.serve.routes import Group, groups
from inkseal.serve.tasks import Tasks

if TYPE_CHECKING:
    from inkseal.studio.studio import Studio

log = logging.getLogger(__name__)


def create_app(studio: "Studio", settings: ServeConfig | None = None) -> FastAPI:
    """Returns the application that serves a studio.

    Args:
        studio: an open studio; the caller closes it.
        settings: limits and addresses; the defaults when absent.
    """
    config = settings or ServeConfig()
    keyring = Keyring(studio.store, config.session_seconds)
    app = FastAPI(
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        title="Inkseal",
        version="1",
        description="A studio whose every result is checked, labelled, signed and traceable.",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.studio = studio
    app.state.settings = config
    app.state.keyring = keyring
    app.state.queue = JobQueue(
        config.max_running,
        config.max_waiting,
        config.max_waiting_per_key,
        lambda caller: _check_quotas(app, caller),
    )
    app.state.metrics = Metrics(app.state.queue)
    if not studio.store.read_only:
        clear(studio.settings.data_dir)
    app.state.groups = list(groups())
    app.state.conversations = Conversations(studio.store)
    hidden = (str(studio.settings.data_dir),)
    app.state.feeds = Feeds(app.state.metrics, config.max_streams_per_key, hidden)
    app.state.pace = Pace()
    app.state.tasks = Tasks(hidden)
    studio.watchers += [app.state.feeds.take, app.state.pace.take]
    app.state.begun = Begun(studio, app.state.queue, app.state.feeds)
    app.state.app_runs = AppRuns(studio, app.state.queue, hidden)
    for group in app.state.groups:
        own = "4XX" in group.router.responses  # a protocol of its own shape declares its errors itself
        app.include_router(group.router, responses={} if own else ERRORS)
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    app.add_exception_handler(InksealError, answer_error)
    app.add_exception_handler(HTTPException, answer_error)
    app.add_exception_handler(RequestValidationError, answer_error)
    _add_layers(app, config)
    return app


def _add_layers(app: FastAPI, config: ServeConfig) -> None:
    """Adds the layers, the innermost first."""
    uploads = frozenset(path for group in app.state.groups for path in group.uploads)
    open_paths = frozenset(path for group in app.state.groups for path in group.open)
    app.add_middleware(Once, store=app.state.studio.store)
    app.add_middleware(Body, config=config, uploads=uploads)
    app.add_middleware(Keys, keyring=app.state.keyring, config=config, open_paths=open_paths)
    app.add_middleware(Origins, config=config)
    app.add_middleware(Heads)
    app.add_middleware(Policy)
    app.add_middleware(Trace, metrics=app.state.metrics)
    app.add_middleware(Speech, fallback=lambda: app.state.studio.settings.language or current_language())


def _check_quotas(app: FastAPI, caller: Caller) -> None:
    check_running(caller, app.state.queue.running_of(caller.key_id))
    check_tokens(app.state.keyring, caller)


async def answer_error(request: Request, error: Exception) -> JSONResponse:
    """Answers an error in the shape of the route group whose path was called."""
    return render(request, _refusal(request, error))


def render(request: Request, refusal: Refusal) -> JSONResponse:
    """Returns a refusal as a response in the shape of the route group that the path belongs to."""
    group = group_of(request.app, request.scope)
    shape = group.shape if group else native_shape
    return JSONResponse(shape(request, refusal), status_code=refusal.status, headers=refusal.headers)


def group_of(app: FastAPI, scope: Any) -> Group | None:
    """Returns the route group that a path belongs to, whatever the method."""
    for group in app.state.groups:
        if any(route.matches(scope)[0] is not Match.NONE for route in group.router.routes):
            found: Group = group
            return found
    return None


def _refusal(request: Request, error: Exception) -> Refusal:
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
        text = {404: say("There is nothing here.", "此处没有内容。"), 405: say("Not this method.", "不支持该方法。")}
        message = text.get(error.status_code, str(error.detail))
        headers = dict(error.headers or {})
        return Refusal(error.status_code, TYPES.get(error.status_code, "server_error"), code, message, None, headers)
    request_id = request.scope.get("state", {}).get("request_id", "")
    refusal = refusal_of(error, request_id, (str(request.app.state.studio.settings.data_dir),))
    if refusal.status >= 500:
        log.error("request %s failed", request_id, exc_info=error)
    return refusal


def _invalid(error: RequestValidationError) -> Refusal:
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"] if step not in ("body", "query", "path"))[:200]
    message = f"{where}: {first['msg']}" if where else str(first["msg"])
    return Refusal(400, TYPES[400], "invalid_request", message[:500], where or None)
