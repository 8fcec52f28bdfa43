"""`inkseal models` offline: nothing is asked of the hub."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from inkseal.catalog import adopt
from inkseal.cli.models import app
from inkseal.core.errors import FetchFailed


@pytest.mark.parametrize("by", ["the option", "the settings"])
def test_a_repository_of_the_hub_is_not_looked_up_offline(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(adopt, "adopt", lambda repo, **_: asked.append(repo))
    if by == "the settings":
        (data_dir / "settings.toml").write_text("offline = true\n")
    result = CliRunner().invoke(app, ["pull", "owner/model", *(["--offline"] if by == "the option" else [])])
    assert isinstance(result.exception, FetchFailed)
    assert "offline" in str(result.exception)
    assert asked == []
