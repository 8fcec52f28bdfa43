"""Too many, too slow, twice, and the end: against a started server on the slow fake."""

import contextlib
import json
import resource
import signal
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from serving import Served, ask, command, create_key, serving, wait_until

GENERATE = "/api/v1/generate/text"


def words(number: int) -> str:
    """Returns as many different words; of equal ones the checks hold half back."""
    return " ".join(f"w{place}" for place in range(number))


SETTINGS = """
[backends.echo]
seconds_per_token = 0.02
[serve]
max_running = 4
max_waiting = 8
max_waiting_per_key = 6
grace_seconds = 4
"""
PATIENT = SETTINGS.replace("grace_seconds = 4", "grace_seconds = 30")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data", settings=SETTINGS) as found:
        yield found


def _count(served: Served, name: str, key: str = "") -> float:
    with served.client(key) as client:
        lines = client.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


def _post(served: Served, body: dict[str, Any], key: str = "", **headers: str) -> tuple[httpx2.Response, float]:
    with served.client(key) as client:
        begin = time.monotonic()
        answer = client.post(GENERATE, json=body, headers=headers)
        return answer, time.monotonic() - begin


class Stream:
    """A client that has asked for a stream; reads only when told to."""

    def __init__(self, served: Served, prompt: str = "", path: str = "", key: str = "") -> None:
        body = b"" if path else json.dumps(ask(prompt or words(400))).encode()
        lines = [
            f"{'GET' if path else 'POST'} {path or GENERATE} HTTP/1.1",
            "Host: localhost",
            "Accept: text/event-stream",
            *([f"X-Api-Key: {key}"] if key else []),
            *([] if path else ["Content-Type: application/json", f"Content-Length: {len(body)}"]),
        ]
        self.connection = socket.create_connection(("127.0.0.1", served.port), timeout=30)
        self.connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.seen = b""

    def read_until(self, mark: bytes) -> bytes:
        """Reads until the mark is there, or the server closes."""
        while mark not in self.seen and (piece := self.connection.recv(65536)):
            self.seen += piece
        return self.seen

    def close(self) -> None:
        self.connection.close()


# 58


def test_fault_58_a_burst_is_bounded_and_told_when_to_come_again(served: Served) -> None:
    before = served.memory_bytes
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: _post(served, ask("w " * 15)), range(400)))
    accepted = [seconds for answer, seconds in answers if answer.status_code == 200]
    refused = [answer for answer, _ in answers if answer.status_code == 429]
    assert len(accepted) + len(refused) == 400
    assert accepted
    assert refused
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert {answer.json()["error"]["code"] for answer in refused} == {"queue_full"}
    # Ten jobs at most were before it (4 run, 6 of a key wait), each of less than a second: nobody waits longer.
    assert statistics.quantiles(accepted, n=100)[98] < 12
    assert _count(served, "inkseal_jobs_waiting") == 0
    assert _count(served, "inkseal_jobs_running") == 0
    assert served.memory_bytes < before + 100_000_000


def test_fault_58_one_key_does_not_starve_another(tmp_path: Path) -> None:
    greedy, modest = (create_key(tmp_path / "data", name)["key"] for name in ("greedy", "modest"))
    with serving(tmp_path / "data", settings=SETTINGS) as served, ThreadPoolExecutor(10) as pool:
        # Four seconds each: the first are still at work when all have come, on a slow machine too.
        crowd = [pool.submit(_post, served, ask("w " * 200), greedy) for _ in range(10)]
        wait_until(lambda: _count(served, "inkseal_jobs_waiting", modest) >= 5)
        answer, mine = _post(served, ask("w"), modest)
        done_before = sum(future.done() for future in crowd)
        theirs = [future.result()[1] for future in crowd]
    assert answer.status_code == 200
    assert done_before <= 5  # it took the first place that came free, before those that had waited longer
    assert mine < max(theirs)


def test_fault_58_examining_a_file_takes_a_place_too(tmp_path: Path) -> None:
    settings = SETTINGS.replace("max_running = 4", "max_running = 1").replace("max_waiting = 8", "max_waiting = 0")
    uploads: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/api/v1/verify", {"content": b"words"}),
        ("/v1/content_provenance_checks", {"files": {"file": ("a.txt", b"words")}}),
    )
    with serving(tmp_path / "data", settings=settings) as served, served.client() as client:
        stream = Stream(served, words(1000))
        stream.read_until(b"event: generated")
        for path, body in uploads:
            refused = client.post(path, **body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full"), path
        stream.close()
        wait_until(lambda: _count(served, "inkseal_jobs_running") == 0)
        for path, body in uploads:
            assert client.post(path, **body).status_code == 200, path


# 59


def test_fault_59_a_thousand_idle_streams_cost_little_and_keep_nobody_out(served: Served) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2500:
        pytest.skip("this machine lets nobody open 2500 files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2500), hard))
    first = Stream(served, words(3000))
    run_id = json.loads(first.read_until(b'"what"').split(b"data: ")[1].split(b"\n")[0])["run_id"]
    before = served.memory_bytes
    idle = [Stream(served, path=f"/api/v1/runs/{run_id}/events") for _ in range(1000)]
    try:
        for stream in idle[::100]:
            stream.read_until(b"event: generated")
        begin = time.monotonic()
        answer, _ = _post(served, ask("short"))
        assert answer.status_code == 200
        assert time.monotonic() - begin < 10
        assert served.memory_bytes < before + 300_000_000
    finally:
        for stream in [*idle, first]:
            stream.close()
    wait_until(lambda: _count(served, "inkseal_requests_in_flight") <= 1, 30)


def test_fault_59_a_reader_that_reads_nothing_costs_a_bounded_buffer(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        body = json.dumps(ask("x" * 100_000, max_tokens=131072 - 100_000, n=1))
        head = f"POST {GENERATE} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        _post(served, ask("warm"))
        before = served.memory_bytes
        deaf = []
        for _ in range(6):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", served.port))
            connection.sendall(head.encode() + body.encode())
            deaf.append(connection)
        time.sleep(3)
        assert _post(served, ask("others are answered"))[0].status_code == 200
        assert served.memory_bytes < before + 150_000_000
        for connection in deaf:
            connection.close()
        wait_until(lambda: _count(served, "inkseal_jobs_running") == 0, 15)


def test_fault_60_a_client_that_leaves_frees_its_place(served: Served) -> None:
    streams = [Stream(served, words(1000)) for _ in range(4)]
    for stream in streams:
        stream.read_until(b"event: generated")
    assert _count(served, "inkseal_jobs_running") == 4
    for stream in streams:
        stream.close()
    # Less than a second on an idle machine; the work itself takes 20 and more.
    wait_until(lambda: _count(served, "inkseal_jobs_running") == 0, 6)
    wait_until(lambda: len(_runs(served)) == 4 and {run["status"] for run in _runs(served)} == {"finished"})


def _runs(served: Served) -> list[dict[str, Any]]:
    with served.client() as client:
        found: list[dict[str, Any]] = client.get("/api/v1/runs").json()
        return found


# 62


def test_fault_62_a_repeated_request_is_done_once(served: Served) -> None:
    body = ask("w " * 20)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(_post, served, body, "", **{"Idempotency-Key": "same"}) for _ in range(4)]
        answers = [job.result()[0] for job in jobs]
    answers.append(_post(served, body, "", **{"Idempotency-Key": "same"})[0])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["run_id"] for answer in answers}) == 1
    assert len(_runs(served)) == 1
    other, _ = _post(served, ask("something else"), "", **{"Idempotency-Key": "same"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert _post(served, body, "", **{"Idempotency-Key": "another"})[0].status_code == 200
    assert len(_runs(served)) == 2


def test_fault_62_a_failed_request_may_be_repeated_and_keys_of_people_are_apart(tmp_path: Path) -> None:
    ann, bob = (create_key(tmp_path / "data", name)["key"] for name in ("ann", "bob"))
    with serving(tmp_path / "data", settings=SETTINGS) as served:
        first = _post(served, ask("mine"), ann, **{"Idempotency-Key": "k"})[0].json()
        second = _post(served, ask("mine"), bob, **{"Idempotency-Key": "k"})[0].json()
        assert first["run_id"] != second["run_id"]


# 67


def test_fault_67_a_server_short_of_files_stays_up_and_recovers(tmp_path: Path) -> None:
    with serving(tmp_path / "data", settings=SETTINGS, max_files=80) as served:
        held = []
        for _ in range(200):
            with contextlib.suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", served.port), timeout=5))
        time.sleep(1)
        used_seconds = sum(psutil.Process(served.process.pid).cpu_times()[:2])
        time.sleep(2)
        assert sum(psutil.Process(served.process.pid).cpu_times()[:2]) - used_seconds < 1
        for connection in held:
            connection.close()
        wait_until(lambda: _post_ok(served), 20)
        assert served.log.count("\n") < 500


def _post_ok(served: Served) -> bool:
    try:
        return _post(served, ask("after"))[0].status_code == 200
    except httpx2.HTTPError:
        return False


def test_fault_67_records_that_cannot_be_written_are_an_error_of_that_request_only(served: Served) -> None:
    _post(served, ask("warm"))
    resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    answer, _ = _post(served, ask("x " * 50))
    assert answer.status_code in (500, 503, 507)
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert str(served.data_dir) not in answer.text
    with served.client() as client:
        assert client.get("/health").status_code == 200
        assert client.get("/api/v1/models").status_code == 200
    resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert _post(served, ask("again"))[0].status_code == 200
    assert command(served.data_dir, "ledger", "verify").returncode == 0


# 69


def test_fault_69_sigterm_ends_in_order(tmp_path: Path) -> None:
    # Work of five seconds: all that is asked meanwhile comes before its end, and its end before that of the grace.
    with serving(tmp_path / "data", settings=PATIENT) as served, ThreadPoolExecutor(2) as pool:
        running = pool.submit(_post, served, ask("w " * 250))
        wait_until(lambda: _count(served, "inkseal_jobs_running") == 1)
        served.process.send_signal(signal.SIGTERM)
        with served.client() as client:
            wait_until(lambda: client.get("/health/ready").status_code == 503)
            assert client.get("/health").status_code == 200
            late = client.post(GENERATE, json=ask("late"))
        assert (late.status_code, late.json()["error"]["code"]) == (503, "closing")
        answer, _ = running.result()
        assert answer.status_code == 200
        assert len(answer.json()["results"][0]["text"].split()) == 250
        assert served.process.wait(timeout=10) == 0
    assert command(served.data_dir, "ledger", "verify").returncode == 0


def test_fault_69_grace_has_an_end(served: Served) -> None:
    stream = Stream(served, words(2000))
    stream.read_until(b"event: generated")
    begin = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=20) == 0
    assert 3 < time.monotonic() - begin < 12
    stream.close()


def test_fault_69_a_second_sigterm_ends_at_once(tmp_path: Path) -> None:
    with serving(tmp_path / "data", settings=PATIENT) as served:
        stream = Stream(served, words(2000))
        stream.read_until(b"event: generated")
        served.process.send_signal(signal.SIGTERM)
        with served.client() as client:
            wait_until(lambda: client.get("/health/ready").status_code == 503)
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(timeout=10)  # the work would take 20 s, the grace 30
        stream.close()
    with serving(served.data_dir) as again:  # the lock was let go, and what was broken off is known as such
        assert "interrupted" in [run["status"] for run in _runs(again)]


def test_fault_69_an_idle_server_ends_at_once(served: Served) -> None:
    begin = time.monotonic()
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(timeout=10) == 0
    assert time.monotonic() - begin < 4


def test_fault_69_a_second_server_on_the_folder_is_refused_but_keys_can_be_made(served: Served) -> None:
    second = command(served.data_dir, "serve", "--port", "0")
    assert second.returncode == 5
    assert str(served.process.pid) in second.stderr
    assert command(served.data_dir, "keys", "create", "x").returncode == 0


def test_a_taken_port_is_said_so(served: Served, tmp_path: Path) -> None:
    done = command(tmp_path / "other", "serve", "--port", str(served.port))
    assert done.returncode == 2
    assert "--port" in done.stderr
