"""Folders that several threads make at once."""

from pathlib import Path

import pytest

from inkseal.core.errors import StoreError
from inkseal.store.durable import make_folder


def test_a_folder_that_somebody_else_makes_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, is_dir, asked = tmp_path / "known", Path.is_dir, []

    def late(path: Path, **options: bool) -> bool:
        if path == folder and not asked:
            asked.append(path)
            folder.mkdir()
            return False  # as it was a moment ago
        return is_dir(path, **options)

    monkeypatch.setattr(Path, "is_dir", late)
    make_folder(folder)
    assert asked == [folder]
    assert is_dir(folder)


def test_a_file_of_the_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "known").write_text("x")
    with pytest.raises(StoreError, match="not a folder"):
        make_folder(tmp_path / "known")
