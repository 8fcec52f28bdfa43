"""Reads a run's log: a JSON line for each metric, and for the beginning and end of each sitting."""

import json
from pathlib import Path
from typing import Any

from inkseal.core.events import Finished
from inkseal.core.types import Closed, Energy, Usage

LOG = "log.jsonl"


class Spent(Closed):
    """What all sittings of a run took together; None is not known."""

    seconds: float | None = None
    energy: Energy | None = None


def log_lines(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Returns each whole line as text and as the event's fields; nothing when there is no log."""
    lines = []
    if path.exists():
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:  # the last line of a killed process may be torn
                continue
            if isinstance(line, dict):
                lines.append((text, line))
    return lines


def spent(path: Path) -> Spent:
    """Returns the sums over all sittings in a log.

    Nothing is known when a sitting was killed or still goes on, or when the run was begun before sittings were logged;
    energy is not, besides, when one sitting's is not or was found in another way.
    """
    sittings: list[Usage] = []
    is_open = False
    for text, line in log_lines(path):
        begins = line.get("kind") == "started"
        if begins == is_open:  # a beginning before the last end, or anything else outside of a sitting
            return Spent()
        is_open = line.get("kind") != "finished"
        if not is_open:
            sittings.append(Finished.model_validate_json(text).usage)
    if is_open or not sittings:
        return Spent()
    return Spent(seconds=sum(one.total_seconds for one in sittings), energy=_sum([one.energy for one in sittings]))


def _sum(parts: list[Energy | None]) -> Energy | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or len({(part.kind, part.formula) for part in known}) > 1:
        return None
    return known[0].model_copy(update={"energy_joules": sum(part.energy_joules for part in known)})
