"""Runs a few lines of Python in a process of their own, and says what time and memory they took."""

import subprocess
import sys
from typing import NamedTuple

_PROGRAM = """
import resource, sys, time

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

{before}
_start, _begin = peak(), time.process_time()
{measured}
print()
print(time.process_time() - _begin, peak() - _start, _start)
"""


class Measured(NamedTuple):
    """What a run printed, the processor's time it took, by how much its memory grew at the most, and from where."""

    printed: str
    seconds: float
    grown_bytes: int
    before_bytes: int


def measured_run(before: str, measured: str, *arguments: str) -> Measured:
    """Returns what `measured` took after `before`; both find the arguments in `sys.argv[1:]`."""
    program = _PROGRAM.format(before=before, measured=measured)
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed, _, figures = done.stdout.rstrip("\n").rpartition("\n")
    seconds, grown_bytes, before_bytes = figures.split()
    return Measured(printed.strip(), float(seconds), int(grown_bytes), int(before_bytes))
