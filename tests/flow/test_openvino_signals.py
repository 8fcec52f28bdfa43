"""A signal after engines came and went: what OpenVINO does to the stack of signal handlers must not end the process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inkseal.catalog.catalog import Catalog
from inkseal.core.protocols import LocalModel

CODE = """
import gc, os, signal, sys
from inkseal import Studio, TextRequest

heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
for order in (("text", "embed"), ("embed", "text")):
    with Studio.open() as studio:
        for what in order:
            if what == "embed":
                studio.embed(["ink"])
            else:
                studio.run(TextRequest.of("hi", model="tiny", max_tokens=2))
        for key in list(studio.engines.pool.loaded()):
            assert studio.engines.pool.unload(key)
            gc.collect()
            os.kill(os.getpid(), signal.SIGINT)
    gc.collect()
    os.kill(os.getpid(), signal.SIGINT)
print(len(heard))
"""


@pytest.mark.model
def test_ctrl_c_after_engines_left_is_only_a_signal(
    tiny_model: LocalModel, embedding_model: LocalModel, data_dir: Path
) -> None:
    for model in (tiny_model, embedding_model):
        Catalog(data_dir).pull(model.name, folder=model.folder)
    environment = os.environ | {"INKSEAL_DATA_DIR": str(data_dir)}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    assert done.stdout.split()[-1] == "6"
