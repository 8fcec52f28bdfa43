"""What this machine has: cores, memory, instruction sets. Knows nothing of GPUs that no engine here uses."""

import os
import platform
from pathlib import Path

import psutil

from inkseal.core.types import Closed


class Device(Closed):
    """The facts that decide which model fits and how fast it can be."""

    processor: str
    num_cores: int
    memory_bytes: int
    available_bytes: int
    instruction_sets: tuple[str, ...]
    system: str


_WANTED = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd")


def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def usable_cores() -> int:
    """Returns the cores this process may run on; a container's mask counts, not the machine's total."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def describe() -> Device:
    """Reads the machine's facts now."""
    info = _cpuinfo()
    memory = psutil.virtual_memory()
    flags = set((info.get("flags") or info.get("Features") or "").split())
    return Device(
        processor=info.get("model name") or platform.processor() or platform.machine(),
        num_cores=usable_cores(),
        memory_bytes=memory.total,
        available_bytes=memory.available,
        instruction_sets=tuple(flag for flag in _WANTED if flag in flags),
        system=f"{platform.system()} {platform.machine()}",
    )


def peak_memory_bytes(pid: int) -> int | None:
    """Returns the most memory a process has held since it began; what it holds now where the system keeps no peak.

    None once the process has ended.
    """
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:  # not Linux, or it is gone
        pass
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def free_threads() -> int:
    """Returns how many cores nobody else is using now, at least one: engines that spin on busy cores collapse.

    Takes a tenth of a second, during which this process should be idle.
    """
    cores = usable_cores()
    busy = psutil.cpu_percent(interval=0.1) / 100 * (os.cpu_count() or cores)
    return max(1, min(cores, round(cores - busy)))
