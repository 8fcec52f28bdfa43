"""The `llm` command line, against a started server."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from serving import Served

MODELS = """
- model_id: ink
  model_name: echo
  api_base: {url}/v1
  supports_tools: true
  supports_schema: true
- model_id: ink-none
  model_name: none
  api_base: {url}/v1
"""
Llm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def llm(needs: Callable[[str], None], echo_server: Served, tmp_path: Path) -> Llm:
    needs("llm")
    (tmp_path / "extra-openai-models.yaml").write_text(MODELS.format(url=echo_server.url), encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": "none"}
        return subprocess.run(
            [sys.executable, "-m", "llm", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.parametrize("how", [(), ("--no-stream",)])
def test_prompts_are_answered(llm: Llm, how: tuple[str, ...]) -> None:
    done = llm("-m", "ink", "-s", "be brief", "hello ink 墨", *how)
    assert (done.stdout, done.returncode) == ("hello ink 墨\n", 0), done.stderr


def test_a_conversation_goes_on(llm: Llm) -> None:
    assert llm("-m", "ink", "first").returncode == 0
    assert llm("-m", "ink", "-c", "second").stdout == "second\n"


def test_a_schema_is_kept(llm: Llm) -> None:
    done = llm("-m", "ink", "--schema", "colour str, count int", "a ball")
    assert json.loads(done.stdout) == {"colour": "", "count": 0}, done.stderr


def test_a_tool_is_run(llm: Llm) -> None:
    source = "def shout(text: str) -> str:\n    'Shouts.'\n    return text.upper() + '!'\n"
    done = llm("-m", "ink", "--functions", source, "--chain-limit", "2", "--td", "please shout")
    assert "shout" in done.stderr  # the call that was made, with its result
    assert "!" in done.stderr


def test_an_error_is_shown(llm: Llm) -> None:
    done = llm("-m", "ink-none", "x")
    assert done.returncode != 0
    assert "no model named" in done.stderr
