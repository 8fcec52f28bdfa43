"""Loading and generating makes no connection and leaves no file behind; measured in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inkseal.core.protocols import LocalModel

SCRIPT = """
import socket, sys, threading
from pathlib import Path

attempts = []
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, lambda self, *a, **k: attempts.append(a) or (_ for _ in ()).throw(OSError("no")))
socket.getaddrinfo = lambda *a, **k: attempts.append(a) or (_ for _ in ()).throw(OSError("no"))

from inkseal.core.events import ignore
from inkseal.core.protocols import LocalModel
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.generate.backends import backends

model = LocalModel.model_validate_json(sys.argv[1])
kind = backends[sys.argv[2]]
engine = kind(kind.config()).load(model, 1, ignore, threading.Event())
assert list(engine.generate(TextRequest.of("Hi", max_tokens=3), threading.Event()))
engine.close()
assert not attempts, attempts
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""


@pytest.mark.model
@pytest.mark.parametrize(("backend", "fixture"), [("openvino", "tiny_model"), ("hf_transformers", "hub_model")])
def test_nothing_leaves_the_machine(backend: str, fixture: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: LocalModel = request.getfixturevalue(fixture)
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, model.model_dump_json(), backend],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "intel").exists()
    assert list(tmp_path.rglob("*")) == []
