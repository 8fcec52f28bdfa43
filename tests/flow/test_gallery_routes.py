"""The gallery's routes, as a browser calls them, against a started server with two people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from serving import Served, ask, command, create_key, serving

LIST = "/api/v1/artifacts"


class House(NamedTuple):
    """A server and two people, each with a client."""

    served: Served
    ann: httpx2.Client
    bob: httpx2.Client
    viewer: httpx2.Client


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data_dir = tmp_path_factory.mktemp("gallery") / "data"
    ann, bob = create_key(data_dir, "ann"), create_key(data_dir, "bob")
    viewer = create_key(data_dir, "eye", "viewer", "--same-as", ann["id"])
    with serving(data_dir) as served:
        clients = [served.client(person["key"]) for person in (ann, bob, viewer)]
        yield House(served, *clients)
        for client in clients:
            client.close()


def _make(client: httpx2.Client, text: str, **fields: Any) -> str:
    answer = client.post("/api/v1/generate/text", json=ask(text, **fields))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["run_id"])


def _ids(client: httpx2.Client, **parameters: Any) -> list[str]:
    answer = client.get(LIST, params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["artifacts"]]


def test_filters_words_and_pages_go_together(house: House) -> None:
    made = [_make(house.ann, f"wagtail {number} 白鹡鸰") for number in range(5)]
    page = house.ann.get(LIST, params={"query": "白鹡鸰", "model": "echo", "limit": 2}).json()
    assert page["total"] == 5
    assert page["artifacts"][0]["excerpt"].startswith("wagtail")
    found = _ids(house.ann, query="白鹡鸰", limit=3) + _ids(house.ann, query="白鹡鸰", limit=3, before="3")
    assert sorted(found) == sorted(made)
    assert _ids(house.ann, query="wagt", limit=200)  # somebody is still typing
    assert _ids(house.ann, query="wagtail", model="other") == []
    newest = house.ann.get(LIST, params={"limit": 2}).json()
    assert newest["next"] == newest["artifacts"][-1]["id"]
    after = house.ann.get(LIST, params={"limit": 2, "before": newest["next"]}).json()
    assert after["artifacts"][0]["id"] < newest["next"]
    assert after["total"] is None
    assert house.ann.get(LIST, params={"limit": 2, "before": 2}).json()["artifacts"] == after["artifacts"]
    facets = house.ann.get(f"{LIST}/facets").json()
    assert {"value": "echo", "count": facets["modality"][0]["count"]} in facets["model"]
    assert facets["meaning"] is False
    bad = [{"limit": 0}, {"before": "x"}, {"verdict": "perhaps"}, {"since": "2026-01-01"}, {"state": "lost"}]
    for parameters in bad:
        assert house.ann.get(LIST, params=parameters).status_code == 400, parameters


def test_a_search_by_meaning_says_which_model_it_lacks(house: House) -> None:
    answer = house.ann.get(LIST, params={"query": "birds", "by": "meaning"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "use-multilingual-3" in answer.json()["error"]["message"]


def test_collections_hold_filter_and_let_go(house: House) -> None:
    made = _make(house.ann, "a dipper under the waterfall")
    shelf = house.ann.post("/api/v1/collections", json={"name": "birds"}).json()
    assert house.ann.put(f"/api/v1/collections/{shelf['id']}/artifacts/{made}").status_code == 204
    assert _ids(house.ann, collection=shelf["id"]) == [made]
    assert _ids(house.bob, collection=shelf["id"]) == []
    assert house.ann.get(f"{LIST}/{made}/listed").json()["collections"] == [shelf["id"]]
    assert house.ann.put(f"/api/v1/collections/{shelf['id']}", json={"name": "鸟"}).status_code == 204
    mine = {item["id"]: item for item in house.viewer.get("/api/v1/collections").json()}
    assert (mine[shelf["id"]]["name"], mine[shelf["id"]]["num_artifacts"]) == ("鸟", 1)
    assert house.bob.get("/api/v1/collections").json() == []
    for method, path in (("PUT", f"/artifacts/{made}"), ("DELETE", f"/artifacts/{made}"), ("DELETE", "")):
        assert house.viewer.request(method, f"/api/v1/collections/{shelf['id']}{path}").status_code == 403
    assert house.ann.delete(f"/api/v1/collections/{shelf['id']}/artifacts/{made}").status_code == 204
    assert _ids(house.ann, collection=shelf["id"]) == []
    assert house.ann.delete(f"/api/v1/collections/{shelf['id']}").status_code == 204
    assert house.ann.post("/api/v1/collections", json={"name": ""}).status_code == 400


def test_a_deletion_is_accounted_for_and_final(house: House) -> None:
    made = _make(house.ann, "a nightjar that nobody shall read of again")
    events = f"/api/v1/runs/{made}/events"
    assert "nightjar" in house.ann.get(events).text
    before = house.ann.get(f"{LIST}/{made}/deletion").json()
    assert before["deleted_at"] is None
    assert house.viewer.delete(f"{LIST}/{made}").status_code == 403
    assert house.bob.delete(f"{LIST}/{made}").status_code == 404
    account = house.ann.delete(f"{LIST}/{made}", headers={"Accept-Language": "zh"}).json()
    assert account["deleted_at"]
    assert any("账本条目" in item["text"] for item in account["remains"])
    for path in ("content", "export?format=txt"):
        answer = house.ann.get(f"{LIST}/{made}/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "deleted")
    assert house.ann.get(events).status_code == 404
    assert made not in _ids(house.ann, limit=200)
    assert house.ann.get(f"{LIST}/{made}").status_code == 200
    descent = house.ann.get(f"{LIST}/{made}/descent").json()
    assert [entry["kind"] for entry in descent["history"]] == ["artifact_sealed", "artifact_deleted"]
    assert descent["nodes"][0]["state"] == "deleted"


def test_a_line_of_descent_hides_what_is_anothers(house: House) -> None:
    root = _make(house.ann, "a root")
    child = _make(house.ann, "a child", parents=[root])
    found = house.ann.get(f"{LIST}/{root}/descent").json()
    assert found["edges"] == [{"parent": root, "child": child}]
    assert {(node["id"], node["depth"], node["valid"]) for node in found["nodes"]} == {
        (root, 0, True),
        (child, 1, True),
    }
    assert found["nodes"][0]["licence"]
    assert house.bob.get(f"{LIST}/{root}/descent").status_code == 404


def test_a_pasted_text_stands_as_it_is(house: House) -> None:
    text = "the curlew calls over the salt marsh when the tide has turned and the light is nearly gone from the sky"
    made = _make(house.ann, text)

    def stand(data: bytes, name: str = "") -> str:
        found = house.ann.post("/api/v1/verify", params={"name": name}, content=data)
        assert found.status_code == 200, found.text
        return str(found.json()["standing"])

    assert stand(text.encode()) == "marks_removed"
    assert stand(text.replace("curlew", "whimbrel").encode()) == "changed"
    assert stand("鲸鱼在海里唱歌。".encode()) == "unknown"
    sealed = house.ann.get(f"{LIST}/{made}/export", params={"format": "html"}).content
    assert stand(sealed, "a.html") == "trusted"
    assert stand(sealed.replace(b"curlew", b"plover"), "a.html") == "changed"


def test_the_command_line_deletes_and_collects(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    assert command(data_dir, "generate", "text", "a lark", "--model", "echo").returncode == 0
    (made,) = [line.split()[0] for line in command(data_dir, "search", "lark").stdout.splitlines()]
    shelf = command(data_dir, "collections", "create", "birds").stdout.strip()
    assert command(data_dir, "collections", "add", shelf, made).returncode == 0
    assert made in command(data_dir, "search", "--collection", shelf).stdout
    assert "birds" in command(data_dir, "collections", "list").stdout
    assert "Would go:" in command(data_dir, "delete", "--dry-run", made).stdout
    done = command(data_dir, "delete", made)
    assert "the content itself" in done.stdout
    assert command(data_dir, "search", "lark").stdout == ""
    refused = command(data_dir, "show", made)
    assert refused.returncode == 2
    assert "was deleted" in refused.stderr
    missing = command(data_dir, "search", "--meaning", "birds")
    assert missing.returncode == 4
    assert "models pull" in missing.stderr
    assert command(data_dir, "collections", "remove", shelf).returncode == 0
