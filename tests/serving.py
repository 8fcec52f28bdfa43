"""Starts `inkseal serve` as a process of its own, as a user does, and talks to it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil

INKSEAL = str(Path(sys.executable).with_name("inkseal"))


def link_or_copy(source: str, target: str) -> None:
    """Gives a large file a second name, which takes no room; a copy where that cannot be."""
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def command(
    data_dir: Path, *arguments: str, seconds: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs one command on the data folder and returns what it printed."""
    return subprocess.run(
        [INKSEAL, *arguments],
        capture_output=True,
        text=True,
        env=_environment(data_dir, environment),
        timeout=seconds,
        check=False,
    )


def create_key(data_dir: Path, name: str, role: str = "creator", *more: str) -> dict[str, Any]:
    """Makes a key; `["key"]` is its text."""
    done = command(data_dir, "keys", "create", name, "--role", role, "--json", *more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class Served:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], url: str, data_dir: Path, log: Path) -> None:
        self.process = process
        self.url = url
        self.port = int(url.rsplit(":", 1)[1])
        self.data_dir = data_dir
        self.log_file = log

    @property
    def log(self) -> str:
        """Everything it has written to standard error."""
        return self.log_file.read_text(encoding="utf-8")

    @property
    def memory_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def client(self, key: str = "", **options: Any) -> httpx2.Client:
        """Returns a client that sends the key with every request."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30, **options)

    def raw(self, data: bytes, seconds: float = 15) -> bytes:
        """Sends bytes as they are, and returns all that comes back until the server closes or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # turned away before it was all said
            return drain(connection)


def drain(connection: socket.socket) -> bytes:
    """Returns everything until the other side closes."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except OSError:
        pass
    return found


def status_of(answer: bytes) -> int:
    """Returns the status of a raw answer."""
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer[9:12])


def ask(prompt: str, **fields: Any) -> dict[str, Any]:
    """Returns the body of a request to the fake model."""
    return {"model": "echo", "messages": [{"role": "user", "parts": [{"text": prompt}]}], **fields}


@contextmanager
def serving(
    data_dir: Path,
    *arguments: str,
    settings: str = "",
    max_files: int = 0,
    program: Sequence[str] = (INKSEAL,),
    folder: Path | None = None,
    **environment: str,
) -> Iterator[Served]:
    """Runs the server on a free port of the loopback while the block runs; kills it if it is still there then.

    It works in `folder`, where there is one, else where the tests do.
    """
    limit = ["prlimit", f"--nofile={max_files}"] if max_files else []
    data_dir.mkdir(parents=True, exist_ok=True)
    if settings:
        (data_dir / "settings.toml").write_text(settings, encoding="utf-8")
    log = data_dir.parent / f"{data_dir.name}.log"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*limit, *program, "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,
            env=_environment(data_dir, {"INKSEAL_LOG_LEVEL": "INFO", **environment}),
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "http://" in line, (line, log.read_text(encoding="utf-8"))
            yield Served(process, line.split()[-1], data_dir, log)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def wait_until(condition: Any, seconds: float = 10) -> None:
    """Waits until the condition holds.

    Raises:
        AssertionError: it did not in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)


def _environment(data_dir: Path, more: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "INKSEAL_LANGUAGE": "en", "INKSEAL_DATA_DIR": str(data_dir), **more}
