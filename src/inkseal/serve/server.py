"""Runs the application on an address, and closes it in order: no new work, what runs may end, then out."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI

from inkseal.core.errors import InksealError, InvalidRequest
from inkseal.core.language import say
from inkseal.serve.backup_work import clear
from inkseal.serve.config import ServeConfig
from inkseal.serve.protocol import HEAD_BYTES, Protocol
from inkseal.store.kept import sweep
from inkseal.store.store import Store

log = logging.getLogger(__name__)
SIGNALS = (signal.SIGINT, signal.SIGTERM)
QUEUED = 2048
ACCEPTED_AT_ONCE = 8
"""Out of files, asyncio goes on accepting this often at each turn, and sets a timer each time: few, or it drowns."""
FILES_FOR_WORK = 20
TICKS_A_SECOND = 10
"""Of uvicorn's main loop."""
EXIT_FORCED = 128 + signal.SIGTERM


class Server(uvicorn.Server):
    """Answers health checks and what is running until that is done, or the time of grace is over."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._state = app.state
        self._own_files = _num_files()
        self._deadline: float | None = None

    def spare_files(self) -> int:
        """Returns how many connections leave the process enough files to work with."""
        limit = _file_limit()
        return max(4, limit - self._own_files - FILES_FOR_WORK - 2 * ACCEPTED_AT_ONCE) if limit else QUEUED

    def handle_exit(self, sig: int, frame: Any) -> None:
        """The first signal closes in order, the second at once."""
        if self._deadline is not None:
            os._exit(EXIT_FORCED)
        self._deadline = time.monotonic() + self._state.settings.grace_seconds
        # A signal handler may run between any two steps of the loop; the queue is only touched from inside it.
        asyncio.get_running_loop().call_soon_threadsafe(self._state.queue.drain)

    async def on_tick(self, counter: int) -> bool:
        """Says whether the server is to stop listening now."""
        if await super().on_tick(counter):
            return True
        if counter % TICKS_A_SECOND == 0:  # the limit may be lowered, or raised, while the server runs
            Protocol.max_connections = min(self._state.settings.max_connections, self.spare_files())
        if counter % (3600 * TICKS_A_SECOND) == 1:
            asyncio.get_running_loop().run_in_executor(None, _sweep, self._state.studio.store)
        if self._deadline is None or not self._state.queue.draining:
            return False
        return self._state.queue.num_open == 0 or time.monotonic() >= self._deadline

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes the signals over; a server that closed in order has ended well, so they are not raised again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def bind(config: ServeConfig) -> socket.socket:
    """Returns a listening socket.

    Raises:
        InvalidRequest: the address is taken or is not of this machine.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((config.host, config.port))
    except OSError as error:
        listening.close()
        raise InvalidRequest(
            say(
                f"{config.host}:{config.port} cannot be listened on: {error.strerror}.",
                f"无法监听 {config.host}:{config.port}：{error.strerror}。",
            ),
            fix=say("Choose another with --port or --host.", "请用 --port 或 --host 另选地址。"),
        ) from None
    listening.set_inheritable(False)
    return listening


def address(listening: socket.socket) -> str:
    """Returns the address as a browser takes it."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run(app: FastAPI, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serves until a signal says otherwise."""
    config: ServeConfig = app.state.settings
    Protocol.header_seconds = config.header_seconds
    settings = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
        backlog=ACCEPTED_AT_ONCE,
    )
    server = Server(settings, app)
    Protocol.max_connections = min(config.max_connections, server.spare_files())

    def started() -> None:
        if not server.started:
            loop_soon()
            return
        listening.listen(QUEUED)  # asyncio has set it to what it accepts at once
        on_ready()

    def loop_soon() -> None:
        asyncio.get_running_loop().call_later(0.01, started)

    async def serve() -> None:
        loop_soon()
        await server.serve(sockets=[listening])

    try:
        asyncio.run(serve())
    finally:
        app.state.tasks.close()
        clear(app.state.studio.settings.data_dir)


def _sweep(store: Store) -> None:
    try:
        sweep(store)
    except InksealError as error:  # the next time may do
        log.warning("what was kept for a while is there still: %s", error)


def _num_files() -> int:
    """Returns how many files the process has open; 0 where that does not matter."""
    if sys.platform == "win32":
        return 0
    import psutil

    return int(psutil.Process().num_fds())


def _file_limit() -> int:
    """Returns how many files the process may have open; 0: as many as it wants."""
    if sys.platform == "win32":
        return 0
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else soft
