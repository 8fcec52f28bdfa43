"""Publishes a picture model: gathers the runs, proves data and networks, writes the folder, puts it on the shelf."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from inkseal.catalog.card import Card, CardFile, card_text
from inkseal.catalog.shelf import RUNS, Installed, Shelf
from inkseal.catalog.verify import hash_file, verify_files
from inkseal.core.errors import Cancelled, InvalidRequest, MissingDependency, ModelFileRefused
from inkseal.core.events import Listener, Noted, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Closed, now
from inkseal.formats.picture_model import DECODER, FACTS, PICTURES, TEXTS, TRANSFORMER, WEIGHTS, PictureModel
from inkseal.formats.shared_weights import save_graphs
from inkseal.store.durable import write_whole
from inkseal.workshop.data.card import Card as DataCard
from inkseal.workshop.publish.licences import LicensedRow, licence_table
from inkseal.workshop.publish.parity import Parity, require
from inkseal.workshop.publish.picture_card import make_card, page
from inkseal.workshop.publish.picture_graphs import (
    draw_decoder,
    draw_picture_tower,
    draw_text_tower,
    draw_transformer,
)
from inkseal.workshop.publish.picture_parity import prove
from inkseal.workshop.publish.picture_search import measure_search
from inkseal.workshop.publish.picture_sources import PictureSources, prove_data, read_sources
from inkseal.workshop.train.beginning import BEGINNING, BEGINNING_LOG
from inkseal.workshop.train.latents import AUTOENCODER_LOG, AUTOENCODER_RECIPE
from inkseal.workshop.train.objectives.flow_matching import FlowMatchingConfig
from inkseal.workshop.train.picture_batches import Pictures
from inkseal.workshop.train.run_log import LOG

MAX_BYTES = 60_000_000
DATA, PROOF, PAGE, CARD_FILE = "data.json", "parity.json", "MODEL.md", "card.toml"
LICENCES = "licences.csv.gz"
NUM_STEPS = 5
SIDE = 8
"""A latent's side is this part of a picture's."""


class PublishedPictures(Pictures, Protocol):
    """A picture dataset with its card, that knows where each picture is from."""

    rows: Sequence[LicensedRow]
    card: DataCard


class Published(Closed):
    """What was published, and how it was proved. `changed` is False when the same model was there already."""

    name: str
    folder: Path
    card: Card
    parity: tuple[Parity, ...]
    changed: bool


def publish_picture(
    runs: Path,
    names: Sequence[str],
    open_data: Callable[[str], PublishedPictures],
    shelf: Shelf,
    name: str,
    *,
    sampling: Mapping[str, float] | None = None,
    on_event: Listener,
    cancel: Cancel,
) -> Published:
    """Makes the model `name` of finished runs; publishing the same again changes nothing.

    Args:
        runs: the folder of runs.
        names: one flow run, with runs that it began with if the mean of all is wanted, and a text–image encoder's.
        open_data: opens the dataset of a name, which the flow's recipe gives.
        shelf: where models lie.
        name: of the model; one of that name must have been published from runs.
        sampling: `guidance` and `autoguidance` that the model has by default, where not the recipe's.
        on_event: hears of each step.
        cancel: asks to stop between steps; nothing is left then.

    Raises:
        InvalidRequest: a run is not there, the dataset is another, the name is another model's, or it is too large.
        ModelFileRefused: what would be served does not answer as it was trained.
        MissingDependency: torch is not installed; it is needed for the proof.
    """
    _require_torch()
    before = _before(shelf, name)
    step = _Steps(on_event, cancel)
    step(say("Reading the runs", "读取运行"))
    sources = read_sources(runs, names)
    step(say("Proving the dataset", "核对数据集"))
    data = open_data(sources.facts["recipe"]["dataset"])
    prove_data(sources, data, data.card.sha256)
    with shelf.partial(name) as partial:
        try:
            _empty(partial)
            card, parity = _fill(partial, name, sources, data, sampling or {}, step)
            changed = before is None or before.card != card or not _is_whole(shelf.folder(name), card)
            if changed:
                source = f"{RUNS}{'+'.join(names)}"
                shelf.publish(partial, Installed(card=card, source=source, installed_at=now()))
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    if not changed:
        on_event(Noted(text=say(f"{name} was published so already.", f"{name} 已如此发布。")))
    return Published(name=name, folder=shelf.folder(name), card=card, parity=parity, changed=changed)


class _Steps:
    """Says which step begins, and stops between two of them when asked to."""

    def __init__(self, on_event: Listener, cancel: Cancel) -> None:
        self._on_event = on_event
        self._cancel = cancel
        self._done = 0

    def __call__(self, what: str) -> None:
        if self._cancel.is_set():
            raise Cancelled(say("Publishing was stopped.", "发布已停止。"))
        self._done += 1
        self._on_event(Progress(what=what, done=self._done, total=NUM_STEPS, unit="steps"))


def _fill(
    folder: Path,
    name: str,
    sources: PictureSources,
    data: PublishedPictures,
    sampling: Mapping[str, float],
    step: _Steps,
) -> tuple[Card, tuple[Parity, ...]]:
    step(say("Drawing the networks", "绘制网络"))
    facts = _write_networks(folder, sources, data, sampling)
    step(say("Proving that they answer as they were trained", "验证与训练结果一致"))
    parity = prove(folder, sources, data)
    require(parity)
    step(say("Writing the card", "编写模型卡"))
    write_whole(folder / LICENCES, licence_table(data.rows))
    card = _write_papers(folder, name, sources, data.card, facts, parity)
    write_whole(folder / CARD_FILE, card_text(card).encode())
    return card, parity


def _write_networks(
    folder: Path, sources: PictureSources, pictures: PublishedPictures, sampling: Mapping[str, float]
) -> PictureModel:
    data = pictures.card
    tensors = sources.tensors()
    transformer, autoencoder, latents = sources.transformer_shape, sources.autoencoder_shape, sources.latents
    graphs: dict[str, Any] = {
        TRANSFORMER: draw_transformer(tensors, transformer),
        DECODER: draw_decoder(tensors, autoencoder, latents.mean, latents.std),
    }
    if sources.encoder_shape is not None:
        graphs[PICTURES] = draw_picture_tower(tensors, sources.encoder_shape)
        graphs[TEXTS] = draw_text_tower(tensors, sources.encoder_shape)
    asked = {f"sheet_{name}": value for name, value in sampling.items()}
    config = FlowMatchingConfig.model_validate(sources.facts["recipe"]["config"] | asked)
    facts = PictureModel(
        side_px=SIDE * transformer.side,
        latent=(transformer.channels, transformer.side, transformer.side),
        text_width=transformer.text_width,
        num_tokens=transformer.num_tokens,
        styles=tuple(sources.facts["styles"]),
        steps=config.sheet_steps,
        guidance=config.sheet_guidance,
        autoguidance=config.sheet_autoguidance,
        solver=config.sheet_solver,
        embedding=data.embedding["model"],
        embedding_sha256=data.embedding["sha256"],
        parameters=sum(tensor.size for tensor in tensors.values()),
        search=measure_search(sources, pictures),
    )
    shapes = {
        "transformer": transformer,
        "autoencoder": autoencoder,
        **({"encoder": sources.encoder_shape} if sources.encoder_shape else {}),
    }
    metadata = {
        FACTS: facts.model_dump_json(),
        "shapes": json.dumps({key: shape.model_dump(mode="json") for key, shape in shapes.items()}),
        "latent_mean": json.dumps(latents.mean.tolist()),
        "latent_std": json.dumps(latents.std.tolist()),
        "data_sha256": data.sha256,
        "steps": json.dumps(sources.steps),
        **({"averaged": json.dumps(sources.averaged)} if sources.averaged else {}),
    }
    save_graphs(folder, WEIGHTS, tensors, graphs, metadata)
    return facts


def _write_papers(
    folder: Path,
    name: str,
    sources: PictureSources,
    data: DataCard,
    facts: PictureModel,
    parity: Sequence[Parity],
) -> Card:
    """Writes what stands beside the networks, and returns the card of everything in the folder."""
    own = ("recipe.json", LOG, "curves.png", BEGINNING, BEGINNING_LOG)
    flow = (*own, AUTOENCODER_RECIPE, AUTOENCODER_LOG)
    for run, prefix, papers in ((sources.flow, "", flow), (sources.encoder, "encoder-", own)):
        for file in papers:
            if run is not None and (run / file).is_file():
                shutil.copyfile(run / file, folder / f"{prefix}{file}")
    sheets = sorted((sources.flow / "sheets").glob("step-*.png"))
    if sheets:
        shutil.copyfile(sheets[-1], folder / "sheet.png")
    write_whole(folder / DATA, data.model_dump_json(indent=1).encode())
    write_whole(folder / PROOF, json.dumps([p.model_dump() for p in parity], indent=1).encode())
    write_whole(folder / PAGE, page(name, sources, data, facts, parity).encode())
    files = [
        CardFile(name=path.name, size_bytes=path.stat().st_size, sha256=hash_file(path))
        for path in sorted(folder.iterdir())
    ]
    size = sum(file.size_bytes for file in files)
    if size > MAX_BYTES:
        raise InvalidRequest(
            say(
                f"The model is {size / 1e6:.0f} MB, more than {MAX_BYTES / 1e6:.0f}.",
                f"模型大小为 {size / 1e6:.0f} MB，超过 {MAX_BYTES / 1e6:.0f} MB。",
            ),
            fix=say("Train a smaller network.", "请训练更小的网络。"),
        )
    return make_card(name, files, data, facts)


def _before(shelf: Shelf, name: str) -> Installed | None:
    """Returns what was published under the name; refuses to replace a model that came from elsewhere."""
    before = shelf.installed(name)
    if before is not None and not before.is_own:
        raise InvalidRequest(
            say(f"The name {name!r} is another model's.", f"名称 {name!r} 已属于其他模型。"),
            fix=say("Choose another with --name.", "请用 --name 另取名称。"),
        )
    return before


def _is_whole(folder: Path, card: Card) -> bool:
    try:
        verify_files(folder, {file.name: file.sha256 for file in card.files})
    except ModelFileRefused:
        return False
    return True


def _require_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        raise MissingDependency("torch", "train") from None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
