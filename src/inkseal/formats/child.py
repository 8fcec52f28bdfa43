"""A child process for work that must be stoppable: it answers in time, or is killed. JSON, a line each way.

Both ends are here: `Child` for the parent, `serve` for the module that the child runs.
"""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from inkseal.core.errors import EngineFailed
from inkseal.core.language import say
from inkseal.runtime.environment import child_environment

WALL_FACTOR = 10.0
"""A crowded machine may stretch the permitted processor time by this, before the parent gives up. Whoever asks waits as
long for a child that stands still, which uses no processor time."""


class Starved(TimeoutError):
    """The parent's clock ran out first: the machine is crowded, or the child stood still."""


class Child:
    """One child process, one question at a time; started by the first question and again after it was killed."""

    def __init__(self, module: str, first: object, start_seconds: float) -> None:
        """Takes the module to run, what it is told first, and how long it may take to be ready."""
        self._module = module
        self._first = first
        self._start_seconds = start_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False
        self.greeting: Any = None

    def start(self) -> Any:
        """Starts the child if it does not run; returns its answer to what it was told first.

        Raises:
            TimeoutError: it was not ready in time, or died.
        """
        with self._lock:
            return self._start()

    def ask(self, question: object, limit_seconds: float) -> Any:
        """Returns the child's answer.

        Args:
            limit_seconds: processor time; a child that takes more is killed.

        Raises:
            TimeoutError: it took too long, or died; `Starved` when it had not used up its processor time.
            EngineFailed: `close` was called.
        """
        with self._lock:
            self._start()
            return self._exchange({"limit": limit_seconds, "question": question}, WALL_FACTOR * limit_seconds)

    def close(self) -> None:
        """Ends the child for good; a question on its way gets EngineFailed."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._kill()

    def _start(self) -> Any:
        if self._closed:
            raise EngineFailed(say("The engine was closed.", "引擎已关闭。"))
        if self._process is None:
            # -P: the working folder must not be searched for modules
            command = [sys.executable, "-P", "-m", self._module]
            self._process = subprocess.Popen(
                command,
                env=child_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            if self._closed:  # meanwhile, by one who saw no process yet
                self._kill()
                raise EngineFailed(say("The engine was closed.", "引擎已关闭。"))
            self.greeting = self._exchange(
                {"limit": self._start_seconds, "question": self._first}, WALL_FACTOR * self._start_seconds
            )
        return self.greeting

    def _exchange(self, message: object, wall_seconds: float) -> Any:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise TimeoutError("not started")
        is_starved = threading.Event()

        def give_up() -> None:
            is_starved.set()
            process.kill()

        watch = threading.Timer(wall_seconds, give_up)
        watch.daemon = True  # nobody waits for it when the interpreter ends
        watch.start()
        try:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
        if not line.endswith("\n"):
            self._kill()
            if self._closed:
                raise EngineFailed(say("The engine was closed.", "引擎已关闭。"))
            raise (Starved if is_starved.is_set() else TimeoutError)(self._module)
        return json.loads(line)

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def serve(start: Callable[[Any], tuple[Any, Callable[[Any], Any]]]) -> None:
    """Runs in the child until its input ends: `start(first)` gives the greeting and the function that answers.

    Whatever else writes to standard output goes nowhere. The operating system ends the process when a question has
    used up its processor time, even inside a library call.
    """
    answers = _private_output()
    answer: Callable[[Any], Any] | None = None
    for line in sys.stdin:
        message = json.loads(line)
        _limit_processor_time(message["limit"])
        if answer is None:
            reply, answer = start(message["question"])
        else:
            reply = answer(message["question"])
        _limit_processor_time(0)
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def _private_output() -> IO[str]:
    kept = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return kept


def _limit_processor_time(seconds: float) -> None:
    if hasattr(signal, "setitimer"):  # elsewhere the parent's clock alone must do
        signal.setitimer(signal.ITIMER_PROF, seconds)


def limit_memory(size_bytes: int) -> None:
    """Caps the address space of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    cap = size_bytes if hard == resource.RLIM_INFINITY else min(size_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (math.floor(cap), hard))
