"""What every objective promises, whichever it is."""

import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkseal.core.config import ComponentConfig
from inkseal.core.errors import InvalidRequest
from inkseal.core.events import MetricLogged, ignore
from inkseal.core.protocols import Objective
from inkseal.formats.safetensors import read_header
from inkseal.workshop.train.loop import train
from inkseal.workshop.train.objectives import objectives
from inkseal.workshop.train.recipe import Recipe, read_recipe
from picture_maker import make_pictures
from small_run import SHAPE, metric_lines, small_recipe

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from inkseal.workshop.train.averaged import named_tensors  # noqa: E402
from inkseal.workshop.train.processes import drawing_on, on_device  # noqa: E402

RECIPES = Path(__file__).parents[2] / "recipes"
CONDITIONAL = {"noise_width": 6, "condition_width": 8, "widths": [8, 8, 16], "blocks": [1, 1, 1], "groups": 4}
SMALL: dict[str, dict[str, Any]] = {
    "autoencoder": {"shape": SHAPE},
    "flow_matching": {
        "autoencoder": "small",
        "sheet_steps": 2,
        "shape": {"channels": 4, "patch": 2, "width": 16, "depth": 2, "heads": 2, "sketch_width": 8},
    },
    "contrastive": {"shape": {"widths": [8, 8, 16], "blocks": [1, 1, 1], "shared_width": 8, "groups": 4}},
    "conditional_autoencoder": {"shape": CONDITIONAL},
    "adversarial": {"shape": CONDITIONAL},
}
"""A small config of each; one that is not named here must do with its defaults."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with a trained autoencoder in it."""
    folder = tmp_path_factory.mktemp("runs")
    _train(folder / "small", small_recipe(steps=20, look_every=20))
    return folder


@pytest.fixture(params=sorted(objectives))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def objective(name: str, runs: Path) -> Objective:
    kind = objectives[name]
    torch.manual_seed(0)
    folder = runs / f"only-{name}"
    folder.mkdir(exist_ok=True)
    made = kind(kind.config.model_validate(SMALL.get(name, {})), make_pictures(24), folder)
    made.prepare(ignore, threading.Event())
    return made


def _train(folder: Path, recipe: Recipe, stop_at: int | None = None) -> None:
    cancel = threading.Event()

    def listen(event: Any) -> None:
        if isinstance(event, MetricLogged) and stop_at is not None and (event.step or 0) >= stop_at:
            cancel.set()

    train(recipe, make_pictures(24), folder, fresh=False, on_event=listen, cancel=cancel)


def test_declares_itself(name: str, objective: Objective) -> None:
    assert objective.name == name
    assert issubclass(objective.config, ComponentConfig)
    assert objective.modules
    assert 0 < objective.num_examples() <= 24
    json.dumps(objective.facts())


def test_being_listed_needs_no_torch() -> None:
    code = (
        "import sys; from inkseal.workshop.train.objectives import objectives; "
        "assert [objectives[name].config.model_fields for name in objectives]; print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_batch_follows_from_its_generator(objective: Objective) -> None:
    chosen = np.array([0, 3, 5, 7])
    first, again, other = (objective.batch(chosen, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.keys() == again.keys() == other.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert all(len(tensor) == 4 for tensor in first.values())


def test_each_player_learns_with_all_its_weights(objective: Objective) -> None:
    """After a step or two that lift zero beginnings, the loss has a gradient in every weight."""
    batch = objective.batch(np.arange(8), np.random.default_rng(0))
    for player, module in objective.modules.items():
        optimizer = torch.optim.SGD(module.parameters(), 0.05)
        for _ in range(4):
            optimizer.zero_grad()
            loss, metrics = objective.loss(batch, player)
            assert loss.ndim == 0
            assert bool(loss.isfinite())
            assert all(value.ndim == 0 for value in metrics.values())
            loss.backward()
            optimizer.step()
        # A bias may rightly get nothing: that of a hinge loss's score, while neither side is past the hinge.
        weights = {key: p for key, p in module.named_parameters() if p.ndim >= 2 and "style" not in key}
        assert not [key for key, p in weights.items() if p.grad is None or not bool(p.grad.any())]
        assert not [key for key, p in module.named_parameters() if p.grad is None]


def test_a_loss_is_computed_where_the_networks_are(objective: Objective) -> None:
    """On torch's own device without memory, which refuses tensors of another device just as a GPU does."""
    batch = on_device(objective.batch(np.arange(8), np.random.default_rng(0)), "meta")
    for module in objective.modules.values():
        module.to("meta")
    for player in objective.modules:
        with drawing_on(torch.device("meta")):
            loss, metrics = objective.loss(batch, player)
        loss.backward()
        assert {loss.device.type, *(value.device.type for value in metrics.values())} == {"meta"}


def test_looking_changes_nothing_and_sees_the_same(objective: Objective) -> None:
    before = {key: value.clone() for key, value in named_tensors(objective.modules).items()}
    for module in objective.modules.values():
        module.eval()
    with torch.no_grad():
        scores, sheet = objective.evaluate(), objective.sheet()
        torch.manual_seed(77)
        assert objective.evaluate() == scores
        again = objective.sheet()
    assert all(np.isfinite(value) for value in scores.values())
    if sheet is not None:
        assert sheet.dtype == np.uint8
        assert sheet.shape[2] == 3
        assert again is not None
        assert np.array_equal(sheet, again)
    assert all(torch.equal(value, before[key]) for key, value in named_tensors(objective.modules).items())


def test_a_stopped_run_ends_where_the_unbroken_one_does(name: str, runs: Path) -> None:
    changes = {"steps": 12, "look_every": 12, "log_every": 3, "objective": name, "config": SMALL.get(name, {})}
    found = []
    for label, stops in (("whole", [None]), ("broken", [3, 6, None])):
        folder = runs / f"{name}-{label}"
        for stop in stops:
            _train(folder, small_recipe(name=folder.name.replace("_", "-"), **changes), stop)
        last = max((folder / "checkpoints").iterdir())
        files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in last.glob("*.safetensors")}
        found.append(files | {"log": "\n".join(metric_lines(folder))})
    assert found[0] == found[1]
    facts = json.loads(read_header(runs / f"{name}-whole" / "model.safetensors").metadata["facts"])
    assert facts["step"] == 12


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_can_be_read_and_names_every_setting(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    kind = objectives[recipe.objective]
    assert kind.dataset == recipe.dataset
    full = kind.config.model_validate(recipe.config)
    assert _keys(recipe.config) == _keys(full.model_dump())
    assert recipe.model_fields_set == set(Recipe.model_fields)


def _keys(values: Any, prefix: str = "") -> set[str]:
    if not isinstance(values, dict):
        return {prefix}
    return {key for name, value in values.items() for key in _keys(value, f"{prefix}.{name}")}


def test_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text((RECIPES / "picture-flow.toml").read_text().replace("steps =", "stepps ="))
    with pytest.raises(InvalidRequest, match=r"stepps|steps"):
        read_recipe(path)
