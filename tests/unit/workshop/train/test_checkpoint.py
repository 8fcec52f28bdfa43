"""A checkpoint that the disk cannot take: told clearly, and nothing that was there is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("resource")

from inkseal.workshop.train.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402

FULL = """
import resource, sys
from pathlib import Path
import torch
from inkseal.core.errors import NotEnoughSpace
from inkseal.workshop.train.checkpoint import save_checkpoint

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save_checkpoint(Path(sys.argv[1]), 2, {"weights": {"a": torch.zeros(50_000)}}, {})
except NotEnoughSpace as error:
    print("refused", error)
"""


def test_a_full_disk_is_told_and_the_checkpoint_before_stays(tmp_path: Path) -> None:
    weights = {"weights": {"a": torch.arange(5.0)}}
    save_checkpoint(tmp_path, 1, weights, {"seed": 3})
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.startswith("refused"), done.stderr
    assert "step-000000002" in done.stdout
    assert f"Free space under {tmp_path};" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001"]
    found = load_checkpoint(tmp_path)
    assert found is not None
    step, tensors, state = found
    assert (step, state) == (1, {"seed": 3})
    assert torch.equal(tensors["weights"]["a"], weights["weights"]["a"])
