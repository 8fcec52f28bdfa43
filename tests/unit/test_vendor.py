"""The libraries in the repository are those that are listed, byte for byte."""

from pathlib import Path

import pytest

import vendor


@pytest.mark.parametrize("folder", vendor.FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_file_is_the_listed_one(folder: Path) -> None:
    assert list(vendor.faults(folder)) == []
    for entry in vendor.listed(folder):
        assert {"path", "package", "version", "licence", "member", "sha256"} == set(entry)


def test_a_changed_a_missing_and_an_unlisted_file_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor, "ROOT", tmp_path)
    entry = '[[file]]\npath = "{}"\nsha256 = "00"\n'
    (tmp_path / "vendor.toml").write_text(entry.format("a.js") + entry.format("b.js"))
    (tmp_path / "a.js").write_text("changed")
    (tmp_path / "c.js").write_text("new")
    told = list(vendor.faults(tmp_path))
    assert [line.split(":")[0] for line in told] == ["a.js", "b.js", "c.js"]
    assert "missing" in told[1]
