"""What a server keeps of answers: through a restart, for its owner alone, and nothing that was not to be kept."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from inkseal.store import schema
from serving import Served, ask, create_key, serving, wait_until

GENERATE = "/api/v1/generate/text"
SECRET = "a heron that nobody else may read of"


@pytest.fixture
def people(tmp_path: Path) -> tuple[Path, str, str]:
    data_dir = tmp_path / "data"
    return data_dir, create_key(data_dir, "ann")["key"], create_key(data_dir, "bob")["key"]


def _respond(served: Served, key: str, said: str, **fields: Any) -> dict[str, Any]:
    with served.client(key) as client:
        answer = client.post("/v1/responses", json={"model": "echo", "input": said, **fields})
        assert answer.status_code == 200, answer.text
        if not fields.get("stream"):
            found: dict[str, Any] = answer.json()
            return found
        last = [line for line in answer.text.splitlines() if line.startswith("data:")][-1]
        streamed: dict[str, Any] = json.loads(last.removeprefix("data:"))["response"]
        return streamed


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_goes_on_after_a_restart_and_for_its_owner_alone(
    people: tuple[Path, str, str], stream: bool
) -> None:
    data_dir, ann, bob = people
    with serving(data_dir) as served:
        first = _respond(served, ann, SECRET, stream=stream)
        left_out = _respond(served, ann, "not to be kept", store=False)
    with serving(data_dir) as served, served.client(ann) as mine, served.client(bob) as theirs:
        path = f"/v1/responses/{first['id']}"
        assert mine.get(path).json() == first
        assert mine.get(f"{path}/input_items").json()["data"][0]["content"][0]["text"] == SECRET
        second = _respond(served, ann, "and", previous_response_id=first["id"])
        assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"] + first["usage"]["output_tokens"]
        for answer in (theirs.get(path), theirs.get(f"{path}/input_items"), theirs.delete(path)):
            assert answer.status_code == 404
            assert SECRET not in answer.text
        body = {"model": "echo", "input": "x", "previous_response_id": first["id"]}
        assert theirs.post("/v1/responses", json=body).json()["error"]["code"] == "previous_response_not_found"
        assert mine.get(f"/v1/responses/{left_out['id']}").status_code == 404
        assert mine.delete(path).json()["deleted"]
        assert mine.get(path).status_code == 404


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_request_is_done_once_through_a_restart_and_for_its_key_alone(
    people: tuple[Path, str, str], accept: str
) -> None:
    data_dir, ann, bob = people
    headers = {"Idempotency-Key": "the same", "Accept": accept}

    def post(served: Served, key: str, prompt: str = SECRET) -> Any:
        with served.client(key) as client:
            return client.post(GENERATE, json=ask(prompt), headers=headers)

    with serving(data_dir) as served:
        first = post(served, ann)
        assert "idempotent-replayed" not in first.headers
    with serving(data_dir) as served:
        again, theirs = post(served, ann), post(served, bob)
        assert again.headers["idempotent-replayed"] == "true"
        assert (again.status_code, again.text) == (200, first.text)
        assert again.headers["content-type"] == first.headers["content-type"]
        assert "idempotent-replayed" not in theirs.headers
        assert theirs.text != first.text
        assert post(served, ann, "something else").json()["error"]["code"] == "idempotency_key_reused"
        with served.client(ann) as client:
            assert len(client.get("/api/v1/runs").json()) == 1


def test_what_is_over_is_swept_away_when_the_server_starts(people: tuple[Path, str, str]) -> None:
    data_dir, ann, _ = people
    with serving(data_dir) as served:
        _respond(served, ann, SECRET)
    with contextlib.closing(schema.connect(data_dir / "records.sqlite")) as connection:
        connection.execute("UPDATE kept SET expires_at = '2020-01-01T00:00:00.000Z'")
        with serving(data_dir):
            wait_until(lambda: connection.execute("SELECT count(*) FROM kept").fetchone()[0] == 0)


def test_a_session_s_cookie_is_kept_nowhere(people: tuple[Path, str, str]) -> None:
    data_dir, ann, _ = people
    cookies = []
    with serving(data_dir) as served:
        for _ in range(2):
            headers = {"Idempotency-Key": "login", "Origin": served.url}
            with served.client(ann) as client:
                assert client.post("/api/v1/session", headers=headers).status_code == 200
                cookies.append(client.cookies["inkseal_session"])
    assert cookies[0] != cookies[1]
    for path in data_dir.glob("records.sqlite*"):
        assert not [cookie for cookie in cookies if cookie.encode() in path.read_bytes()]
