"""The figures that go with the product are those of the last measurement."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from inkseal.serve.routes.guard import measured, measured_pictures
from inkseal.studio.guard.checks import checks

BENCHMARKS = Path(__file__).parents[4] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("guard_benchmark", BENCHMARKS / "guard.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("guard_measure", "guard_embedder", "guard_split"):
        sys.modules.pop(name, None)


def test_the_packaged_figures_are_the_measured_ones(benchmark: Any) -> None:
    results = json.loads(benchmark.RESULTS.read_text("utf-8"))
    assert json.loads(json.dumps(benchmark.summary(results))) == measured()


def test_every_check_has_figures_and_no_text_is_among_them() -> None:
    found = measured()
    pictures = measured_pictures()["checks"]
    assert set(checks) <= found["checks"].keys() | pictures.keys()
    harmless = pictures["image_safety"]["figures"]["harmless"]
    assert harmless["blocked"]["total"] >= 300
    assert harmless["blocked"]["low"] <= harmless["blocked"]["rate"] <= harmless["blocked"]["high"] < 0.05
    assert pictures["image_safety"]["milliseconds_per_picture"]["p50"] > 0
    for name, facts in found["checks"].items():
        assert facts["milliseconds_per_1000_chars"].keys() == {"en", "zh"}, name
    for language in ("en", "zh"):
        rates = found["checks"]["injection"]["figures"][language]
        assert 0 < rates["recall"]["low"] < rates["recall"]["rate"] < rates["recall"]["high"] < 1
