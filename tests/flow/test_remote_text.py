"""The story with a model that is elsewhere: llama.cpp's server as a stranger's engine, sealed as a local model is."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkseal import Studio
from inkseal.core.errors import Cancelled, EngineFailed, UnknownName
from inkseal.core.events import Event
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest, ToolSpec
from llama_server import llama_server

KEY = "sk-flow-1234567890abcdef"
GREEDY = Sampling(temperature=0)


@pytest.fixture(scope="module")
def address(tiny_gguf: Path) -> Iterator[str]:
    pytest.importorskip("xllamacpp", reason="left out: pip install 'inkseal[llama]'")
    with llama_server(tiny_gguf) as base_url:
        yield base_url


@pytest.fixture
def studio(data_dir: Path, address: str) -> Iterator[Studio]:
    key = data_dir / "far.key"
    key.write_text(KEY)
    key.chmod(0o600)
    (data_dir / "settings.toml").write_text(
        f'[providers.far]\nkind = "openai_api"\nengine = "llama_cpp"\nbase_url = "{address}"\nkey_file = "{key}"\n'
        'allow_private = true\nmodels = ["org/tiny"]\n'
    )
    with Studio.open() as opened:
        yield opened


def test_a_remote_answer_is_sealed_with_what_is_known_of_its_origin(studio: Studio, address: str) -> None:
    result = studio.run(TextRequest.of("Say hello.", model="far/org/tiny", max_tokens=12, sampling=GREEDY))
    assert result.text
    assert result.usage.completion_tokens > 0
    assert result.usage.peak_memory_bytes is None  # of a machine that nobody here sees
    signed = studio.manifest(result.artifacts[0].id)
    facts = json.loads(signed.to_json())["manifest"]
    assert facts["model"]["sha256"] is None
    assert facts["model"]["provider"] == {"name": "far", "base_url": address, "model": "org/tiny"}
    assert facts["backend"]["name"] == "openai_api"
    assert facts["usage"]["reported"]["model"]
    assert {verdict["stage"] for verdict in facts["verdicts"]} == {"prompt", "result"}
    assert KEY not in signed.to_json().decode()


def test_a_schema_is_kept(studio: Studio) -> None:
    city = {"type": "string", "enum": ["Oslo", "Wien"]}
    schema = {"type": "object", "properties": {"city": city}, "required": ["city"], "additionalProperties": False}
    constraint = Constraint(json_schema=schema)
    request = TextRequest.of("A city?", model="far/org/tiny", max_tokens=60, seed=1, constraint=constraint)
    assert json.loads(studio.run(request).text)["city"] in ("Oslo", "Wien")


def test_a_forced_tool_that_the_far_engine_leaves_out_is_an_error(studio: Studio) -> None:
    """llama.cpp's server forgets tools in silence when the model's template has no place for them."""
    request = TextRequest.of("Weather in Oslo?", model="far/org/tiny", max_tokens=200, seed=1, sampling=GREEDY)
    with pytest.raises(EngineFailed, match="called no tool"):
        studio.run(request.model_copy(update={"tools": (ToolSpec(name="weather"),), "tool_choice": "required"}))


def test_a_cancel_ends_the_far_work_in_good_time(studio: Studio) -> None:
    cancel, begun = threading.Event(), 0.0

    def listen(event: Event) -> None:
        nonlocal begun
        if type(event).__name__ == "TextDelta" or begun == 0:
            begun = time.monotonic()
            cancel.set()

    request = TextRequest.of("Count to a thousand.", model="far/org/tiny", max_tokens=1500, sampling=GREEDY)
    with contextlib.suppress(Cancelled):  # nothing was shown yet
        studio.run(request, listen, cancel)
    assert time.monotonic() - begun < 5


def test_a_model_that_the_settings_do_not_name_is_unknown(studio: Studio) -> None:
    with pytest.raises(UnknownName):
        studio.run(TextRequest.of("x", model="far/other"))
