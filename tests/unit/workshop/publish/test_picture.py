"""A model is published of small runs: proved, described, whole, the same again; and refused where it must be."""

import csv
import gzip
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkseal.catalog.card import Card, read_card
from inkseal.catalog.catalog import Catalog
from inkseal.catalog.shelf import Installed, Shelf
from inkseal.catalog.verify import verify_files
from inkseal.core.errors import Cancelled, InvalidRequest, ModelFileRefused
from inkseal.core.events import Finished, Started, ignore
from inkseal.core.types import Energy, Usage, now
from inkseal.formats.picture_model import read_picture_model
from inkseal.formats.safetensors import read_header
from inkseal.formats.validate import validate
from inkseal.workshop.publish.parity import compare, require
from picture_run import NEVER, CardedPictures, carded_pictures, train_pictures

pytest.importorskip("torch", reason="left out: pip install 'inkseal[train]'")
pytest.importorskip("accelerate", reason="left out: pip install 'inkseal[train]'")

from inkseal.workshop.publish import picture_sources
from inkseal.workshop.publish.picture import Published, publish_picture
from inkseal.workshop.train.run_folder import read_model

DATA = carded_pictures()
Publish = Callable[..., Published]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    train_pictures(folder, DATA, encoder=True)
    return folder


@pytest.fixture
def publish(runs: Path, tmp_path: Path) -> Iterator[Publish]:
    def work(*names: str, data: CardedPictures = DATA, cancel: threading.Event = NEVER, **sampling: float) -> Published:
        shelf = Shelf(tmp_path)
        return publish_picture(
            runs, names, lambda _: data, shelf, "mine", sampling=sampling, on_event=ignore, cancel=cancel
        )

    yield work
    assert not list((tmp_path / "models").glob(".partial-*"))


def test_the_folder_is_whole_proved_and_described(publish: Publish, tmp_path: Path) -> None:
    made = publish("flow", "clip", "vae")
    assert made.changed
    assert {parity.network for parity in made.parity} == {
        "transformer",
        "transformer, rough",
        "decoder",
        "pictures",
        "texts",
    }
    assert all(parity.holds and parity.scale > 0 for parity in made.parity)
    verify_files(made.folder, {file.name: file.sha256 for file in made.card.files})
    names = {file.name for file in made.card.files}
    assert names >= {"model.safetensors", "transformer.xml", "decoder.xml", "pictures.xml", "texts.xml", "parity.json"}
    assert names >= {"MODEL.md", "data.json", "recipe.json", "log.jsonl", "curves.png", "sheet.png"}
    assert not [name for name in names if name.endswith(".bin")], "weights are written once"
    installed = Shelf(tmp_path).installed("mine")
    assert installed is not None
    assert installed.card == made.card == read_card(made.folder / "card.toml")
    assert made.card.modality == "image"
    assert made.card.profile.picture is not None
    assert made.card.profile.picture.styles == ("flat", "outline")
    facts = read_picture_model(made.folder)
    assert (facts.side_px, facts.latent, facts.steps) == (64, (4, 8, 8), 2)
    assert json.loads((made.folder / "data.json").read_text())["sha256"] == DATA.card.sha256
    page = (made.folder / "MODEL.md").read_text()
    assert DATA.card.sha256 in page
    assert "MIT" in page
    assert made.card.data is not None
    assert (made.card.data.sha256, made.card.data.credits) == (DATA.card.sha256, {"made": "nobody"})
    assert str(made.card.licence) == "Apache-2.0"
    table = list(csv.DictReader(gzip.decompress((made.folder / "licences.csv.gz").read_bytes()).decode().splitlines()))
    assert [row["id"] for row in table] == [f"made-{number}" for number in range(40)]
    assert {(row["licence"], row["author"]) for row in table} == {("MIT", "a maker, of pictures")}


def test_the_page_says_what_the_training_took(runs: Path, tmp_path: Path) -> None:
    """Sums over sittings where they are known, and – where they are not."""
    copied = tmp_path / "copied"
    shutil.copytree(runs, copied)
    energy = Energy(energy_joules=1.5e6, kind="measured", formula="RAPL")
    sitting = (Started(run_id="flow", what="flow_matching"), Finished(run_id="flow", usage=_usage(1800, energy)))
    lines = "".join(event.model_dump_json() + "\n" for event in sitting * 2)
    metrics = (copied / "flow" / "log.jsonl").read_text().splitlines()[1:-1]
    begun, ended = lines.splitlines()[:2]
    (copied / "flow" / "log.jsonl").write_text("\n".join([begun, *metrics, ended]) + "\n" + lines)
    kept = copied / "flow" / "autoencoder-log.jsonl"
    older = [line for line in kept.read_text().splitlines() if "metric_logged" in line]
    kept.write_text("\n".join(older) + "\n")
    shutil.rmtree(copied / "vae")
    shelf = Shelf(tmp_path)
    made = publish_picture(copied, ("flow",), lambda _: DATA, shelf, "mine", on_event=ignore, cancel=NEVER)
    page = (made.folder / "MODEL.md").read_text()
    assert "| training time, energy · 训练用时、能耗 | `vae` –, –; `flow` 1.5 h, 4.5 MJ (measured: RAPL) |" in page
    assert "| psnr_db |" in page, "scores are read from the same log"


def _usage(seconds: float, energy: Energy | None) -> Usage:
    return Usage(total_seconds=seconds, energy=energy)


def test_guidances_are_the_recipes_or_those_asked_for(publish: Publish) -> None:
    """They belong to the model and its card; the runs stay as they were."""
    asked: dict[str, float]
    for asked, expected in (({}, (3.0, 0.0)), ({"guidance": 4.0, "autoguidance": 0.25}, (4.0, 0.25))):
        made = publish("flow", **asked)
        facts, profile = read_picture_model(made.folder), made.card.profile.picture
        assert profile is not None
        assert (facts.guidance, facts.autoguidance) == (profile.guidance, profile.autoguidance) == expected


def test_how_well_a_text_finds_a_picture_is_measured(publish: Publish, runs: Path) -> None:
    """Against cosines of the trained encoder, one pair at a time."""
    made = publish("flow", "clip")
    search = read_picture_model(made.folder).search
    assert search is not None
    assert search.num_pictures == 10
    cosines = _cosines(runs / "clip")
    chosen, own, wrong = cosines(range(24, 30))[1], *cosines(range(30, 40))
    assert search.cosine == pytest.approx(np.quantile(chosen, 0.99), abs=1e-3)
    assert search.recall == pytest.approx(np.mean(np.array(own) >= search.cosine), abs=0.11)
    assert search.alarms == pytest.approx(np.mean(np.array(wrong) >= search.cosine), abs=0.02)
    assert f"cosine ≥ {search.cosine:g}" in (made.folder / "MODEL.md").read_text()
    assert read_picture_model(publish("flow").folder).search is None, "without an encoder"


def _cosines(run: Path) -> Callable[[range], tuple[list[float], list[float]]]:
    import torch

    from inkseal.nets.shapes import TextImageShape
    from inkseal.nets.text_image_encoder import TextImageEncoder
    from inkseal.workshop.train.run_folder import read_model

    facts, tensors = read_model(run / "model.safetensors")
    network = TextImageEncoder(TextImageShape.model_validate(facts["shape"])).eval()
    network.load_state_dict({name.removeprefix("model."): tensor for name, tensor in tensors.items()})

    def work(rows: range) -> tuple[list[float], list[float]]:
        own, wrong = [], []
        for first in (0, 1):  # the English caption, and the first of two Chinese ones
            said = {row: DATA.captions[DATA.caption_row == row][first, 0] for row in rows}
            with torch.no_grad():
                for row, other in product(rows, rows):
                    seen = network.encode_pictures(torch.tensor(DATA.pixels[row][None] / 127.5 - 1).float())[0]
                    text = torch.tensor(DATA.vectors[said[other]][None].astype(np.float32))
                    cosine = float(seen @ network.encode_texts(text)[0])
                    if row == other:
                        own.append(cosine)
                    elif said[row] != said[other]:
                        wrong.append(cosine)
        return own, wrong

    return work


def test_its_folder_is_imported_elsewhere_as_it_is(publish: Publish, tmp_path: Path) -> None:
    made = publish("flow")
    elsewhere = Catalog(tmp_path / "elsewhere")
    found = elsewhere.bring(made.folder, "theirs", validate=validate)
    assert (found.format, found.files) == ("openvino", {file.name: file.sha256 for file in made.card.files})
    assert elsewhere.show("theirs").card == made.card.model_copy(update={"name": "theirs"})
    with (made.folder / "decoder.xml").open("a") as file:
        file.write(" ")
    with pytest.raises(ModelFileRefused, match=r"decoder\.xml"):
        elsewhere.bring(made.folder, "again", validate=validate)
    (made.folder / "decoder.xml").unlink()
    with pytest.raises(ModelFileRefused, match=r"decoder\.xml"):
        elsewhere.bring(made.folder, "again", validate=validate)
    assert [path.name for path in elsewhere.shelf.models.iterdir() if path.is_dir()] == ["theirs"]


def test_weights_are_the_averaged_ones_in_half_precision(publish: Publish, runs: Path) -> None:
    made = publish("flow")
    kept = read_header(made.folder / "model.safetensors")
    trained = read_header(runs / "flow" / "model.safetensors")
    for name in ("patches.weight", "blocks.1.attention.qkv.bias"):
        half = kept.tensor(f"transformer.{name}").view(np.float16)
        assert (half == trained.tensor(f"model.{name}").view(np.float32).astype(np.float16)).all()


def test_publishing_the_same_again_changes_nothing(publish: Publish) -> None:
    first = publish("flow")
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in first.folder.iterdir()}
    again = publish("flow")
    assert not again.changed
    assert again.card == first.card
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in first.folder.iterdir()} == before
    weights = first.folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert publish("flow").changed, "what was damaged is made whole again"
    assert weights.read_bytes() == whole
    assert publish("flow", "clip").changed


def test_a_run_that_has_not_ended_is_refused(publish: Publish, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def middle(path: Path) -> Any:
        facts, tensors = read_model(path)
        return facts | {"step": facts["step"] - 1}, tensors

    monkeypatch.setattr(picture_sources, "read_model", middle)
    with pytest.raises(InvalidRequest, match="has not ended"):
        publish("flow")
    assert not (tmp_path / "models" / "mine").exists()


@pytest.mark.parametrize("names", [("vae",), ("flow", "flow", "clip", "nothing"), ("../flow",), ("",), ()])
def test_what_is_no_picture_model_is_refused(publish: Publish, names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest):
        publish(*names)


def test_another_dataset_than_the_runs_is_refused(publish: Publish) -> None:
    with pytest.raises(InvalidRequest, match="other pictures"):
        publish("flow", data=carded_pictures(seed=1))
    other = replace(DATA, card=DATA.card.model_copy(update={"sha256": "2" * 64}))  # with other captions, say
    with pytest.raises(InvalidRequest, match="other pictures"):
        publish("flow", data=other)


def test_a_name_of_another_model_is_not_taken(publish: Publish, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    card = Card.model_validate(
        {"name": "mine", "task": "generate", "format": "gguf", "licence": {"upstream": "MIT"}}
        | {key: {"en": "x", "zh": "x"} for key in ("title", "description", "limits")}
    )
    with shelf.partial("mine") as partial:
        shelf.publish(partial, Installed(card=card, source="/somewhere", installed_at=now()))
    with pytest.raises(InvalidRequest, match="another model"):
        publish("flow")


def test_a_network_that_answers_otherwise_is_refused(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    from inkseal.workshop.publish.layers import Layers

    monkeypatch.setattr(Layers, "modulated", lambda self, x, scale, shift: self.ov.add(x, shift))
    with pytest.raises(ModelFileRefused, match="transformer"):
        publish("flow")


def test_a_model_that_is_too_large_is_refused(
    publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkseal.workshop.publish.picture.MAX_BYTES", 10_000)
    with pytest.raises(InvalidRequest, match="MB"):
        publish("flow")
    assert not (tmp_path / "models" / "mine").exists()


def test_a_stop_leaves_nothing(publish: Publish, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        publish("flow", cancel=stop)
    assert not (tmp_path / "models" / "mine").exists()


def test_the_error_is_the_largest_and_what_is_no_number_is_refused() -> None:
    trained = np.array([3.0, 4.0, 0.0, 0.0])
    found = compare("net", trained + np.array([0, 0.06, 0, -0.01]), trained)
    assert found.scale == 2.5
    assert found.max_error == pytest.approx(0.06)
    assert not found.holds
    with pytest.raises(ModelFileRefused):
        require([found])
    require([compare("net", trained + 0.04, trained)])
    with pytest.raises(ModelFileRefused):
        compare("net", np.array([np.nan]), np.array([1.0]))
