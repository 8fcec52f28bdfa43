"""A converted model is served only when its perplexity holds and every byte is the recorded one."""

import json
import shutil
import threading
from functools import partial
from pathlib import Path

import pytest

from inkseal.core.errors import ModelFileRefused
from inkseal.core.events import Event, Noted, ignore
from inkseal.core.protocols import LocalModel
from inkseal.formats import ir
from inkseal.formats.checkpoint import Checkpoint
from inkseal.formats.perplexity import LIMIT
from inkseal.studio.generate.backends import _openvino_conversion as conversion
from inkseal.studio.generate.backends._openvino_conversion import candidates, converted
from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

pytestmark = pytest.mark.model
PROPERTIES = partial(Openvino(OpenvinoConfig()).accuracy_properties, num_weights=135_000_000)
NEVER = threading.Event()


@pytest.fixture
def model(tiny_model: LocalModel, tmp_path: Path) -> LocalModel:
    """The tiny model in a folder of its own."""
    for name in tiny_model.files:
        shutil.copyfile(tiny_model.folder / name, tmp_path / name)
    return tiny_model.model_copy(update={"folder": tmp_path})


def _source(model: LocalModel) -> Path:
    return next(model.folder / name for name in model.files)


def _opened(model: LocalModel) -> Checkpoint:
    return ir.open_checkpoint(_source(model))


def test_a_conversion_is_made_once(model: LocalModel) -> None:
    first = converted(model, _opened(model), ("int8",), PROPERTIES, ignore, NEVER)
    made = (first.folder / "openvino_model.bin").stat().st_mtime_ns
    assert converted(model, _opened(model), ("int8",), PROPERTIES, ignore, NEVER) == first
    assert (first.folder / "openvino_model.bin").stat().st_mtime_ns == made


def test_what_loses_too_much_is_passed_over_and_leaves_nothing(model: LocalModel) -> None:
    heard: list[Event] = []
    chosen = converted(model, _opened(model), ("int4_asym_64", "int8"), PROPERTIES, heard.append, NEVER)
    assert chosen.weight_format == "int8"
    assert max(chosen.perplexity_ratios.values()) <= LIMIT
    assert [event for event in heard if isinstance(event, Noted) and "int4_asym_64" in event.text]
    assert not list(model.folder.glob("ir-int4*"))


def test_without_a_format_that_holds_nothing_is_served(model: LocalModel) -> None:
    with pytest.raises(ModelFileRefused, match="within 3 %"):
        converted(model, _opened(model), ("int4_asym_64",), PROPERTIES, ignore, NEVER)


def test_the_recorded_perplexity_is_what_a_measurement_gives(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = conversion._known()[model.sha256]
    monkeypatch.setattr(conversion, "_known", lambda: {model.sha256: {"source": known["source"]}})
    measured = converted(model, _opened(model), ("int8",), PROPERTIES, ignore, NEVER).perplexity_ratios
    recorded = known["ratios"][f"int8-v{ir.VERSION}"]
    assert measured == pytest.approx(recorded, abs=0.01)


@pytest.mark.parametrize("name", ["openvino_model.bin", "openvino_model.xml", "openvino_detokenizer.bin"])
def test_fault_37_a_flipped_byte_in_a_converted_model_is_refused(model: LocalModel, name: str) -> None:
    folder = converted(model, _opened(model), ("int8",), PROPERTIES, ignore, NEVER).folder
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelFileRefused, match=name.replace(".", r"\.")):
        converted(model, _opened(model), ("int8",), PROPERTIES, ignore, NEVER)


def test_fault_37_a_flipped_byte_in_the_source_is_refused_before_it_is_converted(model: LocalModel) -> None:
    source = _source(model)
    data = bytearray(source.read_bytes())
    data[-1000] ^= 1
    source.write_bytes(data)
    with pytest.raises(ModelFileRefused, match="SHA-256"):
        converted(model, _opened(model), ("int8",), PROPERTIES, ignore, NEVER)
    assert not list(model.folder.glob("ir-*"))


def test_a_conversion_of_another_source_is_not_used(model: LocalModel) -> None:
    folder = converted(model, _opened(model), ("int8",), PROPERTIES, ignore, NEVER).folder
    facts = json.loads((folder / ir.FACTS).read_text())
    (folder / ir.FACTS).write_text(json.dumps(facts | {"source_sha256": "0" * 64}))
    with pytest.raises(ModelFileRefused, match="not made from this model"):
        converted(model, _opened(model), ("int8",), PROPERTIES, ignore, NEVER)


def test_large_models_try_four_bits_first() -> None:
    assert candidates(135_000_000)[0] == "int8"
    assert candidates(1_500_000_000)[0] == "int4_exact_32"
    assert candidates(1_500_000_000, keeps_codes=False)[0] == "int8"
