"""Keeps the stack that signal handlers run on alive, whatever engines do to it. Does nothing but on Linux."""

import ctypes
import sys
import threading
from functools import cache
from typing import Any

SIZE_BYTES = 64 << 10
"""Several times what the kernel saves for a handler on a processor with the widest registers."""


class _Stack(ctypes.Structure):
    """`stack_t` of sigaltstack(2)."""

    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


@cache
def _ours() -> tuple[Any, _Stack]:
    memory = ctypes.create_string_buffer(SIZE_BYTES)  # never freed: cached with the process
    return memory, _Stack(ctypes.addressof(memory), 0, SIZE_BYTES)


def keep_signal_stack() -> None:
    """Gives the main thread a signal stack that is never freed; call it after an engine came or went.

    OpenVINO's CPU plug-in gives the thread that loads it a stack of its own and frees that stack when it goes, from
    whichever thread. The next Ctrl-C would then end the process, because there is nowhere to run its handler.
    """
    if sys.platform == "linux" and threading.current_thread() is threading.main_thread():
        ctypes.CDLL(None).sigaltstack(ctypes.byref(_ours()[1]), None)
