"""`inkseal data` says what there is, and how to get what is not."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inkseal.cli.data import app
from inkseal.core.errors import InvalidRequest


def test_datasets_are_listed_before_they_are_built(data_dir: Path) -> None:
    result = CliRunner().invoke(app, ["list", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"pictures": False, "pictures_share_alike": False}
    assert "not built" in CliRunner().invoke(app, ["list"]).stdout


def test_showing_what_is_not_built_says_how(data_dir: Path) -> None:
    result = CliRunner().invoke(app, ["show", "pictures"])
    assert isinstance(result.exception, InvalidRequest)
    assert "inkseal data build pictures" in result.exception.fix


@pytest.mark.parametrize("name", ["../..", "/etc", "a/b", "."])
def test_a_name_is_no_path(name: str, data_dir: Path) -> None:
    result = CliRunner().invoke(app, ["show", name])
    assert isinstance(result.exception, InvalidRequest)
    assert "dataset" in result.exception.what
