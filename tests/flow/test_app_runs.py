"""Runs of apps that go on by themselves, over HTTP: watched, found again, stopped; each caller's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving import Served, create_key, serving

SLOW = "[backends.echo]\nseconds_per_token = 0.05\n"
ASYNC = {"Prefer": "respond-async"}
RUN = "/api/v1/apps/csv_report/run"
BODY: dict[str, Any] = {
    "values": {"title": "Sales", "data": "region,sales (k€)\nWest,120\nEast,90\n"},
    "model": "echo",
    "language": "en",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("runs") / "data") as found:
        yield found


def watched(client: Any, run_id: str) -> list[str]:
    answer = client.get(f"/api/v1/app-runs/{run_id}/events")
    return [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]


def test_a_run_goes_on_when_its_reader_leaves(served: Served) -> None:
    with served.client() as client:
        begun = client.post(RUN, json=BODY, headers=ASYNC)
        assert (begun.status_code, begun.headers["preference-applied"]) == (202, "respond-async")
        run_id = begun.json()["id"]
        kinds = watched(client, run_id)
        assert (kinds[0], kinds[-1]) == ("app_started", "app_finished")
        again = watched(client, run_id)
        assert again == watched(client, run_id)  # as often as one likes, the words of each answer in one piece
        assert again.count("step_words") == again.count("step_started")
        assert "generated" not in again
        facts = client.get(f"/api/v1/app-runs/{run_id}").json()
        assert (facts["state"], facts["app"]) == ("finished", "csv_report")
        assert facts in client.get("/api/v1/app-runs?app=csv_report").json()
        assert client.get("/api/v1/app-runs?app=poem").json() == []
        (told, *_) = client.get("/api/v1/app-runs", headers={"Accept-Language": "zh"}).json()
        assert told["title"] == "表格分析报告"  # in the words of whoever looks
        assert client.get(f"/api/v1/artifacts/{facts['artifact']}").status_code == 200
        assert client.delete(f"/api/v1/app-runs/{run_id}").status_code == 204  # it is over, and stays as it is
        assert client.get(f"/api/v1/app-runs/{run_id}").json() == facts
        client.delete(f"/api/v1/artifacts/{facts['artifact']}")
        assert client.get(f"/api/v1/app-runs/{run_id}").status_code == 404  # its words were in the events
        off = client.post(RUN, json={**BODY, "values": {}}, headers=ASYNC)
        assert (off.status_code, off.json()["error"]["param"]) == (400, "title")


def test_a_run_is_stopped_by_its_owner_alone_also_while_it_waits(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    ann, bo = (create_key(data_dir, name)["key"] for name in ("Ann", "Bo"))
    settings = SLOW + "[serve]\nmax_running = 1\n"
    with serving(data_dir, settings=settings) as slow, slow.client(ann) as client, slow.client(bo) as other:
        ids = [client.post(RUN, json=BODY, headers=ASYNC).json()["id"] for _ in range(2)]
        states = {run["id"]: run["state"] for run in client.get("/api/v1/app-runs").json()}
        assert [states[run_id] for run_id in ids] == ["running", "waiting"]
        assert other.get("/api/v1/app-runs").json() == []
        for run_id in ids:
            assert other.get(f"/api/v1/app-runs/{run_id}/events").status_code == 404
            assert other.delete(f"/api/v1/app-runs/{run_id}").status_code == 404
        for run_id in reversed(ids):
            assert client.delete(f"/api/v1/app-runs/{run_id}").status_code == 204
            assert watched(client, run_id)[-1] == "app_failed"
            facts = client.get(f"/api/v1/app-runs/{run_id}").json()
            assert (facts["state"], facts["code"]) == ("cancelled", "cancelled")
        done = other.post(RUN, json={**BODY, "values": {}}, headers=ASYNC)
        assert done.status_code == 400  # the place is free again


def test_steps_stand_behind_the_result_and_its_seal_names_app_and_rules(served: Served) -> None:
    with served.client() as client:
        made = client.post(RUN, json=BODY).json()
        result, steps = made["artifact"]["id"], [one for step in made["steps"] for one in step["artifacts"]]
        assert steps
        found = {yes: client.get(f"/api/v1/artifacts?steps={yes}").json()["artifacts"] for yes in ("true", "false")}
        shown = {yes: {one["id"] for one in listed} for yes, listed in found.items()}
        assert {result, *steps} <= shown["true"]
        assert result in shown["false"]
        assert not shown["false"] & set(steps)
        seal = client.get(f"/api/v1/artifacts/{result}/seal", headers={"Accept-Language": "zh"}).json()
        app = client.get("/api/v1/apps/csv_report").json()
        wanted = {"name": "csv_report", "title": "表格分析报告", "sha256": app["sha256"], "step": "", "same": True}
        assert seal["app"] == wanted
        rules = {check["check"]: check["words"] for check in seal["checks"] if check["check"].startswith("app.")}
        assert rules["app.numbers"] == "符合"
        step = client.get(f"/api/v1/artifacts/{steps[-1]}/seal").json()["app"]
        assert step["step"] in app["steps"]
