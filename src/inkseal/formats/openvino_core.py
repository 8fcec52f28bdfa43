"""The one OpenVINO core of the process, and silence: call before the first import of `openvino`.

Knows only the Python package that does the reporting; the C++ libraries have no such code.
"""

import sys
from functools import cache
from typing import Any


def silence_telemetry() -> None:
    """Hides `openvino_telemetry`, so that OpenVINO falls back on its own do-nothing stub.

    Importing `openvino` otherwise counts the import, writes a client id into the home folder and sends an event,
    without asking; there is no environment variable against it. Harmless to call again.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes the import fail


@cache
def core() -> Any:
    """Returns the `openvino.Core` of this process, which is never freed.

    Its CPU plug-in replaces the stack that signal handlers run on, and puts the one before it back when it goes. Cores
    that come and go in any order leave a stack that is no longer mapped, and the next Ctrl-C ends the process.
    """
    silence_telemetry()
    import openvino

    return openvino.Core()
