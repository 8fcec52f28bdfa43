"""Runs a registry's own client (pip, npm, apt-get) as a child that ends when it is cancelled. No shell."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from inkseal.core.errors import Cancelled
from inkseal.core.language import say
from inkseal.core.protocols import Cancel


def run_client(
    command: Sequence[str],
    cancel: Cancel,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda line: None,
) -> tuple[int, str]:
    """Returns the exit code and what the client said on standard error; `on_line` hears its standard output.

    Args:
        command: the program and its arguments.
        folder: the working folder; this process's own when absent.
        environment: variables beside this process's own; index, proxy and certificates stay as configured.

    Raises:
        Cancelled: `cancel` was set; the client is gone.
        FileNotFoundError: there is no such program.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
    )
    said: list[str] = []
    out, err = cast("IO[str]", process.stdout), cast("IO[str]", process.stderr)
    errors = threading.Thread(target=lambda: said.extend(err), daemon=True)
    errors.start()
    ended = threading.Event()
    watch = threading.Thread(target=_kill_on_cancel, args=(process, cancel, ended), daemon=True)
    watch.start()
    try:
        for line in out:
            on_line(line)
        process.wait()
    finally:
        process.kill()
        process.wait()
        ended.set()
        errors.join()
        watch.join()
        out.close()
        err.close()
    if cancel.is_set():
        raise Cancelled(say("The download was stopped.", "下载已停止。"))
    return process.returncode, "".join(said)


def _kill_on_cancel(process: "subprocess.Popen[str]", cancel: Cancel, ended: threading.Event) -> None:
    while not ended.wait(0.1):
        if cancel.is_set():
            process.kill()
            return
