"""Device: what a process held at most."""

import os
import subprocess
import sys

from inkseal.runtime.device import peak_memory_bytes


def test_the_peak_outlives_what_was_held() -> None:
    held = "x = bytearray(b'1') * 80_000_000; del x; print('done', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "done\n"
        peak = peak_memory_bytes(child.pid)
        child.communicate("\n")
    assert peak is not None
    assert 80_000_000 < peak < 400_000_000
    assert peak_memory_bytes(child.pid) is None


def test_one_s_own_process_holds_something() -> None:
    assert (peak_memory_bytes(os.getpid()) or 0) > 10_000_000
