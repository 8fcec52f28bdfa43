"""A server whose engine is killed while it answers."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from serving import Served, wait_until

CODE = """
from inkseal import Studio
from inkseal.serve.app import create_app
from inkseal.serve.config import serve_config
from inkseal.serve.server import address, bind, run

with Studio.open(isolate_engines=True) as studio:
    config = serve_config(studio.settings, port=0)
    with bind(config) as listening:
        run(create_app(studio, config), listening, lambda: print(address(listening), flush=True))
"""


@pytest.fixture
def served(data_dir: Path, tmp_path: Path) -> Iterator[Served]:
    (data_dir / "settings.toml").write_text("[backends.echo]\nseconds_per_token = 0.02\n", encoding="utf-8")
    log = tmp_path / "log"
    with log.open("w") as errors:
        process = subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=errors, text=True)
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            assert url, log.read_text(encoding="utf-8")
            yield Served(process, url, data_dir, log)
        finally:
            process.kill()


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
    assert time.monotonic() - begin < 3
    assert all('"code": "engine_failed"' in answer for answer in answers)
    assert served.log.count("SIGKILL") >= 1
    begin = time.monotonic()
    assert "[DONE]" in _ask(served, "hello again")
    assert time.monotonic() - begin < load_seconds + 2


def test_a_server_that_is_killed_leaves_no_engine(served: Served) -> None:
    assert "[DONE]" in _ask(served, "hello")
    (engine,) = psutil.Process(served.process.pid).children()
    served.process.kill()
    wait_until(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE, seconds=1)
