"""Shared fixtures: a fresh data folder for each test, and real models, fetched once."""

import os
from pathlib import Path

import pytest


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


def _model_file(variable: str) -> Path:
    path = Path(os.environ.get(variable, ""))
    if not path.is_file():
        pytest.skip(f"{variable} names no model file")
    return path


@pytest.fixture(scope="session")
def tiny_gguf() -> Path:
    """SmolLM2-135M-Instruct Q4_1 as GGUF."""
    return _model_file("INKSEAL_TINY_GGUF")
