"""Starts child processes that die with this one, in a session of their own, and reads what they print."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import IO

from inkseal.runtime.environment import child_environment

log = logging.getLogger(__name__)

LINE_BYTES = 2000
TAIL_LINES = 8


class Spawned:
    """A running child with a socket to it. What it prints goes to the log; its last lines are kept."""

    def __init__(self, module: str) -> None:
        """Starts `python -m module SOCKET PARENT`.

        Raises:
            OSError: the system cannot start a process.
        """
        self.sock, theirs = socket.socketpair()
        try:
            with theirs:
                # -P: the working folder must not be searched for modules
                command = [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid())]
                self._process = _in_lasting_thread(lambda: _start(command, theirs.fileno()))
        except BaseException:
            self.sock.close()
            raise
        self.pid = self._process.pid
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._reaping = threading.Lock()
        self._log = threading.Thread(target=self._read_log, name="inkseal-engine-log", daemon=True)
        self._log.start()

    @property
    def running(self) -> bool:
        """False as soon as the process has ended, whether or not anybody has noticed."""
        with self._reaping:
            return self._process.poll() is None

    @property
    def tail(self) -> list[str]:
        """The last lines it printed."""
        return list(self._tail)

    def kill(self) -> int:
        """Ends the child and what it has started, waits until their memory is free; returns the exit status."""
        with self._reaping:
            if self._process.returncode is None:
                # Not reaped yet, so the number still is this child's and nobody else's.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signal.SIGKILL)
            status = self._process.wait()
        return status

    def close(self) -> None:
        """Closes the socket and the log; after `kill`."""
        self.sock.close()
        self._log.join(timeout=5)

    def _read_log(self) -> None:
        output: IO[bytes] | None = self._process.stdout
        assert output is not None
        with output:
            while line := output.readline(LINE_BYTES):
                text = printable(line.decode(errors="replace").rstrip())
                self._tail.append(text)
                log.info("engine %d: %s", self.pid, text)


def printable(text: str) -> str:
    """Returns the text with control characters escaped, so that it cannot forge lines of a log or of a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _start(command: list[str], handle: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(handle,),
        start_new_session=True,
    )


_work: "SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]" = SimpleQueue()
_started_by: list[int] = []
_starting = threading.Lock()


def _in_lasting_thread(start: "Callable[[], subprocess.Popen[bytes]]") -> "subprocess.Popen[bytes]":
    """Runs `start` in a thread that lives as long as this process.

    Linux ends a child that asked to die with its parent when the thread that started it ends; requests' threads do.
    """
    with _starting:
        if os.getpid() not in _started_by:  # after a fork, the thread is not there
            threading.Thread(target=_run, name="inkseal-spawn", daemon=True).start()
            _started_by[:] = [os.getpid()]
    result: Future[subprocess.Popen[bytes]] = Future()
    _work.put((start, result))
    return result.result()


def _run() -> None:
    while True:
        start, result = _work.get()
        try:
            result.set_result(start())
        except BaseException as error:  # noqa: BLE001 - handed to who asked
            result.set_exception(error)
