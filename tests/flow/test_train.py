"""`inkseal train` from the recipe's file to the run's folder, stopped by a signal and taken up again."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inkseal.cli._group import app
from inkseal.core.errors import InvalidRequest
from picture_maker import make_pictures
from small_run import metric_lines, small_recipe

pytest.importorskip("torch")
pytest.importorskip("accelerate")


@pytest.fixture
def recipe(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe of 60 small steps; whatever dataset it names is made in memory."""
    monkeypatch.setattr("inkseal.workshop.runs.open_dataset", lambda kind, folder: make_pictures(24))
    values = small_recipe().model_dump(mode="json", exclude={"config"})
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    tables["config.shape"] = small_recipe().config["shape"]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path = tmp_path / "small.toml"
    path.write_text("\n".join(lines))
    return path


def test_a_run_is_stopped_by_sigterm_and_goes_on(recipe: Path, data_dir: Path) -> None:
    run = data_dir / "runs" / "small"
    handler = signal.getsignal(signal.SIGTERM)
    over = threading.Event()

    def stop() -> None:
        while not over.wait(0.002):
            if (run / "log.jsonl").exists() and metric_lines(run):
                # Only while the command listens: after it the signal would end pytest.
                if signal.getsignal(signal.SIGTERM) is not handler:
                    os.kill(os.getpid(), signal.SIGTERM)
                return

    stopper = threading.Thread(target=stop, daemon=True)
    stopper.start()
    try:
        first = CliRunner().invoke(app, ["train", str(recipe), "--json"])
    finally:
        over.set()
        stopper.join()
    assert signal.getsignal(signal.SIGTERM) is handler
    stopped = json.loads(first.stdout)
    assert not stopped["finished"]
    assert 0 < stopped["step"] < 60
    assert not (run / "model.safetensors").exists() or stopped["step"] >= 20

    second = CliRunner().invoke(app, ["train", str(recipe)])
    assert second.exit_code == 0
    assert second.stdout.strip() == str(run)
    assert "steps of" in second.stderr  # the forecast
    assert {path.name for path in run.iterdir()} >= {
        "recipe.json",
        "log.jsonl",
        "curves.png",
        "sheets",
        "checkpoints",
        "model.safetensors",
    }
    steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines() if '"loss"' in line]
    assert steps == list(range(5, 61, 5))


def test_options_stand_in_for_the_recipe(recipe: Path, data_dir: Path) -> None:
    done = CliRunner().invoke(app, ["train", str(recipe), "--steps", "2", "--json"])
    assert json.loads(done.stdout)["step"] == 2
    again = CliRunner().invoke(app, ["train", str(recipe), "--steps", "3", "--fresh", "--json"])
    assert json.loads(again.stdout)["step"] == 3
    assert (data_dir / "runs" / "small.1" / "model.safetensors").exists()


def test_a_missing_dataset_says_what_to_do(tmp_path: Path, data_dir: Path) -> None:
    recipes = Path(__file__).parents[2] / "recipes"
    done = CliRunner().invoke(app, ["train", str(recipes / "picture-autoencoder.toml")])
    assert isinstance(done.exception, InvalidRequest)
    assert "inkseal data" in done.exception.fix
