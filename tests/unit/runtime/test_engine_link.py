"""What an engine's process sends: something unreadable must not lose the call that it is for."""

import threading

import pytest

from inkseal.runtime.engine_link import Call, EngineLink
from inkseal.runtime.engine_wire import Garbled


def test_an_error_that_cannot_be_read_leaves_its_call_to_be_told() -> None:
    link = EngineLink.__new__(EngineLink)  # without a process
    call = Call(1)
    link._changing, link._calls = threading.Lock(), {1: call}
    with pytest.raises(Garbled):
        link._take(["error", 1], memoryview(b""))
    assert link._calls == {1: call}
