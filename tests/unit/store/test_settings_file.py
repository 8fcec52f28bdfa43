"""settings.toml is changed line by line: what people wrote beside stays, and a change is read back as it was meant."""

import tomllib
from pathlib import Path

import pytest

from inkseal.core.config import load_settings
from inkseal.core.errors import InvalidRequest, StoreError
from inkseal.store.settings_file import change_settings, changed_settings

OWN = """\
# how we label
regime = "cn"  # asked for by the lawyers

[checks.limits]  # sizes
max_chars = 10  # ten
max_parts = 5

# the door
[serve]
port = 9  # nine
"""


def _file(folder: Path, text: str = OWN) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_only_the_changed_lines_change(tmp_path: Path) -> None:
    file = _file(tmp_path)
    settings = change_settings(tmp_path, {"regime": "eu", "threads": 2, "checks.limits": {"max_chars": 20}})
    assert (settings.regime, settings.threads, settings.checks) == ("eu", 2, {"limits": {"max_chars": 20}})
    expected = OWN.replace('regime = "cn"', 'regime = "eu"').replace("= 10 ", "= 20 ").replace("max_parts = 5\n", "")
    assert [line for line in file.read_text().splitlines() if line != "threads = 2"] == expected.splitlines()
    assert load_settings(tmp_path) == settings


def test_a_value_goes_back_to_its_default_and_comments_stay(tmp_path: Path) -> None:
    file = _file(tmp_path)
    settings = change_settings(tmp_path, {"regime": None, "checks.limits": None, "language": None})
    assert (settings.regime, settings.checks) == ("both", {"limits": {}})
    text = file.read_text()
    assert "regime" not in text
    assert "# the door\n[serve]" in text


def test_a_new_check_is_added_at_the_end_also_of_nothing(tmp_path: Path) -> None:
    change_settings(tmp_path, {"checks.injection": {"classifier": False}})
    change_settings(tmp_path, {"checks.injection": {"own_action": "block"}, "producer": '墨"\\\n'})
    found = tomllib.loads((tmp_path / "settings.toml").read_text(encoding="utf-8"))
    assert found == {"producer": '墨"\\\n', "checks": {"injection": {"own_action": "block"}}}
    file = _file(tmp_path)
    change_settings(tmp_path, {"checks.injection": {"classifier": False}})
    assert file.read_text() == OWN + "\n[checks.injection]\nclassifier = false\n"
    assert file.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    "text",
    [
        "checks.limits.max_chars = 6\n[serve]\nport = 1\n",
        "[checks]\nlimits.max_chars = 5  # y\n",
        "[checks.limits]\nmax_chars = 5\n[serve]\nport = 1\n[checks.personal_data]\nmin_score = 0.7\n",
    ],
)
def test_other_ways_of_writing_are_kept(tmp_path: Path, text: str) -> None:
    _file(tmp_path, text)
    before = load_settings(tmp_path)
    after = change_settings(tmp_path, {"checks.limits": {"max_chars": 7}, "regime": "cn"})
    assert after == before.model_copy(update={"regime": "cn", "checks": before.checks | {"limits": {"max_chars": 7}}})
    assert load_settings(tmp_path) == after


def test_what_cannot_be_kept_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    text = "checks = { limits = { max_chars = 4 } }  # in one line\n"
    file = _file(tmp_path, text)
    with pytest.raises(InvalidRequest, match="by hand"):
        change_settings(tmp_path, {"checks.injection": {"classifier": False}})
    for change in ({"regime": "mars"}, {"nothing": 1}, {"threads": 0}):
        with pytest.raises(InvalidRequest):
            change_settings(tmp_path, change)
    assert file.read_text() == text
    assert changed_settings(tmp_path, {"regime": "eu"}).regime == "eu"
    assert file.read_text() == text


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text('regime = "cn"\n')
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "settings.toml").symlink_to(outside)
    with pytest.raises(StoreError):
        change_settings(folder, {"regime": "eu"})
    assert outside.read_text() == 'regime = "cn"\n'
