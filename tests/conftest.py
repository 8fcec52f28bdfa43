"""Shared fixtures: a fresh data folder for each test, and real models, fetched once and kept."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from inkseal import Studio
from inkseal.catalog.catalog import Catalog
from inkseal.core.errors import FetchFailed
from inkseal.core.protocols import LocalModel

MODELS = Path(os.environ.get("INKSEAL_TEST_MODELS") or user_cache_path("inkseal-tests")).absolute()
"""A data folder whose models tests may read; what is there is not fetched again."""


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSEAL_LANGUAGE", "en")


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
    """Qwen2.5-Coder-0.5B-Instruct as GGUF; skips where neither the cache nor INKSEAL_MODEL_PATH has it."""
    try:
        return Catalog(MODELS).pull("small", offline=True)
    except FetchFailed as error:
        pytest.skip(error.what)


@pytest.fixture(scope="session")
def embedding_model() -> LocalModel:
    """universal-sentence-encoder-multilingual-3 as ONNX."""
    return Catalog(MODELS).pull("embedding")


@pytest.fixture(scope="session")
def tiny_gguf(tiny_model: LocalModel) -> Path:
    """The GGUF file of the tiny model."""
    return next(tiny_model.folder / name for name in tiny_model.files)


@pytest.fixture(scope="session")
def real_studio(tiny_model: LocalModel, embedding_model: LocalModel) -> Iterator[Studio]:
    """A studio with the tiny model and the embedding; tests share it, so they must not count on an empty store."""
    with Studio.open(MODELS) as studio:
        yield studio
