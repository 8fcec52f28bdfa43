"""Shared fixtures: a fresh data folder for each test, and real models, fetched once and kept."""

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from platformdirs import user_cache_path

from inkseal import Studio
from inkseal.catalog.catalog import Catalog
from inkseal.core.errors import FetchFailed
from inkseal.core.protocols import LocalModel
from inkseal.runtime.signals import keep_signal_stack

# Where nothing may be left out, every run looks at the same examples; elsewhere each looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
if os.environ.get("INKSEAL_REQUIRE_ALL") == "1":
    settings.load_profile("steady")

MODELS = Path(os.environ.get("INKSEAL_TEST_MODELS") or user_cache_path("inkseal-tests")).absolute()
"""A data folder whose models tests may read; what is there is not fetched again."""


def pytest_runtest_setup() -> None:
    """Lets the alarm of a test that hangs be heard, whatever an engine of an earlier one did to the signal stack."""
    keep_signal_stack()


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSEAL_LANGUAGE", "en")


def leave_out(what: str, add: str) -> NoReturn:
    """Leaves a test out and says in one line what it lacks and how to add it; under INKSEAL_REQUIRE_ALL=1 it fails."""
    line = f"left out: {what} is not here; add it with: {add}"
    if os.environ.get("INKSEAL_REQUIRE_ALL") == "1":
        pytest.fail(line, pytrace=False)
    pytest.skip(line)


@pytest.fixture(scope="session")
def needs() -> Callable[[str], None]:
    """Leaves the test out unless a package of the extra `clients` is installed."""

    def check(package: str) -> None:
        if find_spec(package) is None:
            leave_out(f"the package {package!r}", "pip install 'inkseal[clients]'")

    return check


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that the settings of this test point at."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("INKSEAL_DATA_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def tiny_model() -> LocalModel:
    """SmolLM2-135M-Instruct as GGUF."""
    return Catalog(MODELS).pull("tiny")


@pytest.fixture(scope="session")
def small_model() -> LocalModel:
    """Qwen2.5-Coder-0.5B-Instruct as GGUF, which was taught tools."""
    return _large("small")


@pytest.fixture(scope="session")
def default_model() -> LocalModel:
    """Qwen2.5-Coder-1.5B-Instruct as GGUF, which a new user meets."""
    return _large("default")


def _large(name: str) -> LocalModel:
    """Returns a model that is too large to be fetched for a test."""
    try:
        return Catalog(MODELS).pull(name, offline=True)
    except FetchFailed:
        leave_out(f"the model {name!r}", f"INKSEAL_DATA_DIR={MODELS} inkseal models pull {name}")


@pytest.fixture(scope="session")
def embedding_model() -> LocalModel:
    """universal-sentence-encoder-multilingual-3 as ONNX."""
    return Catalog(MODELS).pull("embedding")


@pytest.fixture(scope="session")
def upscaler_model() -> LocalModel:
    """Real-ESRGAN for drawings, in ncnn's files."""
    return Catalog(MODELS).pull("upscaler")


@pytest.fixture(scope="session")
def tiny_gguf(tiny_model: LocalModel) -> Path:
    """The GGUF file of the tiny model."""
    return next(tiny_model.folder / name for name in tiny_model.files)


@pytest.fixture(scope="session")
def hub_model(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    """The tiny model as a folder of safetensors, for torch."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        leave_out("transformers", "pip install 'inkseal[torch]'")
    from hub_maker import hub_folder
    from inkseal.formats.validate import validate

    folder = hub_folder(tiny_gguf, tmp_path_factory.mktemp("hub") / "tiny", dtype="BF16")
    return Catalog(tmp_path_factory.mktemp("hub-data")).bring(folder, "tiny-hub", validate=validate)


@pytest.fixture(scope="session")
def real_studio(tiny_model: LocalModel, embedding_model: LocalModel) -> Iterator[Studio]:
    """A studio with the tiny model and the embedding; tests share it, so they must not count on an empty store."""
    with Studio.open(MODELS) as studio:
        yield studio
