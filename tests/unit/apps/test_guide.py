"""The app that the guide shows is an app."""

from pathlib import Path

import pytest

from inkseal.apps.computations import computations
from inkseal.apps.definition import read_app
from inkseal.apps.rules import rules
from inkseal.apps.steps import steps
from inkseal.modalities.text.fences import fenced

GUIDE = Path(__file__).parents[3] / "docs" / "guide"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_example_can_be_used(language: str) -> None:
    page = (GUIDE / language / "apps.md").read_text(encoding="utf-8")
    (example,) = [block.text for block in fenced(page) if block.text.startswith("format = 1")]
    assert read_app(example.encode(), own=True).app.name == "haiku"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_is_in_the_guide(language: str) -> None:
    page = (GUIDE / language / "apps.md").read_text(encoding="utf-8")
    for name in (*steps, *rules, *computations):
        assert f"| `{name}` |" in page, name
    for name in rules:
        own = set(rules[name].config.model_fields) - {"kind", "step", "path", "must", "when", "language"}
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert own <= {field for field in own if f"`{field}" in row}, (name, row)
