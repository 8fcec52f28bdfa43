"""From runs to a sealed picture: published, asked for through the studio in this process and in its own, verified."""

import io
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from inkseal import Studio
from inkseal.catalog.shelf import Shelf
from inkseal.cli._group import app
from inkseal.core.errors import Cancelled, InvalidRequest, ModelMissing
from inkseal.core.events import Event, Generated, Progress, ignore
from inkseal.core.protocols import LocalModel
from inkseal.modalities.image.request import ImageRequest
from picture_run import NEVER, carded_pictures, train_pictures

pytest.importorskip("torch", reason="left out: pip install 'inkseal[train]'")
pytest.importorskip("accelerate", reason="left out: pip install 'inkseal[train]'")

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def installation(embedding_model: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small published picture model and the model that reads prompts."""
    from inkseal.workshop.publish.picture import publish_picture

    place = tmp_path_factory.mktemp("pictures")
    data = carded_pictures(embedding_model.sha256)
    train_pictures(place / "runs", data)
    shelf = Shelf(place)
    publish_picture(place / "runs", ["flow"], lambda _: data, shelf, "picture", on_event=ignore, cancel=NEVER)
    return place


@pytest.fixture(params=[False, True], ids=["here", "own process"])
def studio(
    installation: Path, embedding_model: LocalModel, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Studio]:
    shutil.copytree(installation / "models" / "picture", tmp_path / "models" / "picture")
    shutil.copytree(embedding_model.folder, tmp_path / "models" / embedding_model.name)
    with Studio.open(tmp_path, isolate_engines=request.param) as opened:
        yield opened


def test_the_command_publishes_and_says_how_near_it_is(
    installation: Path, embedding_model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = carded_pictures(embedding_model.sha256)
    monkeypatch.setattr("inkseal.workshop.publication.open_dataset", lambda kind, folder: data)
    monkeypatch.setenv("INKSEAL_DATA_DIR", str(tmp_path))
    shutil.copytree(installation / "runs", tmp_path / "runs")
    done = CliRunner().invoke(app, ["publish", "flow", "--name", "mine", "--json"])
    told = json.loads(done.stdout)
    assert (told["name"], told["changed"]) == ("mine", True)
    assert [parity["network"] for parity in told["parity"]] == ["transformer", "transformer, rough", "decoder"]
    again = CliRunner().invoke(app, ["publish", "flow", "vae", "--name", "mine"])
    assert again.stdout.strip() == str(tmp_path / "models" / "mine")
    assert "largest error" in again.stderr
    shown = CliRunner().invoke(app, ["models", "show", "mine", "--json"])
    assert "outline" in shown.stdout
    shown = CliRunner().invoke(app, ["models", "show", "mine"])
    assert "styles: flat, outline\n" in shown.stdout
    assert "2, 3, 0, dpm_solver\n" in shown.stdout
    led = CliRunner().invoke(app, ["publish", "flow", "--name", "mine", "--guidance", "4", "--autoguidance", "0.5"])
    assert led.exit_code == 0
    shown = CliRunner().invoke(app, ["models", "show", "mine"])
    assert "2, 4, 0.5, dpm_solver\n" in shown.stdout
    wrong = CliRunner().invoke(app, ["publish", "vae"])
    assert isinstance(wrong.exception, InvalidRequest)


def test_a_picture_is_drawn_sealed_and_verified(studio: Studio) -> None:
    events: list[Event] = []
    asked = ImageRequest.of("a red circle, 红色的圆", n=2, seed=4)
    made = studio.run(asked, events.append)
    assert len(made.artifacts) == 2
    assert {artifact.media_type for artifact in made.artifacts} == {"image/png"}
    assert any(isinstance(event, Progress) and event.done == 1 for event in events)
    assert not any(isinstance(event, Generated) and event.chunk.data for event in events)
    again = studio.run(asked)
    assert [artifact.sha256 for artifact in again.artifacts] == [artifact.sha256 for artifact in made.artifacts]
    facts = studio.manifest(made.artifacts[0].id).manifest
    assert facts.model is not None
    assert facts.backend is not None
    assert (facts.model.name, facts.backend.name) == ("picture", "openvino_image")
    assert facts.usage.reported == {"steps": 2, "guidance": 3.0, "autoguidance": 0.0, "solver": "dpm_solver"}
    data, _ = studio.export_bytes(made.artifacts[0].id, "png", "both")
    assert studio.verify(data, "picture.png").intact


def test_an_upscaler_that_comes_later_enlarges_at_once_and_stands_in_the_manifest(
    studio: Studio, upscaler_model: LocalModel
) -> None:
    asked = ImageRequest.of("a red circle", n=2, seed=4, width_px=256, height_px=256)
    for _ in range(2):
        with pytest.raises(ModelMissing, match="upscaler"):
            studio.run(asked)
    shutil.copytree(upscaler_model.folder, studio.settings.data_dir / "models" / upscaler_model.name)
    made = studio.run(asked)
    first, second = (Image.open(io.BytesIO(studio.store.blobs.get(one.sha256))) for one in made.artifacts)
    assert first.size == second.size == (256, 256)
    told = studio.manifest(made.artifacts[0].id).manifest.usage.reported
    assert (told["enlarged_by"], told["enlarged_by_sha256"]) == (upscaler_model.name, upscaler_model.sha256)


def test_a_cancelled_picture_is_no_artifact(studio: Studio) -> None:
    cancel = threading.Event()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.total == 1 and 0 < event.done < 1:
            cancel.set()

    with pytest.raises(Cancelled):
        studio.run(ImageRequest.of("a star", steps=100, seed=1), stop, cancel)
