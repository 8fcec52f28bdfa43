"""A model that goes at once, on a crowded machine: llama.cpp must not wait for a loop that never ran."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inkseal.core.protocols import LocalModel

CODE = """
import sys, threading
from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.studio.generate.backends.llama_cpp import LlamaCpp, LlamaCppConfig

model = LocalModel.model_validate_json(sys.argv[1])
for _ in range(3):
    LlamaCpp(LlamaCppConfig(cache_tokens=256)).load(model, 2, ignore, threading.Event()).close()
print("closed")
"""


@contextmanager
def crowd(count: int) -> Iterator[None]:
    """Keeps `count` processes busy while the block runs."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.mark.model
def test_a_model_that_goes_at_once_ends_on_a_crowded_machine(tiny_model: LocalModel, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="left out: pip install 'inkseal[llama]'")
    command = [sys.executable, "-c", CODE, tiny_model.model_dump_json()]
    with crowd(4):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert done.stdout.split()[-1:] == ["closed"], (done.returncode, done.stderr[-2000:])
