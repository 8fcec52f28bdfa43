"""Ctrl-C, and where asked for other signals, as a request to stop, so that what is half done is ended whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from inkseal.runtime.signals import keep_signal_stack


@contextmanager
def interruptible(*others: signal.Signals) -> Iterator[threading.Event]:
    """Turns the first Ctrl-C, or the first of `others`, into a cancel signal; a second one ends the program."""
    cancel = threading.Event()
    signals = (signal.SIGINT, *others)

    def stop(*_: object) -> None:
        restore()
        cancel.set()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    keep_signal_stack()  # an engine that was used directly may have left one that is gone
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield cancel
    finally:
        restore()
