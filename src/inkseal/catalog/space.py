"""Asks for disk space before it is needed, so that a long download does not end at a full disk."""

import shutil
from pathlib import Path

from inkseal.core.errors import NotEnoughSpace
from inkseal.core.language import say

MARGIN_BYTES = 64 << 20
"""Left free for records and logs, whatever a model needs."""


def require_space(folder: Path, num_bytes: int) -> None:
    """Returns if `num_bytes` more fit under `folder` with a margin.

    Raises:
        NotEnoughSpace: says how much is missing.
    """
    free_bytes = shutil.disk_usage(folder).free
    missing_bytes = num_bytes + MARGIN_BYTES - free_bytes
    if missing_bytes > 0:
        raise NotEnoughSpace(
            say(
                f"{megabytes(num_bytes)} are needed in {folder}, {megabytes(free_bytes)} are free.",
                f"{folder} 需要 {megabytes(num_bytes)}，剩余 {megabytes(free_bytes)}。",
            ),
            fix=say(f"Free {megabytes(missing_bytes)} more.", f"请再腾出 {megabytes(missing_bytes)}。"),
        )


def megabytes(num_bytes: int) -> str:
    """Returns a size for people, such as `1,117 MB`; rounded up, so that freeing it is enough."""
    return f"{-(-num_bytes // 1_000_000):,} MB"
