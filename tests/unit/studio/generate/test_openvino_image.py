"""The picture backend on a small model published in the test: the same bytes for the same request, and its limits."""

import io
import json
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from inkseal.catalog.catalog import Catalog
from inkseal.catalog.shelf import Shelf
from inkseal.core.errors import EngineFailed, ModelFileRefused, ModelMissing, Unsupported
from inkseal.core.events import ignore
from inkseal.core.protocols import GenerativeEngine, LocalModel
from inkseal.core.types import Chunk, Usage
from inkseal.formats.picture_model import WEIGHTS
from inkseal.formats.safetensors import read_header
from inkseal.modalities.image.request import ImageRequest
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.generate.backends.openvino_image import (
    OpenvinoImage,
    OpenvinoImageConfig,
    OpenvinoImageEngine,
    noise_of,
    to_bytes,
)
from inkseal.studio.generate.diffusion.guidance import guided
from inkseal.studio.generate.diffusion.solvers import solvers
from inkseal.studio.generate.diffusion.times import times
from inkseal.studio.generate.enlarging import WORKING_BYTES
from inkseal.workshop.train.trained import find_trained
from picture_run import NEVER, carded_pictures, train_pictures

pytest.importorskip("torch", reason="left out: pip install 'inkseal[train]'")
pytest.importorskip("accelerate", reason="left out: pip install 'inkseal[train]'")

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def runs(embedding_model: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("picture") / "runs"
    train_pictures(folder, carded_pictures(embedding_model.sha256))
    return folder


def publish(runs: Path, embedding: LocalModel, home: Path, **sampling: float) -> LocalModel:
    from inkseal.workshop.publish.picture import publish_picture

    data, shelf = carded_pictures(embedding.sha256), Shelf(home)
    publish_picture(runs, ["flow"], lambda _: data, shelf, "picture", sampling=sampling, on_event=ignore, cancel=NEVER)
    return Catalog(home).local("picture")


@pytest.fixture(scope="module")
def model(runs: Path, embedding_model: LocalModel) -> LocalModel:
    return publish(runs, embedding_model, runs.parent / "data")


def load(
    model: LocalModel, embedding: LocalModel | None, batch: int = 4, upscaler: LocalModel | None = None
) -> OpenvinoImageEngine:
    reading, enlarging = (one.model_dump_json() if one is not None else "" for one in (embedding, upscaler))
    backend = OpenvinoImage(OpenvinoImageConfig(batch=batch), embedding_model=reading, upscaler_model=enlarging)
    return backend.load(model, 1, ignore, NEVER)


@pytest.fixture(scope="module")
def engine(model: LocalModel, embedding_model: LocalModel) -> Iterator[GenerativeEngine]:
    loaded = load(model, embedding_model)
    yield loaded
    loaded.close()


def run(
    engine: GenerativeEngine, request: ImageRequest, cancel: threading.Event = NEVER
) -> tuple[dict[int, Chunk], Usage]:
    """Returns the last chunk of each result, and the usage; those before say only how far it is, ever further."""
    stream, last = engine.generate(request, cancel), dict[int, Chunk]()
    while True:
        try:
            chunk = next(stream)
        except StopIteration as end:
            return last, end.value
        before = last.get(chunk.index, Chunk(progress=0))
        assert before.finish_reason is None
        if chunk.finish_reason is None:
            assert not chunk.data
            assert before.progress is not None
            assert chunk.progress is not None
            assert chunk.progress > before.progress
        last[chunk.index] = chunk


def pixels(chunk: Chunk) -> np.ndarray:
    picture = Image.open(io.BytesIO(chunk.data))
    assert (picture.format, picture.mode, picture.info) == ("PNG", "RGB", {})
    return np.asarray(picture).astype(int)


def test_each_result_is_one_png_without_metadata(engine: GenerativeEngine) -> None:
    made, usage = run(engine, ImageRequest.of("a red circle", n=6, seed=5))
    assert sorted(made) == list(range(6))
    assert {chunk.finish_reason for chunk in made.values()} == {"stop"}
    assert {pixels(chunk).shape for chunk in made.values()} == {(64, 64, 3)}
    assert len({chunk.data for chunk in made.values()}) == 6
    assert usage.first_chunk_seconds is not None
    assert 0 < usage.first_chunk_seconds <= usage.total_seconds
    assert usage.prompt_tokens == engine.count_tokens(ImageRequest.of("a red circle")) > 0


def test_the_same_request_gives_the_same_bytes_and_another_does_not(engine: GenerativeEngine) -> None:
    request = ImageRequest.of("红色的圆", n=2, seed=7, steps=4)
    first = {index: chunk.data for index, chunk in run(engine, request)[0].items()}
    assert {index: chunk.data for index, chunk in run(engine, request)[0].items()} == first
    for change in ({"seed": 8}, {"steps": 5}, {"solver": "euler"}, {"style": "outline"}, {"guidance": 6.0}):
        other = run(engine, request.model_copy(update=change))[0]
        assert other[0].data != first[0], change
    assert run(engine, ImageRequest.of("蓝色的方块", n=2, seed=7, steps=4))[0][0].data != first[0]


def test_what_else_is_drawn_changes_a_result_by_rounding_at_most(
    engine: GenerativeEngine, model: LocalModel, embedding_model: LocalModel
) -> None:
    many = run(engine, ImageRequest.of("a star", n=5, seed=2))[0]
    alone = load(model, embedding_model, batch=1)
    single = run(alone, ImageRequest.of("a star", n=5, seed=2))[0]
    alone.close()
    for index in range(5):
        assert abs(pixels(many[index]) - pixels(single[index])).max() <= 2


def test_it_draws_what_the_trained_networks_draw(runs: Path, embedding_model: LocalModel, tmp_path: Path) -> None:
    """With both guidances, in torch, from the weights of the published file.

    Blocks that were trained for six steps add little to the rough velocity: it takes much to see it.
    """
    import torch

    from inkseal.nets.autoencoder import Autoencoder
    from inkseal.nets.diffusion_transformer import DiffusionTransformer
    from inkseal.nets.shapes import AutoencoderShape, DiffusionTransformerShape

    model = publish(runs, embedding_model, tmp_path, autoguidance=100.0)
    found = {
        network: find_trained(model.folder.parent.parent / "runs", "models/picture", network)
        for network in ("diffusion_transformer", "autoencoder")
    }
    flow = DiffusionTransformer(DiffusionTransformerShape.model_validate(found["diffusion_transformer"].facts["shape"]))
    decoder = Autoencoder(AutoencoderShape.model_validate(found["autoencoder"].facts["shape"]))
    for network, module in zip(found.values(), (flow, decoder), strict=True):
        module.load_state_dict({name.removeprefix("model."): tensor for name, tensor in network.tensors.items()})
        module.eval().requires_grad_(False)
    told = read_header(model.folder / WEIGHTS).metadata
    mean, std = (torch.tensor(json.loads(told[f"latent_{name}"]))[:, None, None] for name in ("mean", "std"))
    engine = load(model, embedding_model)
    condition = engine._condition("a red circle")[None]
    asked = (condition, np.any(condition != 0, axis=2), np.zeros(1, np.int64))

    def velocities(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        velocity, rough = flow.velocities(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))
        return velocity.numpy(), rough.numpy()

    drawn = []
    for autoguidance in (100.0, 0.0):
        velocity = guided(velocities, *asked, 4.0, autoguidance)
        *_, last = solvers["heun"]().solve(velocity, noise_of(3, [(0, 0)], (4, 8, 8)), times(5))
        colours = decoder.decode(torch.from_numpy(last).float() * std + mean).numpy()
        drawn.append(to_bytes(colours.clip(-1, 1))[0].astype(int))
    request = ImageRequest.of("a red circle", seed=3, steps=5, guidance=4.0, solver="heun")
    made = pixels(run(engine, request)[0][0])
    engine.close()
    assert abs(made - drawn[0]).max() <= 3
    assert abs(made - drawn[1]).max() > 20, "autoguidance makes a difference"


def test_noise_belongs_to_seed_and_number() -> None:
    both = noise_of(3, [(0, 0), (1, 0)], (2, 4, 4))
    assert (noise_of(3, [(1, 0)], (2, 4, 4))[0] == both[1]).all()
    assert not np.allclose(both[0], both[1])
    # Written down from one machine: another one must draw the same.
    assert noise_of(0, [(0, 0)], (1, 1, 3)).ravel().tolist() == pytest.approx(PINNED, abs=1e-6)


PINNED = [1.1176220, -1.3871249, -0.4265716]


def test_a_prompt_of_blanks_draws_without_condition(engine: GenerativeEngine) -> None:
    assert pixels(run(engine, ImageRequest.of("  ", seed=1))[0][0]).shape == (64, 64, 3)
    assert engine.count_tokens(ImageRequest.of(" ")) == 0


@pytest.fixture(scope="module")
def choosing(embedding_model: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GenerativeEngine]:
    """An engine whose model has a text–picture encoder."""
    from inkseal.workshop.publish.picture import publish_picture

    place = tmp_path_factory.mktemp("choosing")
    data = carded_pictures(embedding_model.sha256)
    train_pictures(place / "runs", data, encoder=True)
    shelf = Shelf(place / "data")
    publish_picture(place / "runs", ["flow", "clip"], lambda _: data, shelf, "picture", on_event=ignore, cancel=NEVER)
    loaded = load(Catalog(place / "data").local("picture"), embedding_model)
    yield loaded
    loaded.close()


def test_of_more_candidates_the_one_that_fits_better_is_kept(
    choosing: GenerativeEngine, embedding_model: LocalModel
) -> None:
    text, fits, told, kept = "a red circle", [], [], []
    for number in (1, 2, 5, 11):
        made, usage = run(choosing, ImageRequest.of(text, n=2, seed=3, candidates=number))
        kept.append([made[0].data, made[1].data])
        fits.append(_fits(choosing, embedding_model, text, made))
        if number > 1:
            assert usage.reported["candidates"] == number
            told.append([usage.reported["fit_1"], usage.reported["fit_2"]])
            assert told[-1] == pytest.approx(fits[-1], abs=2e-3)
    better = np.diff(told, axis=0)
    assert (better >= 0).all()  # the candidates before are among the later ones
    assert (better > 0).any(axis=0).all()
    assert kept[0][0] != kept[-1][0]
    assert kept[0][1] != kept[-1][1]
    assert run(choosing, ImageRequest.of(text, n=1, seed=3, candidates=5))[0][0].data == kept[2][0]


def _fits(engine: GenerativeEngine, embedding: LocalModel, text: str, made: dict[int, Chunk]) -> list[float]:
    """Returns the cosines that the encoder's torch twin gives the pictures as they were handed out."""
    import json

    import torch
    from safetensors.torch import load_file

    from inkseal.formats.safetensors import read_header
    from inkseal.formats.text_condition import whole_text
    from inkseal.nets.shapes import TextImageShape
    from inkseal.nets.text_image_encoder import TextImageEncoder
    from inkseal.studio.generate.backends.openvino_image import _embedder_of

    weights = engine.model.folder / "model.safetensors"
    shapes = json.loads(read_header(weights).metadata["shapes"])
    encoder = TextImageEncoder(TextImageShape.model_validate(shapes["encoder"])).eval()
    known = load_file(weights).items()
    encoder.load_state_dict({name[8:]: one.float() for name, one in known if name.startswith("encoder.")})
    embedder = _embedder_of(embedding).load(embedding, 1, ignore, NEVER)
    vector = torch.tensor(np.asarray(embedder.embed([whole_text(text)]), np.float32))  # type: ignore[union-attr]
    seen = torch.tensor(np.stack([pixels(made[index]) / 127.5 - 1 for index in sorted(made)]), dtype=torch.float32)
    with torch.no_grad():
        cosines = encoder.encode_pictures(seen.permute(0, 3, 1, 2)) @ encoder.encode_texts(vector)[0]
    return [float(cosine) for cosine in cosines]


def test_candidates_are_drawn_one_after_the_other_and_a_cancel_keeps_what_is_whole(choosing: GenerativeEngine) -> None:
    cancel, made = threading.Event(), []
    for chunk in choosing.generate(ImageRequest.of("a star", n=3, seed=1, candidates=6), cancel):
        made += [(chunk.index, chunk.finish_reason)] if chunk.finish_reason else []
        if chunk.data:
            cancel.set()
    assert made == [(0, "stop"), (1, "cancelled"), (2, "cancelled")]


def test_a_model_without_an_encoder_chooses_nothing(engine: GenerativeEngine) -> None:
    with pytest.raises(Unsupported, match="no encoder"):
        run(engine, ImageRequest.of("a star", candidates=2))


def test_a_set_cancel_stops_within_one_step(engine: GenerativeEngine) -> None:
    class After:
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 3

    cancel = After()
    stream = engine.generate(ImageRequest.of("a star", n=2, steps=50, seed=1), cancel)
    chunks = list(stream)
    assert max(chunk.progress or 0 for chunk in chunks) == 3 / 50
    reasons = {chunk.index: chunk.finish_reason for chunk in chunks}
    assert reasons == {0: "cancelled", 1: "cancelled"}
    assert cancel.asked == 4


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"style": "outlines"}, "outline"),
        ({"solver": "eular"}, "euler"),
        ({"width_px": 100}, "64×64, 256×256, 1024×1024"),
        ({"width_px": 64, "height_px": 256}, "64×64"),
        ({"watermark": "kgw"}, ""),
    ],
)
def test_what_it_cannot_do_is_refused_before_the_first_chunk(
    engine: GenerativeEngine, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(Unsupported) as refused:
        next(engine.generate(ImageRequest.of("x", **fields), NEVER))
    assert said in refused.value.fix


def test_a_text_request_is_refused(engine: GenerativeEngine) -> None:
    with pytest.raises(Unsupported):
        next(engine.generate(TextRequest.of("x"), NEVER))


def test_a_larger_size_needs_the_upscaler(engine: GenerativeEngine) -> None:
    with pytest.raises(ModelMissing, match="upscaler"):
        next(engine.generate(ImageRequest.of("x", width_px=256), NEVER))


def test_results_of_1024_pixels_are_enlarged_each_within_bounds_of_memory(
    model: LocalModel, embedding_model: LocalModel, upscaler_model: LocalModel
) -> None:
    loaded = load(model, embedding_model, upscaler=upscaler_model)
    small = run(loaded, ImageRequest.of("a star", n=2, seed=3))[0]
    run(loaded, ImageRequest.of("a star", seed=3, width_px=256))
    process, before = psutil.Process(), psutil.Process().memory_info().rss
    large, usage = run(loaded, ImageRequest.of("a star", n=2, seed=3, width_px=1024, height_px=1024))
    assert process.memory_info().rss < before + WORKING_BYTES + 8 * 1024 * 1024 * 3
    for index in range(2):
        assert pixels(large[index]).shape == (1024, 1024, 3)
        with Image.open(io.BytesIO(large[index].data)) as found:
            shrunk = np.asarray(found.resize((64, 64), Image.Resampling.BOX)).astype(int)
        assert abs(shrunk - pixels(small[index])).mean() < 20  # an untrained model's noise, which the upscaler smooths
    assert large[0].data != large[1].data
    assert usage.reported["enlarged_by"] == upscaler_model.name
    loaded.close()


def test_the_model_that_reads_prompts_must_be_the_one_trained_with(
    model: LocalModel, embedding_model: LocalModel
) -> None:
    with pytest.raises(ModelMissing, match="embedding"):
        load(model, None)
    with pytest.raises(ModelFileRefused, match="another embedding"):
        load(model, embedding_model.model_copy(update={"sha256": "f" * 64}))


def test_a_changed_file_is_refused(model: LocalModel, embedding_model: LocalModel, tmp_path: Path) -> None:
    for name in model.files:
        (tmp_path / name).write_bytes((model.folder / name).read_bytes())
    damaged = bytearray((tmp_path / "model.safetensors").read_bytes())
    damaged[-7] ^= 1
    (tmp_path / "model.safetensors").write_bytes(damaged)
    with pytest.raises(ModelFileRefused):
        load(model.model_copy(update={"folder": tmp_path}), embedding_model)


FIELDS: list[dict[str, object]] = [{}, {"width_px": 256}, {"candidates": 2}]


@pytest.mark.parametrize("fields", FIELDS, ids=["plain", "enlarged", "chosen"])
def test_a_closed_engine_says_so(model: LocalModel, embedding_model: LocalModel, fields: dict[str, object]) -> None:
    loaded = load(model, embedding_model)
    loaded.close()
    loaded.close()
    with pytest.raises(EngineFailed, match="closed"):
        run(loaded, ImageRequest.of("x", **fields))


@pytest.mark.parametrize("fields", FIELDS[1:], ids=["enlarged", "chosen"])
def test_a_close_between_two_networks_is_said_and_frees_them_all(
    choosing: GenerativeEngine,
    embedding_model: LocalModel,
    upscaler_model: LocalModel,
    fields: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = load(choosing.model, embedding_model, upscaler=upscaler_model)
    infer, decoder = loaded._infer, loaded._decoder
    kept = [weakref.ref(one) for one in (loaded._enlarger, loaded._fit)]

    def closing(network: object, *arrays: object) -> object:
        made = infer(network, *arrays)
        if network is decoder:
            loaded.close()
        return made

    monkeypatch.setattr(loaded, "_infer", closing)
    with pytest.raises(EngineFailed, match="closed"):
        run(loaded, ImageRequest.of("x", steps=1, **fields))
    assert [one() for one in kept] == [None, None]


def test_the_forecast_counts_the_model_that_reads_prompts(model: LocalModel, embedding_model: LocalModel) -> None:
    without = OpenvinoImage(OpenvinoImageConfig()).forecast_bytes(model)
    backend = OpenvinoImage(OpenvinoImageConfig(), embedding_model=embedding_model.model_dump_json())
    assert backend.forecast_bytes(model) > without > 0
