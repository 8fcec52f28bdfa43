"""Energy of a span of work: measured from the processor's own counters, else unknown. Never guessed."""

from pathlib import Path

from inkseal.core.types import Energy

RAPL = Path("/sys/class/powercap")


class EnergyMeter:
    """Reads RAPL package counters at the start and the end of a span.

    Source: Linux power capping framework, Documentation/power/powercap/powercap.rst. The counters are of the whole
    package, so other programs' work is in them; the formula says so.
    """

    def __init__(self, root: Path = RAPL) -> None:
        self._zones = [zone for zone in sorted(root.glob("intel-rapl:?")) if self._read(zone) is not None]
        self._start = [self._read(zone) for zone in self._zones]

    def stop(self) -> Energy | None:
        """Returns the energy since construction in joules, or None where the machine does not tell."""
        total = 0.0
        for zone, start in zip(self._zones, self._start, strict=True):
            end = self._read(zone)
            if start is None or end is None:
                return None
            if end < start:  # the counter wrapped
                end += int((zone / "max_energy_range_uj").read_text())
            total += (end - start) / 1e6
        if not self._zones:
            return None
        return Energy(energy_joules=round(total, 3), kind="measured", formula="RAPL packages, all programs")

    @staticmethod
    def _read(zone: Path) -> int | None:
        try:
            return int((zone / "energy_uj").read_text())
        except (OSError, ValueError):
            return None
