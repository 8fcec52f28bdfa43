"""The three plug-ins of CONTRIBUTING.md, taken from the page, installed as another distribution, and used."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkseal import Studio, TextRequest
from inkseal.core.errors import InksealError
from inkseal.core.registry import Registry
from inkseal.studio.generate.backends import backends
from inkseal.studio.guard.checks import checks
from inkseal.studio.provenance.marks import marks

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
CARD = """
name = "mirror"
task = "generate"
format = "reverse"
title = { en = "Mirror", zh = "镜子" }
description = { en = "Backwards.", zh = "倒着说。" }
limits = { en = "None.", zh = "无。" }
licence = { upstream = "MIT" }
context_tokens = 1000
"""


def _blocks(language: str) -> Iterator[tuple[str, str]]:
    for block in re.findall(rf"```{language}\n(.*?)```", PAGE, re.S):
        name = block.split("\n", 1)[0]
        if name.startswith("# ") and name.endswith((".py", ".toml")):
            yield name.removeprefix("# "), block


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lays the page's package on the path with the metadata that an installer would write."""
    site = tmp_path / "site"
    for name, text in _blocks("python"):
        target = site / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    project = tomllib.loads(dict(_blocks("toml"))["pyproject.toml"])["project"]
    info = site / "inkseal_example-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items()) for group, entries in groups]
    (info / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(site))
    yield
    for name in [module for module in sys.modules if module.startswith("inkseal_example")]:
        del sys.modules[name]


@pytest.mark.parametrize(("registry", "name"), [(backends, "reverse"), (checks, "shouting"), (marks, "colophon")])
def test_without_the_package_the_plug_in_is_not_there(registry: Registry[object], name: str) -> None:
    assert name not in registry


@pytest.mark.usefixtures("installed")
def test_a_backend_a_check_and_a_mark_from_outside_take_part_in_the_story(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "cards").mkdir()
    (data_dir / "cards" / "mirror.toml").write_text(CARD)
    (data_dir / "settings.toml").write_text("[checks.shouting]\nmin_letters = 4\n")
    with Studio.open() as studio:
        result = studio.run(TextRequest.of("stop SHOUTING now", model="mirror"))
        report = studio.export(result.artifacts[0].id, tmp_path / "out.md")
        found = studio.verify((tmp_path / "out.md").read_bytes(), "out.md")
    assert result.text == "won GNITUOHS pots"
    assert [v.stage for v in result.verdicts if v.check == "shouting" and v.action == "flag"] == ["prompt", "result"]
    assert "colophon" in report.marks
    assert found.layer("colophon").state == "present"
    assert found.layer("colophon").artifact_id == result.run_id
    assert found.intact


@pytest.mark.usefixtures("installed")
def test_config_of_a_check_from_outside_is_closed_too(data_dir: Path) -> None:
    (data_dir / "settings.toml").write_text("[checks.shouting]\nmin_leters = 4\n")
    with Studio.open() as studio, pytest.raises(InksealError, match=r"checks\.shouting\.min_leters"):
        studio.run(TextRequest.of("hi", model="echo"))
