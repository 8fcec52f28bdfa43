"""Ctrl-C while a command works: heard even where an engine left the process without a stack for handlers."""

import subprocess
import sys

import pytest

CODE = """
import ctypes, mmap, os, signal
from inkseal.cli._signals import interruptible
from inkseal.runtime.signals import SIZE_BYTES, _Stack

memory = mmap.mmap(-1, SIZE_BYTES)
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
libc = ctypes.CDLL(None)
assert libc.sigaltstack(ctypes.byref(_Stack(start, 0, SIZE_BYTES)), None) == 0
assert libc.munmap(ctypes.c_void_p(start), ctypes.c_size_t(SIZE_BYTES)) == 0
with interruptible(signal.SIGTERM) as cancel:
    os.kill(os.getpid(), signal.SIGTERM)
    print(cancel.is_set(), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="left out: signal stacks are kept on Linux only")
def test_a_signal_is_heard_although_its_stack_was_freed() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr
