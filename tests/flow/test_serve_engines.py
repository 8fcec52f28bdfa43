"""A server whose engine is killed while it answers."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from inkseal.runtime.device import peak_memory_bytes
from serving import Served, serving, wait_until


@pytest.fixture
def served(data_dir: Path) -> Iterator[Served]:
    with serving(data_dir, settings="[backends.echo]\nseconds_per_token = 0.02\n") as started:
        yield started


def _ask(served: Served, text: str, begun: Callable[[], object] = lambda: None) -> str:
    body = {"model": "echo", "messages": [{"role": "user", "content": text}], "stream": True, "max_tokens": 2000}
    lines = []
    with served.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as answer:
        for line in answer.iter_lines():
            if '"content":' in line:
                begun()
            lines.append(line)
    return "\n".join(lines)


def test_an_engine_killed_in_the_middle_of_eight_streams(served: Served) -> None:
    begin = time.monotonic()
    assert "[DONE]" in _ask(served, "hello")
    load_seconds = time.monotonic() - begin
    (engine,) = psutil.Process(served.process.pid).children()
    seen = [threading.Event() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(_ask, served, "the words go on and on " * 200, event.set) for event in seen]
        assert all(event.wait(20) for event in seen)
        os.kill(engine.pid, signal.SIGKILL)
        begin = time.monotonic()
        answers = [answer.result() for answer in asked]
    assert time.monotonic() - begin < 10  # the words would go on for 24 s
    assert all('"code": "engine_failed"' in answer for answer in answers)
    assert served.log.count("SIGKILL") >= 1
    begin = time.monotonic()
    assert "[DONE]" in _ask(served, "hello again")
    assert time.monotonic() - begin < 2 * load_seconds + 10


def test_the_memory_of_an_answer_is_that_of_the_engine_s_process(served: Served) -> None:
    asked = {"model": "echo", "messages": [{"role": "user", "parts": [{"text": "hello"}]}]}
    with served.client() as client:
        usage = client.post("/api/v1/generate/text", json=asked).json()["usage"]
    (engine,) = psutil.Process(served.process.pid).children()
    assert usage["peak_memory_bytes"] == pytest.approx(peak_memory_bytes(engine.pid), rel=0.1)


def test_a_server_that_is_killed_leaves_no_engine(served: Served) -> None:
    assert "[DONE]" in _ask(served, "hello")
    (engine,) = psutil.Process(served.process.pid).children()
    served.process.kill()
    wait_until(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE)
