"""A dataset's folder is whole or absent, whenever its builder dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inkseal.core.errors import InUse
from inkseal.workshop.data.folder import replacing, restore


def _build(folder: Path, text: str) -> None:
    with replacing(folder) as building:
        (building / "card.json").write_text(text)


def test_a_build_appears_and_replaces(tmp_path: Path) -> None:
    _build(tmp_path / "set", "one")
    _build(tmp_path / "set", "two")
    assert (tmp_path / "set" / "card.json").read_text() == "two"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".set.lock", "set"]


def test_an_error_leaves_the_earlier_one(tmp_path: Path) -> None:
    _build(tmp_path / "set", "one")

    def fail() -> None:
        with replacing(tmp_path / "set") as building:
            (building / "card.json").write_text("two")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "set" / "card.json").read_text() == "one"
    assert not (tmp_path / ".set.building").exists()


def test_two_builders_do_not_meet(tmp_path: Path) -> None:
    with replacing(tmp_path / "set"), pytest.raises(InUse), replacing(tmp_path / "set"):
        pass


def test_death_between_the_renames_is_healed(tmp_path: Path) -> None:
    _build(tmp_path / "set", "one")
    (tmp_path / "set").rename(tmp_path / ".set.before")
    restore(tmp_path / "set")
    assert (tmp_path / "set" / "card.json").read_text() == "one"


LOOP = """
import sys
from pathlib import Path
from inkseal.workshop.data.folder import replacing
for number in range(100_000):
    with replacing(Path(sys.argv[1])) as building:
        for name in ("a", "b", "c"):
            (building / name).write_text(str(number))
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_killed_at_any_instant_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for instant in range(8):
        process = subprocess.Popen([sys.executable, "-c", LOOP, str(folder)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.013 * instant)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        restore(folder)
        found = {path.name: path.read_text() for path in folder.iterdir()}
        assert set(found) == {"a", "b", "c"}
        assert len(set(found.values())) == 1
