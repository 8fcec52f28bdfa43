"""A run that is killed, stopped or damaged ends where the unbroken one does, bit for bit."""

import hashlib
import multiprocessing
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from inkseal.core.errors import InvalidRequest, StoreError
from inkseal.core.events import Event, MetricLogged
from inkseal.workshop.train.loop import Outcome, train
from inkseal.workshop.train.recipe import Recipe
from picture_maker import make_pictures
from small_run import BEGUN, metric_lines, small_recipe, train_there

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")


def run(folder: Path, recipe: Recipe, *, fresh: bool = False, stop_at: int | None = None) -> Outcome:
    """Trains here; sets the cancel signal when the step `stop_at` was logged."""
    cancel = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, MetricLogged) and stop_at is not None and (event.step or 0) >= stop_at:
            cancel.set()

    return train(recipe, make_pictures(24), folder, fresh=fresh, on_event=listen, cancel=cancel)


def hashes(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every tensor file of the newest checkpoint, and of the log's metrics."""
    last = max((folder / "checkpoints").iterdir())
    files = {path.name: path.read_bytes() for path in last.glob("*.safetensors")}
    files["metrics"] = "\n".join(metric_lines(folder)).encode()
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    assert run(folder, small_recipe()).finished
    return folder


def test_a_stopped_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, unbroken: Path) -> None:
    folder = tmp_path / "run"
    first = run(folder, small_recipe(), stop_at=25)
    assert (first.step, first.finished) == (25, False)
    assert run(folder, small_recipe()).finished
    assert hashes(folder) == hashes(unbroken)


def test_the_training_changes_what_it_should(unbroken: Path) -> None:
    files = hashes(unbroken)
    assert len({files["weights.safetensors"], files["averaged.safetensors"]}) == 2
    lines = (unbroken / "log.jsonl").read_text().splitlines()
    losses = [MetricLogged.model_validate_json(line) for line in lines if '"loss"' in line]
    assert losses[-1].value < 0.7 * losses[0].value


@pytest.mark.slow
def test_twenty_kills_do_not_show(tmp_path: Path) -> None:
    folder, unbroken, recipe = tmp_path / "run", tmp_path / "unbroken", small_recipe(steps=240)
    begun = time.monotonic()
    assert run(unbroken, recipe).finished
    seconds = time.monotonic() - begun
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "accelerate", "small_run"])
    random_ = random.Random(20)
    reached, still = [0], 0
    for _ in range(20):
        process = context.Process(target=train_there, args=(str(folder), recipe))
        process.start()
        begun = time.monotonic()
        while not (folder / BEGUN).exists() and process.is_alive() and time.monotonic() - begun < 60:
            time.sleep(0.005)
        # By the machine's own speed: twenty waits are two thirds of the run. Longer where the last ones were too short
        # for a checkpoint, so that a machine that has become slower makes way too.
        time.sleep(random_.uniform(0, seconds / 15 * (1 + still)))
        assert process.is_alive()
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        (folder / BEGUN).unlink(missing_ok=True)
        reached.append(_newest(folder))
        still = 0 if reached[-1] > reached[-2] else still + 1
    assert len(set(reached[1:])) > 3, reached  # kills came at different places, and the run made way between them
    assert reached[-1] < 240, reached
    print(reached)
    assert run(folder, recipe).finished
    assert hashes(folder) == hashes(unbroken)
    assert not list((folder / "checkpoints").glob(".*"))


def _newest(folder: Path) -> int:
    return max((int(path.name[5:]) for path in (folder / "checkpoints").glob("step-*")), default=0)


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "state.json"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path, unbroken: Path, name: str) -> None:
    folder = tmp_path / "run"
    run(folder, small_recipe(), stop_at=40)
    damaged = max((folder / "checkpoints").iterdir()) / name
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(bytes(data))
    assert run(folder, small_recipe()).finished
    assert hashes(folder) == hashes(unbroken)


def test_a_damaged_checkpoint_is_replaced_when_its_step_comes_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(folder, small_recipe(steps=6))
    newest = max((folder / "checkpoints").glob("step-*"))
    whole = (newest / "weights.safetensors").read_bytes()
    (newest / "weights.safetensors").write_bytes(whole[:-1])
    run(folder, small_recipe(steps=6))
    assert (newest / "weights.safetensors").read_bytes() == whole
    assert not list((folder / "checkpoints").glob(".*"))


def test_only_damaged_checkpoints_are_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(folder, small_recipe(steps=6))
    for path in (folder / "checkpoints").glob("*/weights.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match="damaged"):
        run(folder, small_recipe(steps=9))


def test_two_checkpoints_are_kept(unbroken: Path) -> None:
    assert sorted(path.name for path in (unbroken / "checkpoints").iterdir()) == ["step-000000057", "step-000000060"]


def test_another_recipe_does_not_go_on_with_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(folder, small_recipe(steps=3))
    with pytest.raises(InvalidRequest, match="batch"):
        run(folder, small_recipe(batch=5))


def test_fresh_sets_the_old_run_aside(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(folder, small_recipe(steps=3))
    before = hashes(folder)
    run(folder, small_recipe(steps=3, seed=2), fresh=True)
    assert hashes(folder) != before
    assert hashes(tmp_path / "run.1") == before
