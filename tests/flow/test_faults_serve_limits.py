"""Fault 67, what the system takes away while a server runs: files, memory. Its own request pays, nobody else."""

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from serving import Served, ask, command, serving, wait_until

GENERATE = "/api/v1/generate/text"
SETTINGS = "[backends.echo]\nseconds_per_token = 0.02\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data", settings=SETTINGS) as found:
        yield found


def _status(served: Served, prompt: str = "hello", **fields: Any) -> int:
    """Returns the status of a small request; 0 when there was no answer."""
    try:
        with served.client() as client:
            return int(client.post(GENERATE, json=ask(prompt, **fields)).status_code)
    except httpx2.HTTPError:
        return 0


def _engine(served: Served) -> psutil.Process:
    (engine,) = psutil.Process(served.process.pid).children()
    return engine


def test_fault_67_fewer_files_while_it_runs(served: Served) -> None:
    assert _status(served) == 200
    process = psutil.Process(served.process.pid)
    soft, hard = resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)
    held: list[socket.socket] = []
    try:
        resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (process.num_fds() + 45, hard))
        time.sleep(4)  # it looks once a second, and later on a busy machine
        for _ in range(200):
            with contextlib.suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", served.port), timeout=5))
        time.sleep(0.5)
        assert process.num_fds() < resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)[0] - 10
        used_seconds = sum(process.cpu_times()[:2])
        time.sleep(1)
        assert sum(process.cpu_times()[:2]) - used_seconds < 0.5  # it does not spin
        for connection in held:
            connection.close()
        wait_until(lambda: _status(served) == 200, 20)  # also before the limit is what it was
    finally:
        resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert _status(served) == 200
    assert command(served.data_dir, "ledger", "verify").returncode == 0


def test_fault_67_no_file_at_all_for_a_while(served: Served) -> None:
    assert _status(served) == 200
    process = psutil.Process(served.process.pid)
    soft, hard = resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)
    with served.client() as early:
        assert early.get("/health").status_code == 200  # a connection of its own, kept open
        try:
            resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (process.num_fds(), hard))
            answer = early.post(GENERATE, json=ask("nothing can be opened"))
            assert answer.status_code in (200, 500, 503, 507)
            assert str(served.data_dir) not in answer.text
            assert early.get("/health").status_code == 200
        finally:
            resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    wait_until(lambda: _status(served) == 200, 20)
    assert command(served.data_dir, "ledger", "verify").returncode == 0


def test_fault_67_an_engine_that_gets_no_memory_fails_its_own_request_only(served: Served) -> None:
    assert _status(served) == 200
    before = _engine(served)
    resource.prlimit(before.pid, resource.RLIMIT_AS, (before.memory_info().vms // 2, resource.RLIM_INFINITY))
    tools = [{"name": f"tool_{number}", "description": "x" * 10_000} for number in range(128)]
    statuses: list[int] = []
    asked = threading.Thread(target=lambda: statuses.append(_status(served, "memory", tools=tools)))
    asked.start()
    with served.client() as client:
        while asked.is_alive():
            assert client.get("/health").status_code == 200
            assert client.get("/api/v1/models").status_code == 200
            time.sleep(0.05)
    asked.join()
    assert statuses == [500]
    assert _status(served) == 200
    assert _engine(served).pid != before.pid  # another one, with all the memory there is
    with served.client() as client:
        runs = client.get("/api/v1/runs").json()
    assert [run["status"] for run in runs] == ["finished", "failed", "finished"]
    assert runs[1]["error"] == "engine_failed"
