"""Which backend a model gets, and what loading it will take: worked out once for the same files and settings."""

from pathlib import Path

import pytest

from inkseal.core.config import Settings
from inkseal.core.errors import Unsupported
from inkseal.core.protocols import LocalModel
from inkseal.studio.engines import Engines
from inkseal.studio.generate.backends.echo import Echo


def test_a_forecast_is_made_anew_when_files_or_settings_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Echo, "forecast_bytes", lambda self, model: asked.append(model.name) or len(asked))
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"a")
    facts = {"task": "generate", "format": "echo", "context_tokens": 8, "licence": "MIT", "sha256": "0" * 64}
    model = LocalModel(name="m", folder=tmp_path, files={"weights.bin": "0" * 64, "gone.bin": "0" * 64}, **facts)
    engines = Engines(Settings(data_dir=tmp_path), lambda name: model)
    key, num_bytes = engines.forecast(model, "generate")
    assert (key, num_bytes) == (f"echo:{'0' * 64}", 1)
    assert engines.forecast(model, "generate") == (key, 1)
    weights.write_bytes(b"ab")
    assert engines.forecast(model, "generate") == (key, 2)
    engines.use(Settings(data_dir=tmp_path, backends={"echo": {"any_model": True}}))
    assert [engines.forecast(model, "generate") for _ in range(2)] == [(key, 3)] * 2
    assert asked == ["m"] * 3


def test_the_backend_of_the_settings_is_for_texts_and_keeps_no_picture_from_being_made(tmp_path: Path) -> None:
    facts = {"task": "generate", "format": "echo", "context_tokens": 8, "licence": "MIT", "sha256": "0" * 64}
    model = LocalModel(name="m", folder=tmp_path, files={}, **facts)
    engines = Engines(Settings(data_dir=tmp_path, backend="llama_cpp"), lambda name: model)
    assert engines.backend_for(model.model_copy(update={"modality": "image"}), "generate").name == "echo"
    with pytest.raises(Unsupported, match="llama_cpp"):
        engines.backend_for(model, "generate")
