"""How fast this machine reads memory: the bound on how fast any model of a given size can speak."""

import threading
import time

from inkseal.runtime.device import usable_cores

BLOCK_BYTES = 256 << 20


def memory_bandwidth(seconds: float = 0.4) -> float:
    """Returns the bytes per second that all usable cores together read from memory.

    Each core sums a block larger than its caches, which reads every byte once. Decoding one token reads all weights
    once, so bandwidth ÷ model size bounds the tokens per second of one conversation.
    """
    import numpy as np

    cores = usable_cores()
    blocks = [np.ones(BLOCK_BYTES // 8, dtype=np.float64) for _ in range(cores)]
    read = [0] * cores
    start = threading.Barrier(cores + 1)

    def work(core: int) -> None:
        start.wait()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            np.add.reduce(blocks[core])
            read[core] += BLOCK_BYTES

    threads = [threading.Thread(target=work, args=(core,)) for core in range(cores)]
    for thread in threads:
        thread.start()
    start.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    return sum(read) / (time.perf_counter() - begin)
