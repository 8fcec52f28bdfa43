"""What the loop refuses, and what it says when something goes wrong."""

import json
import shutil
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from inkseal.catalog.verify import hash_file
from inkseal.core.errors import EngineFailed, InUse, InvalidRequest, MissingDependency, NotEnoughMemory, UnknownName
from inkseal.core.events import Event, Noted, ignore
from inkseal.workshop.train.loop import train
from inkseal.workshop.train.recipe import Recipe
from inkseal.workshop.train.run_folder import RunFolder, read_model
from picture_maker import make_pictures
from small_run import small_recipe

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")


def run(folder: Path, recipe: Recipe, heard: list[Event] | None = None) -> None:
    listen = (lambda event: None) if heard is None else heard.append
    train(recipe, make_pictures(24), folder, fresh=False, on_event=listen, cancel=threading.Event())


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    recipe = small_recipe(optimizer={"lr": 1e30}, steps=50, checkpoint_every=1)
    with pytest.raises(EngineFailed, match="not finite"):
        run(tmp_path / "run", recipe)
    assert list((tmp_path / "run" / "checkpoints").glob("step-*"))


def test_a_run_begins_with_the_weights_of_another_and_keeps_whose_they_were(tmp_path: Path) -> None:
    run(tmp_path / "other", small_recipe(name="other", steps=4, look_every=4))
    _, theirs = read_model(tmp_path / "other" / "model.safetensors")
    still = small_recipe(begin="other", steps=1, seed=9, look_every=1, optimizer={"lr": 1e-12})
    heard: list[Event] = []
    run(tmp_path / "run", still, heard)
    _, mine = read_model(tmp_path / "run" / "model.safetensors")
    assert all(torch.allclose(mine[name], theirs[name], atol=1e-6) for name in theirs)
    assert any(isinstance(event, Noted) and f"{len(theirs)} of {len(theirs)} tensors" in event.text for event in heard)
    told = json.loads((tmp_path / "run" / "beginning.json").read_text())
    assert (told["run"], told["step"], told["recipe"]["name"]) == ("other", 4, "other")
    assert told["sha256"] == hash_file(tmp_path / "other" / "model.safetensors")
    assert (tmp_path / "run" / "beginning-log.jsonl").read_bytes() == (tmp_path / "other" / "log.jsonl").read_bytes()
    shutil.rmtree(tmp_path / "other")
    run(tmp_path / "run", still.model_copy(update={"steps": 2}))  # it goes on without the other


def test_a_run_that_is_not_there_or_does_not_fit_is_no_beginning(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no trained model"):
        run(tmp_path / "run", small_recipe(begin="nobody"))
    shape = {"widths": [24, 24, 48], "groups": 24, "latent_channels": 3}
    run(tmp_path / "other", small_recipe(name="other", steps=1, look_every=1, config={"shape": shape}))
    with pytest.raises(InvalidRequest, match="do not fit this network, such as"):
        run(tmp_path / "second", small_recipe(begin="other"))
    assert not (tmp_path / "second" / "beginning.json").exists()


def test_too_little_memory_is_told_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(NotEnoughMemory):
        run(tmp_path / "run", small_recipe())
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_the_forecast_counts_the_steps_that_are_left(tmp_path: Path) -> None:
    heard: list[Event] = []
    run(tmp_path / "run", small_recipe(steps=3))
    run(tmp_path / "run", small_recipe(steps=10), heard)
    notes = [event.text for event in heard if isinstance(event, Noted)]
    assert notes[0].startswith("7 steps of ")


def test_a_run_goes_on_with_its_own_dataset_only(tmp_path: Path) -> None:
    def go(steps: int, data_sha256: str, *, fresh: bool = False) -> None:
        options = {"fresh": fresh, "on_event": ignore, "cancel": threading.Event()}
        train(small_recipe(steps=steps), make_pictures(24), tmp_path / "run", data_sha256=data_sha256, **options)

    go(2, "a" * 64)
    go(3, "a" * 64)
    facts, _ = read_model(tmp_path / "run" / "model.safetensors")
    assert facts["data_sha256"] == "a" * 64
    with pytest.raises(InvalidRequest, match="another dataset"):
        go(4, "b" * 64)
    go(4, "b" * 64, fresh=True)


def test_two_processes_do_not_train_one_run(tmp_path: Path) -> None:
    held = RunFolder.open(tmp_path / "run", small_recipe(), fresh=False)
    with pytest.raises(InUse):
        run(tmp_path / "run", small_recipe())
    held.close()
    run(tmp_path / "run", small_recipe(steps=1))


def test_unknown_objectives_and_fields_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="autoencoder"):
        run(tmp_path / "run", small_recipe(objective="autoencodr"))
    with pytest.raises(InvalidRequest, match="klx"):
        run(tmp_path / "run", small_recipe(config={"klx": 1}))


@pytest.mark.parametrize(
    ("objective", "shape", "why"),
    [
        ("flow_matching", {"width": 32, "heads": 5}, "no multiple of heads"),
        ("flow_matching", {"side": 8, "patch": 3}, "no multiple of patch"),
        ("autoencoder", {"widths": [8, 12, 16]}, "not multiples of groups"),
        ("contrastive", {"text_width": 7}, "needs text_width"),
    ],
)
def test_shapes_that_fit_nothing_are_refused(
    tmp_path: Path, objective: str, shape: dict[str, object], why: str
) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        run(tmp_path / "run", small_recipe(objective=objective, config={"shape": shape}))
    assert "recipe" in refused.value.fix


def test_a_misspelt_solver_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="dpm_solver"):
        run(tmp_path / "run", small_recipe(objective="flow_matching", config={"sheet_solver": "dpm_solvr"}))


def test_flow_matching_asks_for_its_autoencoder(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no trained model"):
        run(tmp_path / "run", small_recipe(objective="flow_matching", config={"autoencoder": "absent"}))


def test_without_torch_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingDependency, match=r"inkseal\[train\]"):
        run(tmp_path / "run", small_recipe())


def test_the_model_holds_the_averaged_weights_and_the_recipe(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    run(tmp_path / "run", small_recipe(steps=6))
    facts, tensors = read_model(tmp_path / "run" / "model.safetensors")
    averaged = load_file(tmp_path / "run" / "checkpoints" / "step-000000006" / "averaged.safetensors")
    assert all(torch.equal(tensors[name], averaged[name]) for name in averaged)
    assert facts["step"] == 6
    assert facts["recipe"]["seed"] == 1
    assert facts["shape"]["latent_channels"] == 4
