"""Keeps OpenVINO from reporting home: call before the first import of `openvino` in a process.

Knows only the Python package that does the reporting; the C++ libraries have no such code.
"""

import sys


def silence_telemetry() -> None:
    """Hides `openvino_telemetry`, so that OpenVINO falls back on its own do-nothing stub.

    Importing `openvino` otherwise counts the import, writes a client id into the home folder and sends an event,
    without asking; there is no environment variable against it. Harmless to call again.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes the import fail
