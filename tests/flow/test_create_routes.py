"""What the page Create asks of the server: runs that go on by themselves, conversations, opened seals."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from inkseal.core.types import new_id
from serving import Served, ask, create_key, serving, wait_until

GENERATE = "/api/v1/generate/text"
ASYNC = {"prefer": "respond-async"}
WORDS = " ".join(f"w{number}" for number in range(200))
LONG = " ".join(f"w{number}" for number in range(1000))
"""Ten seconds of work, for what is asked while it goes on."""


class House(NamedTuple):
    """A server whose fake writes 100 tokens a second, with an admin and two people who make things."""

    served: Served
    boss: httpx2.Client
    ann: httpx2.Client
    bob: httpx2.Client


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data_dir = tmp_path_factory.mktemp("create") / "data"
    keys = [
        create_key(data_dir, name, role)["key"]
        for name, role in (("boss", "admin"), ("ann", "creator"), ("bob", "creator"))
    ]
    with serving(data_dir, settings="[backends.echo]\nseconds_per_token = 0.01\n") as served:
        clients = [served.client(key) for key in keys]
        yield House(served, *clients)
        for client in clients:
            client.close()


def begin(client: httpx2.Client, words: str, **headers: str) -> dict[str, Any]:
    answer = client.post(GENERATE, json=ask(words), headers=ASYNC | headers)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def events(client: httpx2.Client, run_id: str, after: int = 0) -> list[tuple[int, str, dict[str, Any]]]:
    text = client.get(f"/api/v1/runs/{run_id}/events", headers={"last-event-id": str(after)}).text
    frames = [
        dict(line.split(": ", 1) for line in frame.split("\n") if line)
        for frame in text.split("\n\n")
        if "data" in frame
    ]
    return [(int(frame["id"]), frame["event"], json.loads(frame["data"])) for frame in frames]


def test_a_run_goes_on_without_its_caller_and_its_events_are_found_again(house: House) -> None:
    long = f"/api/v1/runs/{begin(house.ann, LONG)['run_id']}"
    assert house.ann.get(long).json()["status"] == "running", "the answer does not wait for the run"
    house.ann.delete(long)
    begun = begin(house.ann, WORDS)
    assert begun["label"] == "AI-generated (AI生成)"
    found = events(house.ann, begun["run_id"])
    assert found[-1][1] == "finished"
    text = "".join(data["chunk"]["text"] for _, event, data in found if event == "generated")
    assert text == WORDS
    half = found[len(found) // 2][0]
    assert events(house.ann, begun["run_id"], half) == [one for one in found if one[0] > half]
    assert house.ann.get(f"/api/v1/artifacts/{begun['run_id']}/content").text == WORDS


def test_it_is_stopped_by_its_owner_alone(house: House) -> None:
    run_id = begin(house.ann, LONG)["run_id"]
    assert house.bob.delete(f"/api/v1/runs/{run_id}").status_code == 404
    with house.ann.stream("GET", f"/api/v1/runs/{run_id}/events") as coming:
        next(line for line in coming.iter_lines() if line == "event: generated")
    assert house.ann.delete(f"/api/v1/runs/{run_id}").status_code == 204
    found = events(house.ann, run_id)
    reasons = [data["chunk"]["finish_reason"] for _, event, data in found if event == "generated"]
    assert reasons[-1] == "cancelled"
    assert house.ann.delete(f"/api/v1/runs/{run_id}").status_code == 204, "what is over stays over"
    kept = house.ann.get(f"/api/v1/artifacts/{run_id}/content").text
    assert LONG.startswith(kept)
    assert kept != LONG
    assert house.ann.delete(f"/api/v1/runs/{new_id()}").status_code == 404


def test_a_run_with_a_reader_is_not_stopped_by_its_id(house: House) -> None:
    with house.ann.stream("POST", GENERATE, json=ask(LONG), headers={"accept": "text/event-stream"}) as answer:
        run_id = answer.headers["inkseal-artifact"]
        refused = house.ann.delete(f"/api/v1/runs/{run_id}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "run_has_a_reader")


def test_asked_again_with_its_key_it_is_the_same_run(house: House) -> None:
    key = {"idempotency-key": new_id()}
    first, second = (begin(house.ann, "once only", **key) for _ in range(2))
    assert first == second


def test_what_cannot_begin_says_so_at_once_and_what_fails_says_so_in_its_events(house: House) -> None:
    off = house.ann.post(GENERATE, json=ask("x", max_tokens=0), headers=ASYNC)
    assert off.status_code == 400
    foreign = begin(house.bob, "bob's own")["run_id"]
    wait_until(lambda: house.bob.get(f"/api/v1/runs/{foreign}").json()["status"] == "finished")
    assert house.ann.post(GENERATE, json=ask("x", parents=[foreign]), headers=ASYNC).status_code == 404
    missing = begin(house.ann, "x") | house.ann.post(GENERATE, json=ask("x", model="default"), headers=ASYNC).json()
    found = events(house.ann, missing["run_id"])
    assert found[-1][1] == "failed"
    assert found[-1][2]["code"] == "model_missing"


def _turn(**facts: Any) -> dict[str, Any]:
    return {"id": new_id(), "role": "user", "created_at": "2026-01-31T12:00:00Z", **facts}


def test_a_conversation_holds_questions_and_finds_its_answers(house: House) -> None:
    number, run_id = new_id(), begin(house.ann, "short answer")["run_id"]
    place = f"/api/v1/conversations/{number}"
    assert house.ann.put(place, json={"title": "Tea", "settings": {"model": "echo"}}).status_code == 200
    question = _turn(parts=[{"text": "short answer"}])
    reply = _turn(role="assistant", parent=question["id"], run_id=run_id)
    for turn in (question, reply):
        assert house.ann.put(f"{place}/turns/{turn['id']}", json=turn).status_code == 200
    wait_until(lambda: house.ann.get(f"/api/v1/runs/{run_id}").json()["status"] == "finished")
    found = house.ann.get(place).json()
    assert {turn["id"] for turn in found["turns"]} == {question["id"], reply["id"]}
    answer = found["answers"][0]
    assert (answer["text"], answer["state"], answer["finish_reason"]) == ("short answer", "active", "stop")
    assert answer["label"] == "AI-generated (AI生成)"
    assert house.ann.get(place, headers={"accept-language": "zh"}).json()["answers"][0]["label"] == "AI生成"
    for stranger in (house.bob, house.boss):
        assert stranger.get(place).status_code == 404, "an admin reads nobody's conversations"
        assert stranger.get("/api/v1/conversations").json()["conversations"] == []
    assert house.ann.put(f"{place}/turns/{new_id()}", json=question).status_code == 400
    assert house.ann.delete(place).status_code == 204
    assert house.ann.get(place).status_code == 404
    assert house.ann.get(f"/api/v1/artifacts/{run_id}").status_code == 200, "what was made stays"


def test_words_are_labelled_by_their_own_rules_before_there_is_an_artifact(house: House) -> None:
    number = new_id()
    place = f"/api/v1/conversations/{number}"
    house.ann.put(place, json={"title": "Tea", "settings": {"model": "echo"}})
    run_ids = [
        house.ann.post(GENERATE, json=ask(LONG, **more), headers=ASYNC).json()["run_id"]
        for more in ({}, {"regime": "eu"})
    ]
    for run_id in run_ids:
        turn = _turn(role="assistant", run_id=run_id)
        house.ann.put(f"{place}/turns/{turn['id']}", json=turn)
    coming = {answer["run_id"]: answer for answer in house.ann.get(place).json()["answers"]}
    assert [coming[run_id]["status"] for run_id in run_ids] == ["running", "running"]
    assert [coming[run_id]["artifact"] for run_id in run_ids] == [None, None]
    assert [coming[run_id]["label"] for run_id in run_ids] == ["AI-generated (AI生成)", "AI-generated"]
    for run_id in run_ids:
        house.ann.delete(f"/api/v1/runs/{run_id}")


def test_a_heading_is_changed_by_parts_and_a_deleted_one_stays_deleted(house: House) -> None:
    place = f"/api/v1/conversations/{new_id()}"
    assert house.ann.patch(place, json={"title": "Tea"}).status_code == 404
    house.ann.put(place, json={"title": "Tea", "settings": {"model": "echo"}})
    renamed = house.ann.patch(place, json={"title": "Coffee"}).json()
    assert (renamed["title"], renamed["settings"]) == ("Coffee", {"model": "echo"})
    other = house.ann.patch(place, json={"settings": {}}).json()
    assert (other["title"], other["settings"]) == ("Coffee", {})
    assert house.ann.patch(place, json={"model": "echo"}).status_code == 400
    assert house.ann.delete(place).status_code == 204
    assert house.ann.patch(place, json={"title": "Tea"}).status_code == 404
    assert house.ann.get(place).status_code == 404


def test_a_turn_that_names_somebody_elses_run_shows_nothing_of_it(house: House) -> None:
    run_id = begin(house.bob, "bob's secret words")["run_id"]
    wait_until(lambda: house.bob.get(f"/api/v1/runs/{run_id}").json()["status"] == "finished")
    number = new_id()
    place = f"/api/v1/conversations/{number}"
    house.ann.put(place, json={})
    turn = _turn(role="assistant", run_id=run_id)
    house.ann.put(f"{place}/turns/{turn['id']}", json=turn)
    assert house.ann.get(place).json()["answers"] == []


def test_a_seal_is_proved_when_it_is_opened(house: House) -> None:
    parent = begin(house.ann, "the first")["run_id"]
    wait_until(lambda: house.ann.get(f"/api/v1/runs/{parent}").json()["status"] == "finished")
    made = house.ann.post(GENERATE, json=ask("mail ann.lee@gmail.com", parents=[parent])).json()
    place = f"/api/v1/artifacts/{made['run_id']}"
    report = house.ann.get(f"{place}/seal").json()
    assert report["intact"]
    assert report["signed_by"]["kind"] == "self"
    assert report["manifest"] == house.ann.get(place).json()
    assert [one["id"] for one in report["parents"]] == [parent]
    assert report["parents"][0]["artifact"]["title"] == "the first"
    assert {"txt", "markdown", "html", "pdf"} <= {one["name"] for one in report["formats"]}
    words = {(one["check"], one["stage"]): one["words"] for one in report["checks"]}
    assert "e-mail" in words["personal_data", "prompt"]
    chinese = house.ann.get(f"{place}/seal", headers={"accept-language": "zh"}).json()
    assert chinese["label"] == "AI生成"
    assert chinese["checks"] != report["checks"]
    assert house.bob.get(f"{place}/seal").status_code == 404
    assert house.boss.get(f"{place}/seal").json()["intact"]


def test_a_changed_content_breaks_the_seal(house: House) -> None:
    made = house.ann.post(GENERATE, json=ask("to be changed on the disk")).json()
    digest = made["results"][0]["artifact"]["sha256"]
    folder: Path = house.served.data_dir / "artifacts"
    [path] = [
        path for path in folder.rglob("*") if path.is_file() and path.read_bytes() == b"to be changed on the disk"
    ]
    path.chmod(0o600)
    path.write_bytes(b"something else")
    report = house.ann.get(f"/api/v1/artifacts/{made['run_id']}/seal").json()
    assert digest == report["artifact"]["sha256"]
    assert not report["intact"]
    assert report["broken"] == ["content"]
