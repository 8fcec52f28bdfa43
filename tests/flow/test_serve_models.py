"""Models over HTTP: fetched as a task that outlives its page, loaded, forecast, removed. Against a started server."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from local_hub import LocalHub, card_text, local_hub
from serving import Served, ask, create_key, serving, wait_until

WEIGHTS = bytes(range(256)) * 4000
SLOW = 200_000
"""Bytes a second: a pull takes five seconds, so that what is done meanwhile is done before its end."""
MODELS = "/api/v1/models"


class House(NamedTuple):
    served: Served
    hub: LocalHub
    client: httpx2.Client
    creator: httpx2.Client


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with _housing(tmp_path_factory.mktemp("models") / "data") as house:
        yield house


@pytest.fixture
def house(running: House) -> House:
    """A server that has no model yet, and a hub that is quick."""
    running.hub.bytes_per_second = None
    running.hub.requests.clear()
    assert running.client.delete(f"{MODELS}/some-model").status_code == 200
    running.client.post(f"{MODELS}/echo/unload")
    return running


@contextmanager
def _housing(data_dir: Path) -> Iterator[House]:
    (data_dir / "cards").mkdir(parents=True)
    hub_entry = {"source": "hub", "repo": "owner/some-model", "revision": "main"}
    for name, sources in (("some-model", [hub_entry]), ("nowhere", [{"source": "folder"}])):
        text = card_text(name, {"weights.onnx": WEIGHTS}, sources, format="onnx")
        (data_dir / "cards" / f"{name}.toml").write_text(text, encoding="utf-8")
    boss, ann = create_key(data_dir, "boss", "admin"), create_key(data_dir, "ann")
    with local_hub() as hub:
        hub.files["weights.onnx"] = WEIGHTS
        with (
            serving(data_dir, HF_ENDPOINT=hub.endpoint, INKSEAL_MODEL_PATH="", HF_HUB_OFFLINE="") as served,
            served.client(boss["key"]) as client,
            served.client(ann["key"]) as creator,
        ):
            yield House(served, hub, client, creator)


def _task(house: House, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = house.client.get(f"/api/v1/tasks/{task_id}").json()
    return found


def _until(house: House, task_id: str, state: str) -> dict[str, Any]:
    wait_until(lambda: _task(house, task_id)["state"] != "running", 30)
    found = _task(house, task_id)
    assert found["state"] == state, found
    return found


def _events(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    found = []
    for piece in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in piece.splitlines() if not line.startswith(":"))
        if "data" in lines:
            found.append((int(lines.get("id", 0)), lines["event"], json.loads(lines["data"])))
    return found


def test_a_pull_goes_on_without_its_page_and_can_be_followed_from_any_place(house: House) -> None:
    house.hub.bytes_per_second = SLOW
    begin = time.monotonic()
    task = house.client.post(f"{MODELS}/some-model/pull").json()
    assert (task["kind"], task["subject"], task["state"]) == ("pull", "some-model", "running")
    assert house.client.post(f"{MODELS}/some-model/pull").json()["id"] == task["id"]  # one for each model
    address = f"/api/v1/tasks/{task['id']}/events"
    with house.client.stream("GET", address) as stream:
        next(stream.iter_bytes())
    # that reader has left; the work has not
    wait_until(lambda: _task(house, task["id"])["done"] > 0)
    assert not house.client.get(f"{MODELS}/some-model").json()["here"]
    events = _events(house.client.get(address).text)
    seconds = time.monotonic() - begin
    numbers = [number for number, _, _ in events]
    assert numbers == list(range(1, len(events) + 1))
    assert [name for _, name, _ in (events[0], events[-1])] == ["started", "finished"]
    told = [facts["done"] for _, name, facts in events if name == "progress"]
    assert told == sorted(told)
    assert 2 < len(told) < 5 * seconds + 5  # a megabyte comes in dozens of pieces; five a second are told
    assert told[-1] == len(WEIGHTS)
    assert any("Licence" in facts["text"] for _, name, facts in events if name == "noted")
    later = _events(house.client.get(address, headers={"Last-Event-ID": str(numbers[-2])}).text)
    assert later == events[-1:]
    card = house.client.get(f"{MODELS}/some-model").json()
    assert (card["here"], card["source"]) == (True, "hub")
    assert [source["name"] for source in card["sources"]] == ["hub"]
    assert _until(house, task["id"], "finished")["result"]["size_bytes"] == len(WEIGHTS)


def test_a_pull_that_is_stopped_keeps_its_beginning(house: House) -> None:
    house.hub.bytes_per_second = SLOW
    task = house.client.post(f"{MODELS}/some-model/pull").json()
    wait_until(lambda: _task(house, task["id"])["done"] > 100_000)
    refused = house.client.delete(f"{MODELS}/some-model")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "model_at_work")
    assert house.client.delete(f"/api/v1/tasks/{task['id']}").status_code == 200
    assert _until(house, task["id"], "cancelled")["code"] == "cancelled"
    house.hub.bytes_per_second = None
    again = house.client.post(f"{MODELS}/some-model/pull").json()
    assert again["id"] != task["id"]
    _until(house, again["id"], "finished")
    asked = [given for path, given, _ in house.hub.requests if path.endswith("weights.onnx")]
    assert asked[-1] is not None
    assert asked[-1] != "bytes=0-"
    assert house.client.delete(f"{MODELS}/some-model").json() == {"model": "some-model", "changed": True}
    assert not house.client.get(f"{MODELS}/some-model").json()["here"]
    assert house.client.delete(f"{MODELS}/some-model").json()["changed"] is False


def test_a_pull_that_fails_says_why_and_tells_no_path(house: House) -> None:
    task = _until(house, house.client.post(f"{MODELS}/nowhere/pull").json()["id"], "failed")
    assert task["code"] == "fetch_failed"
    assert "No source could deliver" in task["message"]
    assert str(house.served.data_dir) not in json.dumps(task)
    zh = {"Accept-Language": "zh"}
    task = house.client.post(f"{MODELS}/nowhere/pull", headers=zh).json()
    assert "没有来源" in _until(house, task["id"], "failed")["message"]


def test_a_stopped_server_leaves_what_came_for_the_next_one(tmp_path: Path) -> None:
    with _housing(tmp_path / "data") as house:
        house.hub.bytes_per_second = SLOW
        task = house.client.post(f"{MODELS}/some-model/pull").json()
        wait_until(lambda: _task(house, task["id"])["done"] > 100_000)
        house.served.process.terminate()
        assert house.served.process.wait(20) == 0
        parts = list((house.served.data_dir / "models").rglob("*.part"))
    assert len(parts) == 1
    assert 0 < parts[0].stat().st_size < len(WEIGHTS)


def test_only_admins_change_what_is_here_and_it_is_written_down(house: House) -> None:
    for method, path in (
        ("POST", f"{MODELS}/echo/pull"),
        ("POST", f"{MODELS}/echo/load"),
        ("POST", f"{MODELS}/echo/unload"),
        ("POST", f"{MODELS}/echo/measure"),
        ("DELETE", f"{MODELS}/echo"),
        ("GET", "/api/v1/tasks"),
    ):
        assert house.creator.request(method, path).status_code == 403, path
    assert house.creator.get(MODELS).status_code == 200
    assert house.client.post(f"{MODELS}/echo/pull").json()["error"]["code"] == "nothing_to_fetch"
    assert house.client.post(f"{MODELS}/some-model/load").json()["error"]["code"] == "model_not_here"
    assert house.client.post(f"{MODELS}/noto-sans-sc/load").json()["error"]["code"] == "not_loadable"
    _until(house, house.client.post(f"{MODELS}/echo/load").json()["id"], "finished")
    assert house.client.post(f"{MODELS}/echo/unload").json()["changed"] is True
    deeds = [(entry["action"], entry["subject"]) for entry in house.client.get("/api/v1/audit").json()]
    assert deeds[-2:] == [("model_load", "echo"), ("model_unloaded", "echo")]


def test_memory_speed_and_work_are_told(house: House) -> None:
    _until(house, house.client.post(f"{MODELS}/echo/load").json()["id"], "finished")
    memory = house.client.get("/api/v1/memory").json()
    assert [engine["model"] for engine in memory["engines"]] == ["echo"]
    assert memory["engines"][0]["resident_bytes"] > 1 << 20  # its own process
    assert memory["budget_bytes"] < memory["machine_bytes"]
    echo = house.client.get(f"{MODELS}/echo").json()
    assert (echo["need"]["fit"], echo["need"]["known_by"], echo["pace"]) == ("loaded", "engine", None)
    assert house.client.get(f"{MODELS}/some-model").json()["need"]["fit"] == "unknown"
    big = house.client.get(f"{MODELS}/default").json()
    assert (big["need"]["known_by"], big["here"]) == ("card", False)
    for _ in range(3):
        assert house.client.post("/api/v1/generate/text", json=ask("word " * 60)).status_code == 200
    pace = house.client.get(f"{MODELS}/echo").json()["pace"]
    assert pace["num_runs"] == 3
    assert pace["tokens_per_second"] > 0
    status = house.client.get("/api/v1/status").json()
    assert status["tokens_per_second"] > 0
    assert (status["num_running"], status["offline"], status["energy"] in ("measured", "unknown")) == (0, False, True)
    assert str(house.served.data_dir) not in json.dumps(status)


def test_a_measurement_is_short_and_says_what_it_found(house: House) -> None:
    task = _until(house, house.client.post(f"{MODELS}/echo/measure").json()["id"], "finished")
    assert task["result"]["decode"] > 0
    assert task["result"]["others_ran"] is False


def test_a_measurement_that_is_stopped_ends(house: House) -> None:
    task = house.client.post(f"{MODELS}/echo/measure").json()
    house.client.delete(f"/api/v1/tasks/{task['id']}")
    wait_until(lambda: _task(house, task["id"])["state"] != "running", 30)
    assert _task(house, task["id"])["state"] in ("cancelled", "finished")  # the fake may be quicker
