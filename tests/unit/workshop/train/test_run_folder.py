"""How a run behaves towards other programs."""

import subprocess
import sys

import pytest

from inkseal.workshop.train.run_folder import AUTOGROUP

SCRIPT = """
import os
from inkseal.workshop.train.run_folder import AUTOGROUP, lower_priority
before = AUTOGROUP.read_text() if AUTOGROUP.exists() else ""
lower_priority(7)
after = AUTOGROUP.read_text() if AUTOGROUP.exists() else ""
print(os.nice(0), before != after, after.split()[-1:] == ["7"])
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "nice"), reason="this system has no priorities of processes")
@pytest.mark.parametrize("leads", [True, False], ids=["its own session", "another's session"])
def test_a_process_gives_way_and_its_session_only_when_it_is_its_own(leads: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], start_new_session=leads, capture_output=True, text=True, check=True, timeout=60
    )
    nice, changed, polite = done.stdout.split()
    assert int(nice) >= 7
    assert (changed == "True") == (leads and AUTOGROUP.exists())
    if leads and AUTOGROUP.exists():
        assert polite == "True"
