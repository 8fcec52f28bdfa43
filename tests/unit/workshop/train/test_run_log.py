"""What the sittings of a run took: kept in its log, summed, and not known where one of them is not."""

import threading
from pathlib import Path

import pytest

from inkseal.core.events import Event, Finished, MetricLogged, Started
from inkseal.core.types import Energy, Usage
from inkseal.workshop.train.loop import Outcome, train
from inkseal.workshop.train.recipe import Recipe
from inkseal.workshop.train.run_folder import RunFolder
from inkseal.workshop.train.run_log import Spent, log_lines, spent
from picture_maker import make_pictures
from small_run import metric_lines, small_recipe

START = Started(run_id="small", what="autoencoder")
METRIC = MetricLogged(name="loss", value=0.5, step=5)
MEASURED = Energy(energy_joules=100, kind="measured", formula="RAPL")


def end(seconds: float, energy: Energy | None = MEASURED) -> Finished:
    return Finished(run_id="small", usage=Usage(total_seconds=seconds, energy=energy))


def write(path: Path, *events: Event) -> Path:
    path.write_text("".join(event.model_dump_json() + "\n" for event in events))
    return path


def test_sittings_are_summed(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", START, METRIC, end(2), START, METRIC, METRIC, end(3.5))
    assert spent(log) == Spent(seconds=5.5, energy=MEASURED.model_copy(update={"energy_joules": 200}))


@pytest.mark.parametrize("other", [None, Energy(energy_joules=1, kind="estimated", formula="guess")])
def test_energy_of_which_a_part_is_not_known_is_not_known(tmp_path: Path, other: Energy | None) -> None:
    assert spent(write(tmp_path / "log.jsonl", START, end(2), START, end(3, other))) == Spent(seconds=5)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [METRIC],
        [METRIC, START, METRIC, end(2)],
        [START, METRIC],
        [START, METRIC, START, METRIC, end(2)],
        [START, end(2), METRIC],
    ],
    ids=["nothing", "older", "begun older", "still going", "killed once", "gone on older"],
)
def test_what_is_not_known_is_said_so(tmp_path: Path, events: list[Event]) -> None:
    assert spent(write(tmp_path / "log.jsonl", *events)) == Spent()


def test_a_finished_run_that_is_started_again_took_nothing_more(tmp_path: Path) -> None:
    recipe = small_recipe(steps=7, look_every=5)
    for _ in range(3):
        train(recipe, make_pictures(24), tmp_path, fresh=False, on_event=lambda _: None, cancel=threading.Event())
        told = log_lines(tmp_path / "log.jsonl")
    assert sum(line["kind"] == "finished" for _, line in told) == 1
    assert spent(tmp_path / "log.jsonl").seconds is not None
    (tmp_path / "model.safetensors").unlink()  # as if it had been killed before its last look
    train(recipe, make_pictures(24), tmp_path, fresh=False, on_event=lambda _: None, cancel=threading.Event())
    assert (tmp_path / "model.safetensors").is_file()
    assert spent(tmp_path / "log.jsonl").seconds is not None


def test_no_log_says_nothing(tmp_path: Path) -> None:
    assert spent(tmp_path / "log.jsonl") == Spent()


def test_what_a_killed_sitting_began_outlives_the_steps_that_are_dropped(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run", small_recipe(), fresh=False)
    late = MetricLogged(name="loss", value=0.4, step=9)
    write(run.log, START, METRIC, end(2), START, late)
    with run.log.open("a") as file:
        file.write('{"kind":"metric_lo')
    log = run.listen(7)
    log(START)
    log(late)
    log(end(1))
    run.close()
    kinds = [line["kind"] for _, line in log_lines(run.log)]
    assert kinds == ["started", "metric_logged", "finished", "started", "started", "metric_logged", "finished"]
    assert run.metrics() == {"loss": [(5, 0.5), (9, 0.4)]}
    assert spent(run.log) == Spent()


def run(folder: Path, recipe: Recipe, stop_at: int | None = None) -> Outcome:
    pytest.importorskip("accelerate")
    cancel = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, MetricLogged) and event.step == stop_at:
            cancel.set()

    return train(recipe, make_pictures(24), folder, fresh=False, on_event=listen, cancel=cancel)


def test_a_run_keeps_what_each_sitting_took(tmp_path: Path) -> None:
    folder, recipe = tmp_path / "run", small_recipe(steps=20)
    outcomes = [run(folder, recipe, stop_at=10), run(folder, recipe)]
    found = spent(folder / "log.jsonl")
    assert found.seconds == pytest.approx(sum(outcome.seconds for outcome in outcomes))
    assert (found.energy is None) == any(outcome.energy is None for outcome in outcomes)
    assert '"step":20' in metric_lines(folder)[-1].replace(" ", "")
    before = (folder / "log.jsonl").read_bytes()
    assert run(folder, recipe).finished
    assert (folder / "log.jsonl").read_bytes() == before, "there was nothing left to do"
