"""A process that misbehaves as its first message asks; tests start it in place of an engine's."""

import os
import signal
import socket
import sys
import time

from inkseal.runtime.engine_host import serve, settle


def load(values, on_event, cancel):
    """Does what `values["does"]` names."""
    does = values["does"]
    if does == "garbage":
        sock.sendall(b"\x00\x00\x00\x04\x00\x00\x00\x00oops")
        time.sleep(60)
    if does == "hang":
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(60)  # the signal may reach another thread first
    if does == "print":
        os.write(1, b"said \x1b[31mred\n")
        raise RuntimeError("-".join(("secret", "of", "the", "user")))
    if does == "deaf":
        while True:
            time.sleep(1)
    raise MemoryError


if __name__ == "__main__":
    settle(int(sys.argv[2]))
    sock = socket.socket(fileno=int(sys.argv[1]))
    serve(sock, load, None)
