"""A server whose models are elsewhere: listed with provider and licence, reached only as far as the settings allow."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import Served, command, serving
from strict_server import StrictServer, stream, strict_server

ANSWER = stream(
    {"id": "1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "from afar"}}]},
    {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"id": "1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}},
    "[DONE]",
)
NAME = "near/org/tiny"


@pytest.fixture(scope="module")
def service() -> Iterator[StrictServer]:
    with strict_server() as running:
        running.answers = [ANSWER]
        yield running


def settings(service: StrictServer, *, offline: bool, allow: str) -> str:
    return f"""
offline = {str(offline).lower()}
[fetch]
allow = [{allow}]
[providers.near]
kind = "openai_api"
base_url = "{service.base_url}"
key_env = "NEAR_KEY"
[providers.near.models."org/tiny"]
licence = "Apache-2.0"
context_tokens = 2048
[providers.far]
kind = "openai_api"
base_url = "https://api.example.org/v1"
models = ["big"]
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, service: StrictServer) -> Iterator[Served]:
    """Offline, with the service allowed by `[fetch] allow` and nothing else."""
    data_dir = tmp_path_factory.mktemp("providers") / "data"
    text = settings(service, offline=True, allow='"127.0.0.0/8"')
    with serving(data_dir, settings=text, NEAR_KEY="sk-near-1234567890") as running:
        yield running


def test_the_lists_name_provider_and_licence_and_claim_no_hash(served: Served, service: StrictServer) -> None:
    with served.client() as client:
        native = {model["name"]: model for model in client.get("/api/v1/models").json()}
        one = client.get(f"/api/v1/models/{NAME}").json()
        openai = {model["id"]: model for model in client.get("/v1/models").json()["data"]}
        same = client.get(f"/v1/models/{NAME}").json()
        headers = {"anthropic-version": "2023-06-01"}
        claude = {model["id"]: model for model in client.get("/v1/models", headers=headers).json()["data"]}
    facts = {"provider": "near", "licence": "Apache-2.0", "context_tokens": 2048, "here": False, "task": "generate"}
    assert facts.items() <= native[NAME].items()
    assert facts.items() <= one.items()
    assert one["files"] == []
    assert native["echo"]["provider"] is None
    assert openai[NAME] == same
    assert openai[NAME]["owned_by"] == "near"
    assert (openai[NAME]["inkseal"]["licence"], openai[NAME]["inkseal"]["sha256"]) == ("Apache-2.0", None)
    assert claude[NAME]["max_input_tokens"] == 2048
    assert "far/big" not in {*native, *openai, *claude}  # offline, it could not be asked
    assert "127.0.0.1" not in str([native, openai, claude])


def test_a_near_service_answers_offline_through_every_route(served: Served, service: StrictServer) -> None:
    service.asked.clear()
    turns = [{"role": "user", "content": "hello"}]
    with served.client() as client:
        chat = client.post("/v1/chat/completions", json={"model": NAME, "messages": turns}).json()
        message = client.post("/v1/messages", json={"model": NAME, "messages": turns, "max_tokens": 9}).json()
        response = client.post("/v1/responses", json={"model": NAME, "input": "hello"}).json()
        far = client.post("/v1/chat/completions", json={"model": "far/big", "messages": turns})
    assert chat["choices"][0]["message"]["content"] == "from afar"
    assert message["content"][0]["text"] == "from afar"
    assert response["output"][0]["content"][0]["text"] == "from afar"
    # Without a limit of the client's: the default within a context whose use the service does not count beforehand.
    assert 1000 < service.asked[0][2]["max_tokens"] < 2048
    assert (far.status_code, far.json()["error"]["code"]) == (404, "model_not_found")
    assert "offline" in far.json()["error"]["message"]


def test_the_command_lists_them_too(served: Served) -> None:
    listed = command(served.data_dir, "models", "list")
    assert NAME in listed.stdout
    assert "Apache-2.0" in listed.stdout
    assert "far/big" not in listed.stdout
    shown = command(served.data_dir, "models", "show", NAME)
    assert "near" in shown.stdout
    assert '"sha256": null' in command(served.data_dir, "models", "show", NAME, "--json").stdout


def test_a_closed_network_that_nobody_allowed_gets_no_packet(tmp_path: Path, service: StrictServer) -> None:
    service.asked.clear()
    with (
        serving(tmp_path / "data", settings=settings(service, offline=False, allow=""), NEAR_KEY="k") as running,
        running.client() as client,
    ):
        body = {"model": NAME, "messages": [{"role": "user", "content": "hello"}]}
        answer = client.post("/v1/chat/completions", json=body)
        assert answer.status_code == 500, answer.text
        assert "far/big" in [model["id"] for model in client.get("/v1/models").json()["data"]]
    assert service.asked == []
    assert "closed network" in running.log
