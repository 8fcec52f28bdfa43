"""What a request looks like: bodies, sizes, times, heads. Against a started server, which must be well afterwards."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from serving import Served, ask, drain, serving, status_of

SETTINGS = """
[serve]
max_json_bytes = 2000000
max_upload_bytes = 3000000
header_seconds = 1.5
body_seconds = 5
"""
CHAT = "/api/v1/generate/text"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("shape") / "data", settings=SETTINGS) as found:
        yield found


@pytest.fixture(autouse=True)
def _well_afterwards(served: Served) -> Iterator[None]:
    yield
    with served.client() as client:
        assert client.get("/health").json() == {"status": "ok"}
        assert client.post(CHAT, json=ask("still well")).json()["results"][0]["text"] == "still well"
    assert "Traceback" not in served.log
    assert str(Path(__file__).parents[2]) not in served.log


def _work_seconds(served: Served) -> float:
    """Returns the processor time of the server so far; the clock would also count what else the machine does."""
    return sum(psutil.Process(served.process.pid).cpu_times()[:2])


def _post(served: Served, body: bytes, kind: str = "application/json", **headers: str) -> httpx2.Response:
    with served.client() as client:
        before = _work_seconds(served)
        answer = client.post(CHAT, content=body, headers={"Content-Type": kind, **headers})
        assert _work_seconds(served) - before < 3
    return answer


def _is_error(answer: httpx2.Response, served: Served) -> None:
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert str(served.data_dir) not in answer.text
    assert "Traceback" not in answer.text


GOOD = json.dumps(ask("x")).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"[1]",
        b"null",
        GOOD.replace(b'"x"', b"NaN"),
        GOOD[:-1] + b', "timeout_seconds": Infinity}',
        GOOD[:-1] + b', "timeout_seconds": 1e999}',
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b'"x"', b'"\xff"'),
        GOOD.replace(b'"x"', rb'"\ud800"'),
        GOOD.replace(b'"x"', rb'"\u0000"'),
        GOOD.replace(b'"x"', b'"\0"'),
        json.dumps(ask("x")).encode("utf-16"),
        GOOD[:-1] + b', "seed": ' + b"9" * 5000 + b"}",
    ],
)
def test_fault_1_a_body_that_is_no_json_object_is_refused(served: Served, body: bytes) -> None:
    answer = _post(served, body)
    assert answer.status_code == 400, answer.text
    _is_error(answer, served)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        GOOD[:-1] + b', "x": ' + b"[" * 80 + b"]" * 80 + b"}",
        b"{" + b",".join(b'"k%d":1' % i for i in range(150_000)) + b"}",
        GOOD[:-1] + b', "model": "echo"}',
    ],
    ids=["deep lists", "deep objects", "deeper than allowed", "many keys", "a key twice"],
)
def test_fault_2_deep_large_and_ambiguous_json_is_refused_quickly(served: Served, body: bytes) -> None:
    before = _work_seconds(served)
    answer = _post(served, body)
    assert _work_seconds(served) - before < 1
    assert answer.status_code in (400, 413), answer.text
    assert answer.json()["error"]["code"] in ("invalid_request", "body_too_large")
    assert "JSON" in answer.json()["error"]["message"]
    _is_error(answer, served)


def test_fault_3_a_body_beyond_the_limit_is_refused(served: Served) -> None:
    answer = _post(served, b'"' + b"x" * 2_100_000 + b'"')
    assert answer.status_code == 413
    _is_error(answer, served)
    with served.client() as client:
        assert client.post("/api/v1/verify", content=b"x" * 3_100_000).status_code == 413


def test_fault_3_a_body_without_a_length_is_bounded_too(served: Served) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(300):
            yield b"x" * 10_000

    before = served.memory_bytes
    with served.client() as client:
        answer = client.post(CHAT, content=pieces(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert served.memory_bytes < before + 50_000_000


def test_fault_3_a_lying_length_is_refused_before_the_body(served: Served) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{}"
    assert status_of(served.raw(head % (CHAT.encode(), 10**12))) == 413


def test_fault_3_a_compressed_bomb_is_not_unpacked(served: Served) -> None:
    bomb = gzip.compress(b"[" + b"0," * 50_000_000 + b"0]")
    before = served.memory_bytes
    for coding in ("gzip", "deflate", "br", "zstd", "x-gzip, gzip"):
        answer = _post(served, bomb, **{"Content-Encoding": coding})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "encoded_body")
        assert answer.headers["Accept-Encoding"] == "identity"
        with served.client() as client:  # nor where files are taken
            headers = {"Content-Encoding": coding, "Content-Type": "application/octet-stream"}
            assert client.post("/api/v1/verify", content=bomb[:1000], headers=headers).status_code == 415
    assert served.memory_bytes < before + 50_000_000


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x/y", ""])
def test_fault_4_a_wrong_content_type_is_refused(served: Served, kind: str) -> None:
    answer = _post(served, GOOD, kind)
    assert answer.status_code == 415
    _is_error(answer, served)


@pytest.mark.parametrize("head_first", [True, False], ids=["slow body", "slow head"])
def test_fault_4_a_slow_sender_is_cut_off(served: Served, head_first: bool) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(head.encode() if head_first else head.encode()[:20])
        while time.monotonic() - begin < 30:  # the whole body would take minutes
            try:
                connection.sendall(b" ")
            except OSError:
                break
            connection.settimeout(0.2)
            try:
                answer = connection.recv(65536)
                break
            except TimeoutError:
                continue
        else:
            raise AssertionError("it listened to the end")
    assert status_of(answer) == 408
    assert time.monotonic() - begin < 20


def test_fault_4_an_empty_connection_is_closed(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        assert status_of(drain(connection)) == 408


def test_fault_10_a_long_request_line_is_refused(served: Served) -> None:
    assert status_of(served.raw(b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")) in (414, 431)
    assert status_of(served.raw(b"GET /?" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 414


@pytest.mark.parametrize(
    "headers",
    [b"X: " + b"x" * 200_000 + b"\r\n", b"X: " + b"x" * 40_000 + b"\r\n", b"X: y\r\n" * 10_000, b"X: y\r\n" * 200],
    ids=["one huge", "one large", "ten thousand", "two hundred"],
)
def test_fault_10_large_heads_are_refused(served: Served, headers: bytes) -> None:
    answer = served.raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
    assert status_of(answer) == 431
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]["code"] == "headers_too_large"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Content-Length: +4\r\n",
        b"Host: other\r\nContent-Length: 0\r\n",
    ],
)
def test_fault_11_two_lengths_in_one_request_are_refused(served: Served, headers: bytes) -> None:
    smuggled = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /api/v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: x/y\r\n"
    answer = served.raw(head + headers + b"\r\n" + smuggled)
    assert status_of(answer) in (400, 501)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"inkseal_requests" not in answer
    assert "/metrics" not in served.log, "nor was it answered in secret"
