"""The command line starts light: no heavy package is loaded before it is needed."""

import subprocess
import sys

HEAVY = ("torch", "transformers", "openvino", "openvino_genai", "diffusers", "fastapi", "sqlalchemy", "alembic",
         "tokenizers", "huggingface_hub", "numpy", "cryptography", "c2pa", "fpdf", "jinja2", "rich")  # fmt: skip


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_the_command_line_loads_no_heavy_package() -> None:
    loaded = _run("import sys, inkseal.cli, inkseal.cli._group; print(' '.join(sys.modules))").split()
    assert not set(HEAVY) & set(loaded)


def test_importing_the_package_loads_nothing_of_ours() -> None:
    loaded = _run("import sys, inkseal; print(' '.join(m for m in sys.modules if m.startswith('inkseal')))").split()
    assert loaded == ["inkseal"]


def _seconds(code: str) -> float:
    """Returns the processor time: the clock would also count what else the machine was doing."""
    return float(_run(f"{code}; import time; print(time.process_time())"))


def test_importing_the_command_line_costs_under_200_ms_more_than_bare_python() -> None:
    # The least of several pairs is what the import costs; the rest is cold caches.
    extra = min(_seconds("import inkseal.cli._group") - _seconds("pass") for _ in range(7))
    assert extra < 0.2, f"{extra * 1000:.0f} ms"
