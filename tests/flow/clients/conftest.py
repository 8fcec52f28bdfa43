"""Started servers, for the clients that people already have."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from conftest import MODELS, leave_out
from inkseal.core.protocols import LocalModel
from serving import Served, link_or_copy, serving

OPENAI_FOR_NODE = "openai@6"
SLOW_ECHO = "[backends.echo]\nseconds_per_token = 0.02\n"


@pytest.fixture(scope="session")
def echo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that has only the fake model."""
    with serving(tmp_path_factory.mktemp("echo") / "data") as served:
        yield served


@pytest.fixture(scope="session")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose fake model thinks for 20 ms about every token."""
    with serving(tmp_path_factory.mktemp("slow") / "data", settings=SLOW_ECHO) as served:
        yield served


@pytest.fixture(scope="session")
def model_server(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: LocalModel, embedding_model: LocalModel
) -> Iterator[Served]:
    """A server with every model of the test folder; it has links of its own, since a data folder has one process."""
    data_dir = tmp_path_factory.mktemp("models") / "data"
    shutil.copytree(MODELS / "models", data_dir / "models", copy_function=link_or_copy)
    with serving(data_dir, settings="[backends.openvino]\ngrammar_seconds = 10\n") as served:
        yield served


@pytest.fixture(scope="session")
def node_openai() -> Path:
    """A folder in which Node finds the official client; installed once and kept."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        leave_out("Node", "the package nodejs of your system, with npm")
    folder = user_cache_path("inkseal-tests") / "node" / OPENAI_FOR_NODE
    if not (folder / "node_modules" / "openai" / "package.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), OPENAI_FOR_NODE]
        done = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            leave_out("the npm package openai", f"npm install --prefix {folder} {OPENAI_FOR_NODE}")
    return folder


@pytest.fixture
def node(node_openai: Path, tmp_path: Path) -> Callable[[str, str], str]:
    """Runs a script of an ES module against a server, with `client` ready made; returns what it prints."""

    def run(url: str, script: str) -> str:
        file = node_openai / f"{tmp_path.name}.mjs"
        opening = "import OpenAI from 'openai';\nconst client = new OpenAI({apiKey: 'none', maxRetries: 0, baseURL: "
        file.write_text(f"{opening}'{url}/v1'}});\n{script}", encoding="utf-8")
        try:
            done = subprocess.run(["node", str(file)], capture_output=True, text=True, timeout=60, check=False)
        finally:
            file.unlink()
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
