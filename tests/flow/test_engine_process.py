"""Engines in processes of their own: what may happen to one, and what the others notice of it."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from inkseal import Studio, TextRequest
from inkseal.catalog.catalog import Catalog
from inkseal.core.errors import Cancelled, ContextTooLong, EngineFailed, InksealError
from inkseal.core.events import Event, Generated, ignore
from inkseal.core.language import use_language
from inkseal.core.protocols import GenerativeEngine, LocalModel
from inkseal.modalities.text.request import Sampling
from inkseal.runtime import engine_process
from inkseal.runtime.engine_link import Call, EngineLink
from inkseal.runtime.engine_process import EngineProcess, GenerativeProcess, start_engine
from inkseal.studio.engines import WORKER
from serving import wait_until

NEVER = threading.Event()
SLOW = {"seconds_per_token": 0.02}


def echo_model() -> LocalModel:
    return LocalModel.model_validate(
        {"name": "echo", "task": "generate", "folder": "/nonexistent", "files": {}, "format": "echo"}
        | {"context_tokens": 65536, "licence": "Apache-2.0", "sha256": "0" * 64}
    )


def start(model: LocalModel, backend: str = "echo", config: Any = None, memory: int | None = None) -> GenerativeProcess:
    values = {"backend": backend, "config": config or {}, "model": model.model_dump(mode="json")}
    engine = start_engine(WORKER, values | {"threads": 2, "memory_limit_bytes": memory}, model, ignore, NEVER)
    assert isinstance(engine, GenerativeProcess)
    return engine


@pytest.fixture
def slow_echo() -> Iterator[GenerativeProcess]:
    engine = start(echo_model(), config=SLOW)
    yield engine
    engine.close()


def ask(engine: GenerativeEngine, prompt: str, max_tokens: int = 600, cancel: Any = NEVER) -> str:
    return "".join(chunk.text for chunk in engine.generate(TextRequest.of(prompt, max_tokens=max_tokens), cancel))


def test_eight_streams_at_once_each_get_their_own(slow_echo: GenerativeProcess) -> None:
    prompts = [f"{word} " * 30 for word in "abcdefgh"]
    begin = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda prompt: ask(slow_echo, prompt), prompts)) == prompts
    assert time.monotonic() - begin < 8 * 30 * 0.02  # one after the other would take longer


def test_a_kill_ends_all_streams_with_a_clear_error(slow_echo: GenerativeProcess) -> None:
    failures: list[InksealError] = []

    def work(number: int) -> None:
        try:
            ask(slow_echo, f"{number} " * 500, 2000)
        except InksealError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert slow_echo.alive
    os.kill(slow_echo.link.pid, signal.SIGKILL)
    begin = time.monotonic()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begin < 10  # nobody waits for the 60 s of silence that mean a hang
    assert len(failures) == 8
    assert all(isinstance(error, EngineFailed) and "SIGKILL" in str(error) for error in failures)
    assert not slow_echo.alive
    with pytest.raises(EngineFailed):
        slow_echo.count_tokens(TextRequest.of("a"))


def test_an_error_is_the_same_one_in_the_language_of_its_request(slow_echo: GenerativeProcess) -> None:
    with use_language("zh"), pytest.raises(ContextTooLong, match="超过 65536"):
        ask(slow_echo, "a", 131072)
    with pytest.raises(ContextTooLong, match="exceed 65536"):
        ask(slow_echo, "a", 131072)


def test_cancel_and_leaving_stop_the_work(slow_echo: GenerativeProcess) -> None:
    cancel = threading.Event()
    stream = slow_echo.generate(TextRequest.of("a " * 1000, max_tokens=5000), cancel)
    next(stream)
    cancel.set()
    begin = time.monotonic()
    assert [chunk.finish_reason for chunk in stream][-1] == "cancelled"
    assert time.monotonic() - begin < 10  # the rest would take 20 s
    stream = slow_echo.generate(TextRequest.of("a " * 1000, max_tokens=5000), NEVER)
    next(stream)
    stream.close()
    for _ in range(500):  # 10 s; the rest would take 20
        if not slow_echo.link._calls:
            break
        time.sleep(0.02)
    assert not slow_echo.link._calls  # the process has said that the call is over


def test_a_cancelled_call_that_does_not_end_costs_the_engine() -> None:
    engine = start(echo_model(), config={"seconds_per_token": 10})
    engine.link._cancel_beats = 1
    cancel = threading.Event()
    cancel.set()
    begin = time.monotonic()
    with pytest.raises(EngineFailed, match="hangs"):
        ask(engine, "a b c", cancel=cancel)
    assert time.monotonic() - begin < 5
    assert not psutil.pid_exists(engine.link.pid)


def wait(call: Call) -> None:
    while not call.box.ended:
        call.box.take(0.05)


def broken(monkeypatch: pytest.MonkeyPatch, does: str) -> EngineLink:
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    # Silence counts from the fork on, so a short limit would also end one that is still importing.
    link = EngineLink("broken_worker", silence_seconds=2) if does == "hang" else EngineLink("broken_worker")
    link.call("load", {"does": does})
    return link


@pytest.mark.parametrize(("does", "says"), [("garbage", "unreadable"), ("hang", "hangs"), ("memory", "out of memory")])
def test_a_process_that_misbehaves_is_ended(monkeypatch: pytest.MonkeyPatch, does: str, says: str) -> None:
    link = broken(monkeypatch, does)
    call = link.call("count", "text", {}) if does != "memory" else next(iter(link._calls.values()))
    with pytest.raises(EngineFailed, match=says):
        wait(call)
    link.close()
    assert not psutil.pid_exists(link.pid)


def test_what_the_process_prints_goes_to_the_log_and_forges_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never")
    with caplog.at_level(logging.INFO, "inkseal"):
        link = broken(monkeypatch, "print")
        environment = Path(f"/proc/{link.pid}/environ").read_bytes()
        call = next(iter(link._calls.values()))
        with pytest.raises(EngineFailed, match="RuntimeError") as caught:
            wait(call)
        link.close()
    assert "secret-of-the-user" not in str(caught.value) + caplog.text
    assert "a call failed: RuntimeError" in caplog.text
    assert r"said \x1b[31mred" in caplog.text
    assert b"sk-never" not in environment


def test_loading_that_does_not_heed_a_cancel_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setattr(engine_process, "STOP_LOADING_SECONDS", 0.3)
    cancel = threading.Event()
    cancel.set()
    before = set(psutil.Process().children())
    with pytest.raises(Cancelled):
        start_engine("broken_worker", {"does": "deaf"}, echo_model(), ignore, cancel)
    assert set(psutil.Process().children()) <= before


ORPHAN = """
import sys, time, threading
sys.path[:0] = {paths!r}
from test_engine_process import echo_model, start
found = []
thread = threading.Thread(target=lambda: found.append(start(echo_model())))
thread.start(); thread.join()
time.sleep(0.5)  # the thread that started it is gone, the process must not be
assert found[0].alive
print(found[0].link.pid, flush=True)
time.sleep(60)
"""


def test_no_process_outlives_its_parent() -> None:
    code = ORPHAN.format(paths=[str(folder) for folder in Path(__file__).parents[:2]])
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        os.kill(child.pid, signal.SIGINT)  # what a terminal and a service manager send to everybody
        os.kill(child.pid, signal.SIGTERM)
        time.sleep(0.2)
        assert child.is_running()
        child.suspend()  # not even one that cannot hear that its parent is gone
        parent.kill()
        # Whoever adopts it in a container may take its time to bury it.
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.slow
def test_fifty_restarts_leave_nothing_open() -> None:
    start(echo_model()).close()
    own = psutil.Process()
    handles, threads = own.num_fds(), own.num_threads()
    for number in range(50):
        engine = start(echo_model())
        assert ask(engine, "a b") == "a b"
        if number % 2:
            os.kill(engine.link.pid, signal.SIGKILL)
        engine.close()
    # The last readers may still be ending, and they close what they read from.
    wait_until(lambda: own.num_threads() <= threads and own.num_fds() <= handles)
    assert not [child for child in own.children() if child.status() == psutil.STATUS_ZOMBIE]


@pytest.fixture
def served(tiny_model: LocalModel, data_dir: Path) -> Iterator[Studio]:
    Catalog(data_dir).pull(tiny_model.name, folder=tiny_model.folder)
    with Studio.open(data_dir, isolate_engines=True) as studio:
        yield studio


def _engine(studio: Studio) -> EngineProcess:
    with studio.engines.lease(studio.engines.local_model("tiny"), "generate", ignore) as engine:
        assert isinstance(engine, EngineProcess)
        return engine


@pytest.mark.model
@pytest.mark.slow
def test_a_model_killed_in_the_middle_of_eight_streams(served: Studio) -> None:
    begin = time.monotonic()
    served.run(TextRequest.of("hi", model="tiny", max_tokens=2))
    load_seconds = time.monotonic() - begin
    engine = _engine(served)
    outcomes: list[str] = []
    shown = threading.Semaphore(0)

    def heard(event: Event) -> None:
        if isinstance(event, Generated):
            shown.release()

    def work(number: int) -> None:
        try:
            served.run(endless(number), heard)
            outcomes.append("finished")
        except EngineFailed as error:
            outcomes.append(error.what)

    def endless(number: int) -> TextRequest:
        """A row of numbers that the model, always taking the likeliest token, goes on with and never ends."""
        row = ", ".join(str(number * 100 + step) for step in range(12))
        return TextRequest.of(row, model="tiny", max_tokens=900, raw_prompt=True, sampling=Sampling(temperature=0))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(16):
        assert shown.acquire(timeout=60)
    os.kill(engine.link.pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert outcomes == ["The engine's process ended (killed by SIGKILL)."] * 8
    begin = time.monotonic()
    assert served.run(TextRequest.of("hi", model="tiny", max_tokens=2)).finish_reasons
    assert time.monotonic() - begin < 2 * load_seconds + 10
    assert _engine(served).link.pid != engine.link.pid


@pytest.mark.model
@pytest.mark.slow
def test_eviction_gives_all_memory_back(served: Studio) -> None:
    def resident() -> int:
        own = psutil.Process()
        return sum(process.memory_info().rss for process in [own, *own.children(recursive=True)])

    before = resident()
    served.run(TextRequest.of("hi", model="tiny", max_tokens=2))
    (key,) = served.engines.pool.loaded()
    grown = resident() - before
    assert grown > 150_000_000
    assert abs(served.engines.pool.loaded()[key] - grown) < 0.5 * grown  # the pool knows what it took
    assert served.engines.pool.unload(key)
    assert resident() - before < 0.2 * grown


@pytest.mark.model
@pytest.mark.slow
def test_an_engine_without_memory_fails_alone(
    tiny_model: LocalModel, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Catalog(data_dir).pull(tiny_model.name, folder=tiny_model.folder)
    with Studio.open(data_dir, isolate_engines=True) as studio:
        studio.run(TextRequest.of("hi", model="tiny", max_tokens=2))
    monkeypatch.setenv("INKSEAL_ENGINE_MEMORY_LIMIT_BYTES", str(700_000_000))
    with Studio.open(data_dir, isolate_engines=True) as studio:
        with pytest.raises(EngineFailed):
            studio.run(TextRequest.of("hi", model="tiny", max_tokens=2))
        assert studio.run(TextRequest.of("hi", model="echo", max_tokens=5)).text == "hi"
