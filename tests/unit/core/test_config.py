from pathlib import Path

import pytest

from inkseal.core.config import load_settings
from inkseal.core.errors import InvalidRequest


def test_the_environment_wins_over_the_file(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data_dir / "settings.toml").write_text('regime = "cn"\nthreads = 1\n')
    monkeypatch.setenv("INKSEAL_REGIME", "eu")
    settings = load_settings()
    assert (settings.regime, settings.threads) == ("eu", 1)


@pytest.mark.parametrize("text", ["regime = 'mars'", "no_such = 1", "threads = 0", "not toml at all ["])
def test_a_bad_setting_is_named(data_dir: Path, text: str) -> None:
    (data_dir / "settings.toml").write_text(text)
    with pytest.raises(InvalidRequest, match=r"settings\.toml"):
        load_settings()


def test_config_of_a_check_is_a_table(data_dir: Path) -> None:
    (data_dir / "settings.toml").write_text("[checks.limits]\nmax_chars = 5\n")
    assert load_settings().checks == {"limits": {"max_chars": 5}}
