"""The mean of the weights of one training: of a run and of runs that it began with, and of no others."""

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from inkseal.catalog.shelf import Shelf
from inkseal.core.errors import InvalidRequest
from inkseal.core.events import ignore
from picture_run import FLOW_SHAPE, NEVER, carded_pictures, recipe, train_pictures
from small_run import SHAPE

pytest.importorskip("torch", reason="left out: pip install 'inkseal[train]'")
pytest.importorskip("accelerate", reason="left out: pip install 'inkseal[train]'")

from inkseal.workshop.publish.picture import publish_picture
from inkseal.workshop.train.loop import train
from inkseal.workshop.train.recipe import Recipe
from inkseal.workshop.train.run_folder import read_model
from inkseal.workshop.train.trained import find_trained

DATA = carded_pictures()
Publish = Callable[..., Path]


def flow(name: str, begin: str | None = None, autoencoder: str = "vae", **shape: int) -> Recipe:
    config = {"autoencoder": autoencoder, "shape": FLOW_SHAPE | shape, "sheet_steps": 2}
    return recipe(name, "flow_matching", config, **({} if begin is None else {"begin": begin}))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that went on from `flow`: from its weights, or from what was published of it; and one that did not."""
    folder = tmp_path_factory.mktemp("home")
    train_pictures(folder / "runs", DATA)
    publish_picture(folder / "runs", ("flow",), lambda _: DATA, Shelf(folder), "mine", on_event=ignore, cancel=NEVER)
    for one in (
        flow("on", "models/mine"),
        flow("straight", "flow"),
        flow("more", "on"),
        flow("apart"),
        flow("sketch", depth=0, sketch_width=16),
        flow("deep", "sketch", sketch_width=16),
        recipe("vae2", "autoencoder", {"shape": SHAPE}, seed=5),
        flow("away", "flow", autoencoder="vae2"),
    ):
        where = folder / "runs" / one.name
        train(one, DATA, where, fresh=True, on_event=ignore, cancel=NEVER, data_sha256=DATA.sha256)
    return folder


@pytest.fixture
def publish(home: Path) -> Publish:
    def work(*names: str) -> Path:
        shelf, runs = Shelf(home), home / "runs"
        return publish_picture(runs, names, lambda _: DATA, shelf, "mean", on_event=ignore, cancel=NEVER).folder

    return work


@pytest.mark.parametrize("last", ["on", "straight"])
def test_each_weight_is_the_mean(home: Path, publish: Publish, last: str) -> None:
    made = publish("flow", last)
    (_, one), (facts, other) = (read_model(home / "runs" / name / "model.safetensors") for name in ("flow", last))
    found = find_trained(home / "runs", "models/mean", "diffusion_transformer")
    for name, tensor in found.tensors.items():
        np.testing.assert_array_equal(tensor, ((one[name] + other[name]) / 2).half().float())
    assert not all((one[name] == other[name]).all() for name in one)
    assert (found.facts["averaged"], found.facts["recipe"]["name"]) == (["flow", last], facts["recipe"]["name"])
    assert f"| mean of the weights of · 权重平均 | flow, {last} |" in (made / "MODEL.md").read_text()


def test_the_order_of_names_does_not_matter(publish: Publish) -> None:
    made = {(publish(*names) / "model.safetensors").read_bytes() for names in permutations(("flow", "on", "more"))}
    assert len(made) == 1
    assert (publish("flow", "on") / "model.safetensors").read_bytes() not in made


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("flow", "apart"), "one of them went on from all others"),
        (("on", "straight"), "one of them went on from all others"),
        (("flow", "on", "apart"), "one of them went on from all others"),
        (("sketch", "deep"), "'sketch' is of another shape"),
        (("deep", "sketch"), "'sketch' is of another shape"),
        (("flow", "away"), "'flow' was trained on the latents of another autoencoder"),
    ],
)
def test_runs_that_have_no_mean_are_refused(publish: Publish, names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        publish(*names)


def test_a_run_that_was_trained_again_is_no_beginning(home: Path, publish: Publish) -> None:
    """Its recipe is the same, its weights are not."""
    again = flow("again")
    where = home / "runs" / "again"
    train(again, DATA, where, fresh=True, on_event=ignore, cancel=NEVER, data_sha256=DATA.sha256)
    train(flow("after", "again"), DATA, home / "runs" / "after", fresh=True, on_event=ignore, cancel=NEVER)
    publish("again", "after")
    changed = again.model_copy(update={"seed": 3})
    train(changed, DATA, where, fresh=True, on_event=ignore, cancel=NEVER, data_sha256=DATA.sha256)
    with pytest.raises(InvalidRequest, match="one of them went on from all others"):
        publish("again", "after")


def test_what_begins_with_a_mean_says_so(home: Path, publish: Publish) -> None:
    publish("flow", "on")
    where = home / "runs" / "later"
    train(flow("later", "models/mean"), DATA, where, fresh=True, on_event=ignore, cancel=NEVER)
    assert json.loads((where / "beginning.json").read_text())["averaged"] == ["flow", "on"]
