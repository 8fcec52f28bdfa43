"""A published model is enough to go on from: its networks are the beginning of new runs, without the old ones."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkseal.catalog.shelf import Shelf
from inkseal.catalog.verify import hash_file
from inkseal.core.errors import InvalidRequest, ModelFileRefused
from inkseal.core.events import ignore
from picture_run import ENCODER_SHAPE, FLOW_SHAPE, NEVER, carded_pictures, recipe, train_pictures
from small_run import SHAPE

pytest.importorskip("torch", reason="left out: pip install 'inkseal[train]'")
pytest.importorskip("accelerate", reason="left out: pip install 'inkseal[train]'")

from inkseal.workshop.publish.picture import publish_picture
from inkseal.workshop.train.loop import train
from inkseal.workshop.train.objectives.flow_matching import FlowMatchingConfig
from inkseal.workshop.train.run_folder import read_model
from inkseal.workshop.train.trained import find_trained

DATA = carded_pictures()
STILL = {"steps": 1, "look_every": 1, "seed": 9, "optimizer": {"lr": 1e-12}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the published model `mine` and none of its runs."""
    folder = tmp_path_factory.mktemp("home")
    train_pictures(folder / "runs", DATA, encoder=True)
    publish_picture(
        folder / "runs", ("flow", "clip"), lambda _: DATA, Shelf(folder), "mine", on_event=ignore, cancel=NEVER
    )
    shutil.move(folder / "runs", folder / "old")
    return folder


@pytest.mark.parametrize(
    ("old", "objective", "config"),
    [
        ("flow", "flow_matching", {"autoencoder": "models/mine", "shape": FLOW_SHAPE, "sheet_steps": 2}),
        ("clip", "contrastive", {"shape": ENCODER_SHAPE}),
        ("vae", "autoencoder", {"shape": SHAPE}),
    ],
)
def test_a_run_begins_with_a_published_network(home: Path, old: str, objective: str, config: dict[str, object]) -> None:
    new = recipe(old, objective, config, begin="models/mine", batch=8, **STILL)
    train(new, DATA, home / "runs" / old, fresh=True, on_event=ignore, cancel=NEVER)
    _, before = read_model(home / "old" / old / "model.safetensors")
    _, found = read_model(home / "runs" / old / "model.safetensors")
    assert found.keys() == before.keys()
    for name, tensor in before.items():
        np.testing.assert_allclose(found[name].numpy(), tensor.half().float().numpy(), atol=1e-6)
    told = json.loads((home / "runs" / old / "beginning.json").read_text())
    assert (told["run"], told["step"], told["recipe"]["name"]) == ("models/mine", 6, old)
    assert told["sha256"] == hash_file(home / "models" / "mine" / "model.safetensors")


def test_what_goes_on_is_published_again(home: Path) -> None:
    config = {"autoencoder": "models/mine", "shape": FLOW_SHAPE, "sheet_steps": 2}
    again = recipe("more", "flow_matching", config, begin="models/mine")
    train(again, DATA, home / "runs" / "more", fresh=True, on_event=ignore, cancel=NEVER)
    made = publish_picture(
        home / "runs", ("more",), lambda _: DATA, Shelf(home), "second", on_event=ignore, cancel=NEVER
    )
    assert all(parity.holds for parity in made.parity)
    papers = {"beginning.json", "beginning-log.jsonl", "autoencoder-recipe.json", "autoencoder-log.jsonl"}
    assert papers <= {file.name for file in made.card.files}
    assert "`vae` " in (made.folder / "MODEL.md").read_text()
    third = recipe("third", "flow_matching", config | {"autoencoder": "models/second"}, begin="models/second")
    train(third, DATA, home / "runs" / "third", fresh=True, on_event=ignore, cancel=NEVER)
    told = json.loads((home / "runs" / "third" / "beginning.json").read_text())
    assert (told["run"], told["beginning"]["run"]) == ("models/second", "models/mine")
    assert told["data_sha256"] == DATA.card.sha256
    last = publish_picture(
        home / "runs", ("third",), lambda _: DATA, Shelf(home), "last", on_event=ignore, cancel=NEVER
    )
    # The page says whose hours it adds up.
    assert f"`{told['beginning']['recipe']['name']} + more` " in (last.folder / "MODEL.md").read_text()
    kept = (home / "runs" / "third" / "beginning-log.jsonl").read_bytes()
    assert (
        kept == (home / "old" / "flow" / "log.jsonl").read_bytes() + (home / "runs" / "more" / "log.jsonl").read_bytes()
    )


def test_styles_of_other_numbers_are_no_beginning(home: Path) -> None:
    config = {"autoencoder": "models/mine", "shape": FLOW_SHAPE, "sheet_steps": 2}
    other = replace(DATA, rows=[replace(row, style={"flat": "relief"}.get(row.style, row.style)) for row in DATA.rows])
    with pytest.raises(InvalidRequest, match="other styles: flat, outline; this dataset has outline, relief"):
        train(
            recipe("other", "flow_matching", config, begin="models/mine"),
            other,
            home / "runs" / "other",
            fresh=True,
            on_event=ignore,
            cancel=NEVER,
        )


def test_a_changed_file_of_a_model_is_no_beginning(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "models", tmp_path / "models")
    weights = tmp_path / "models" / "mine" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelFileRefused):
        find_trained(tmp_path / "runs", "models/mine", "autoencoder")


def test_a_model_that_is_not_here_or_has_no_such_network_is_no_beginning(home: Path) -> None:
    with pytest.raises(InvalidRequest, match="no model 'nobody'"):
        find_trained(home / "runs", "models/nobody", "autoencoder")
    with pytest.raises(InvalidRequest, match="no network 'adversarial'"):
        find_trained(home / "runs", "models/mine", "adversarial")


@pytest.mark.parametrize("name", ["../mine", "models/../mine", "/etc", "models/", "models/a/b"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(ValueError, match="begin"):
        recipe("x", "contrastive", {}, begin=name)
    with pytest.raises(ValueError, match="autoencoder"):
        FlowMatchingConfig(autoencoder=name)
