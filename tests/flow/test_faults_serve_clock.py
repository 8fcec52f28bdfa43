"""Fault 67, the clock that jumps: what a started server keeps when somebody sets the machine's clock."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from serving import Served, ask, command, create_key, serving

GENERATE = "/api/v1/generate/text"
HOUR, DAY = 3600, 86400
PROGRAM = (sys.executable, str(Path(__file__).parents[1] / "jumping_clock.py"))
SETTINGS = "[backends.echo]\nseconds_per_token = 0.02\n"


class Clock(NamedTuple):
    """A server and the clock it lives by."""

    served: Served
    file: Path
    boss: str

    def set(self, ahead_seconds: float) -> None:
        """Sets the clock so much before or behind the machine's own."""
        self.file.with_suffix(".new").write_text(str(ahead_seconds))
        self.file.with_suffix(".new").replace(self.file)

    def make(self, prompt: str, key: str = "") -> httpx2.Response:
        with self.served.client(key or self.boss) as client:
            return client.post(GENERATE, json=ask(prompt))

    def get(self, path: str) -> Any:
        with self.served.client(self.boss) as client:
            return client.get(path).json()


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    file = tmp_path / "clock"
    file.write_text("0")
    boss = create_key(tmp_path / "data", "boss", "admin")["key"]
    with serving(tmp_path / "data", settings=SETTINGS, program=PROGRAM, CLOCK_FILE=str(file)) as served:
        yield Clock(served, file, boss)


JUMPS = (0.0, -2 * HOUR, 3 * DAY, 3 * 365 * DAY, -DAY / 2, 0.0)
"""Three years are longer than a signing certificate lives."""


def test_fault_67_ids_ledger_and_signatures_survive_a_clock_that_jumps(clock: Clock) -> None:
    made = []
    for number, jump in enumerate(JUMPS):
        clock.set(jump)
        answer = clock.make(f"number {number} of the things that were made while somebody played with the clock")
        assert answer.status_code == 200, answer.text
        made.append(answer.json()["run_id"])
    assert made == sorted(made)
    assert [run["id"] for run in clock.get("/api/v1/runs")] == made[::-1]
    assert [run["status"] for run in clock.get("/api/v1/runs")] == ["finished"] * len(made)
    years = {run["started_at"][:4] for run in clock.get("/api/v1/runs")}
    assert len(years) == 2  # the clock did jump, and what people read says so
    report = clock.get("/api/v1/ledger/verification")
    assert (report["valid"], report["num_entries"]) == (True, len(made))
    for run_id in made:  # each was signed within the life of its certificate
        assert clock.get(f"/api/v1/artifacts/{run_id}")["manifest"]["artifact_id"] == run_id
    assert command(clock.served.data_dir, "ledger", "verify").returncode == 0


def test_fault_67_a_clock_before_the_certificates_makes_nothing_and_is_said_so(clock: Clock) -> None:
    assert clock.make("first").status_code == 200
    clock.set(-40 * 365 * DAY)
    assert clock.make("nobody could verify this").status_code == 500
    assert "clock stands at" in clock.served.log
    clock.set(0)
    assert clock.make("again").status_code == 200
    assert clock.get("/api/v1/ledger/verification")["valid"]


def test_fault_67_a_stream_goes_on_when_the_clock_jumps(clock: Clock) -> None:
    lines: list[str] = []
    begun = threading.Event()

    def read() -> None:
        body = {"model": "echo", "messages": [{"role": "user", "content": "word " * 100}], "stream": True}
        path = "/v1/chat/completions"
        with clock.served.client(clock.boss) as client, client.stream("POST", path, json=body) as answer:
            for line in answer.iter_lines():
                lines.append(line)
                begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(20)
    for jump in (2 * DAY, -2 * DAY, HOUR):  # each longer than the longest time of a run
        clock.set(jump)
    reader.join(30)
    assert "data: [DONE]" in lines
    assert '"finish_reason": "stop"' in "".join(lines)


def test_fault_67_sessions_last_as_long_as_they_should(clock: Clock) -> None:
    with clock.served.client(clock.boss) as client:
        assert client.post("/api/v1/session", headers={"Origin": clock.served.url}).status_code == 200
        cookies = dict(client.cookies)
    with clock.served.client(cookies=cookies) as browser:
        for jump in (10 * DAY, -10 * DAY, 0):
            clock.set(jump)
            assert browser.get("/api/v1/session").status_code == 200, jump


def test_fault_67_a_session_of_a_wrong_time_ends_with_a_new_start(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text(str(365 * DAY))
    boss = create_key(tmp_path / "data", "boss", "admin")["key"]
    with (
        serving(tmp_path / "data", program=PROGRAM, CLOCK_FILE=str(file)) as served,
        served.client(boss) as client,
    ):
        assert client.post("/api/v1/session", headers={"Origin": served.url}).status_code == 200
        cookies = dict(client.cookies)
    file.write_text("0")
    with (
        serving(tmp_path / "data", program=PROGRAM, CLOCK_FILE=str(file)) as served,
        served.client(cookies=cookies) as browser,
    ):
        assert browser.get("/api/v1/session").status_code == 401  # it would have lasted for a year


def test_fault_67_limits_of_keys_survive_a_clock_that_jumps(clock: Clock) -> None:
    data_dir = clock.served.data_dir
    fast, daily = create_key(data_dir, "fast"), create_key(data_dir, "daily")
    assert command(data_dir, "keys", "limit", fast["id"], "--requests-per-minute", "1").returncode == 0
    assert command(data_dir, "keys", "limit", daily["id"], "--tokens-per-day", "8").returncode == 0
    with clock.served.client(fast["key"]) as client:
        assert client.get("/api/v1/session").status_code == 200
        for jump in (2 * HOUR, -2 * HOUR, 0):  # a minute of the clock is none that has passed
            clock.set(jump)
            assert client.get("/api/v1/session").status_code == 429
    assert clock.make("one two three four", daily["key"]).status_code == 200
    assert clock.make("five", daily["key"]).status_code == 429
    clock.set(400 * DAY)
    assert clock.make("one two three four", daily["key"]).status_code == 200  # another day by the calendar
    clock.set(0)
    assert clock.make("five", daily["key"]).status_code == 429
    clock.set(DAY)
    # The runs of a year that has not come yet do not count today.
    assert clock.make("one two three four", daily["key"]).status_code == 200
