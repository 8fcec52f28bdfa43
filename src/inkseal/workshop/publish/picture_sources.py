"""What finished picture runs hold for publishing: weights, shapes, recipes, logs; and proof of their data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkseal.catalog.verify import hash_file
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.nets.shapes import AutoencoderShape, DiffusionTransformerShape, TextImageShape
from inkseal.workshop.publish.mean import Run, last_of, mean_weights
from inkseal.workshop.train.beginning import BEGINNING, BEGINNING_LOG, beginnings
from inkseal.workshop.train.latents import AUTOENCODER, AUTOENCODER_LOG, AUTOENCODER_RECIPE, Latents
from inkseal.workshop.train.picture_batches import Pictures, evenly, to_pixels
from inkseal.workshop.train.run_folder import MODEL, of_player, read_model
from inkseal.workshop.train.run_log import LOG, log_lines

if TYPE_CHECKING:
    from torch import Tensor

    from inkseal.workshop.publish.layers import Array

NUM_PROBES = 8
PROBE_TOLERANCE = 0.05
"""Of a latent's value; those of other pictures are about 1 apart."""


@dataclass(frozen=True)
class PictureSources:
    """The runs that make one picture model.

    Attributes:
        flow, encoder: their folders; the encoder's is None when none was named.
        trained_on: hashes of the datasets that they were trained on, as far as the runs know.
        facts: of the flow, as the run left them.
        averaged: names of the runs whose weights' mean the transformer's are, the flow's among them.
        latents: with the autoencoder that made them.
        steps: after how many each network was taken.
    """

    flow: Path
    encoder: Path | None
    facts: Mapping[str, Any]
    averaged: tuple[str, ...]
    trained_on: frozenset[str]
    latents: Latents
    transformer_weights: "Mapping[str, Tensor]"
    encoder_weights: "Mapping[str, Tensor]"
    encoder_shape: TextImageShape | None
    steps: Mapping[str, int]

    @property
    def logs(self) -> "dict[str, Path]":
        """Returns the logs of everything that was trained for this model, by the names of the runs, first things first.

        A log need not be there.
        """
        recipe = self.flow / AUTOENCODER_RECIPE
        name = json.loads(recipe.read_bytes())["name"] if recipe.is_file() else "autoencoder"
        named = {str(name): self.flow / AUTOENCODER_LOG}
        if self.beginnings:
            named[" + ".join(str(told["recipe"]["name"]) for told in self.beginnings)] = self.flow / BEGINNING_LOG
        named[self.flow.name] = self.flow / LOG
        if self.encoder is not None:
            named[self.encoder.name] = self.encoder / LOG
        return named

    @property
    def beginnings(self) -> list[dict[str, Any]]:
        """Returns what the runs whose weights the flow began with say of themselves, first things first."""
        return beginnings(self.flow / BEGINNING)

    @property
    def transformer_shape(self) -> DiffusionTransformerShape:
        return DiffusionTransformerShape.model_validate(self.facts["shape"])

    @property
    def autoencoder_shape(self) -> AutoencoderShape:
        return self.latents.shape

    def encoder_network(self) -> Any:
        """Returns the text–image encoder in torch; only where there is one."""
        from inkseal.nets.text_image_encoder import TextImageEncoder

        assert self.encoder_shape is not None
        network = TextImageEncoder(self.encoder_shape)
        network.load_state_dict(dict(self.encoder_weights))
        return network.eval()

    def tensors(self) -> "dict[str, Array]":
        """Returns all weights in half precision, by network and name.

        Raises:
            InvalidRequest: one is too large for half precision.
        """
        named = {f"transformer.{name}": tensor for name, tensor in self.transformer_weights.items()}
        named |= {f"autoencoder.{name}": tensor for name, tensor in self.latents.autoencoder.state_dict().items()}
        named |= {f"encoder.{name}": tensor for name, tensor in self.encoder_weights.items()}
        found = {name: tensor.detach().float().numpy().astype(np.float16) for name, tensor in named.items()}
        broken = [name for name, tensor in found.items() if not np.isfinite(tensor).all()]
        if broken:
            raise InvalidRequest(
                say(f"The weights {broken[0]!r} exceed half precision.", f"权重 {broken[0]!r} 超出半精度范围。")
            )
        return found


def read_sources(runs: Path, names: Sequence[str]) -> PictureSources:
    """Returns what the named runs hold. The autoencoder comes with the flow, which kept the one that it saw.

    Raises:
        InvalidRequest: a run is not there, not at its end or of no use here, there is no flow, or there are several
            of which none went on from all others, on the same latents.
        ModelFileRefused: a file is malformed.
    """
    found: dict[str, list[Run]] = {}
    for name in dict.fromkeys(names):
        if not name or Path(name).name != name or name.startswith("."):
            raise InvalidRequest(say(f"{name[:80]!r} is no name of a run.", f"{name[:80]!r} 不是运行名称。"))
        said, weights = read_model(runs / name / MODEL)
        _require_end(name, said)
        found.setdefault(str(said.get("network")), []).append(Run(runs / name, said, weights))
    flows, encoders = found.pop("diffusion_transformer", []), found.pop("text_image_encoder", [])
    autoencoders = found.pop("autoencoder", [])
    if not flows or len(encoders) > 1 or found:
        raise InvalidRequest(
            say(
                "A picture model is a flow run, with or without runs that it began with and one text–image encoder.",
                "图片模型由一个流匹配运行组成，可另加它所继续的运行，以及一个图文编码器运行。",
            ),
            fix=say(
                "Example: inkseal publish picture-flow picture-encoder.",
                "例如：inkseal publish picture-flow picture-encoder。",
            ),
        )
    flow, facts, _ = last_of(flows)
    latents = Latents(flow)
    for run in flows:
        _require_latents(run, latents)
    steps = {"transformer": facts["step"], "autoencoder": latents.step}
    steps |= {"encoder": encoders[0].facts["step"]} if encoders else {}
    for folder, *_ in autoencoders:
        if not _same(folder / MODEL, flow / AUTOENCODER):
            raise InvalidRequest(
                say(
                    f"{flow.name} was not trained on the latents of {folder.name} as it is now.",
                    f"{flow.name} 并非用 {folder.name} 当前的潜变量训练。",
                )
            )
    return PictureSources(
        flow=flow,
        encoder=encoders[0].folder if encoders else None,
        facts=facts,
        averaged=tuple(sorted(run.folder.name for run in flows)) if len(flows) > 1 else (),
        trained_on=frozenset(run.facts.get("data_sha256") or "" for run in [*flows, *encoders]) - {""},
        latents=latents,
        transformer_weights=of_player(mean_weights(flows)),
        encoder_weights=of_player(encoders[0].tensors) if encoders else {},
        encoder_shape=TextImageShape.model_validate(encoders[0].facts["shape"]) if encoders else None,
        steps=steps,
    )


def _require_end(name: str, facts: Mapping[str, Any]) -> None:
    """Refuses weights from the middle of a run: its log and sheets go on without them."""
    step, steps = facts["step"], facts["recipe"]["steps"]
    if step < steps:
        raise InvalidRequest(
            say(
                f"The run {name!r} has not ended: its weights are those of step {step:,} of {steps:,}.",
                f"运行 {name!r} 尚未结束：现有权重为第 {step:,} 步，共 {steps:,} 步。",
            ),
            fix=say(
                f"Train it to its end; --steps {step} ends it where it is.",
                f"请训练到结束；--steps {step} 可在此处结束。",
            ),
        )


def _require_latents(run: Run, latents: Latents) -> None:
    """Refuses a run whose latents are others: its weights speak of something else."""
    mine = Latents(run.folder).values
    rows = evenly(np.arange(len(latents.values)), NUM_PROBES)
    if mine.shape != latents.values.shape or _gap(mine[rows], latents.values[rows]) > PROBE_TOLERANCE:
        name = run.folder.name
        raise InvalidRequest(
            say(
                f"{name!r} was trained on the latents of another autoencoder.",
                f"{name!r} 所用的潜变量出自另一自编码器。",
            )
        )


def _gap(one: "Array", other: "Array") -> float:
    """Returns the largest difference of two latents' values."""
    return float(np.abs(one.astype(np.float32) - other.astype(np.float32)).max())


def prove_data(sources: PictureSources, data: Pictures, data_sha256: str) -> None:
    """Compares hashes; encodes some of the dataset's pictures again and compares with the flow's latents.

    Raises:
        InvalidRequest: it is another dataset than the run's.
    """
    import torch

    latents = sources.latents
    styles = sorted({row.style for row in data.rows})
    same = sources.trained_on <= {data_sha256}
    same = same and len(latents.values) == len(data.pixels) and styles == sorted(sources.facts["styles"])
    if same:
        rows = evenly(np.arange(len(data.pixels)), NUM_PROBES)
        with torch.no_grad():
            again = latents.autoencoder.encode(to_pixels(data, rows))[0].numpy()
        same = _gap(again, latents.values[rows]) <= PROBE_TOLERANCE
    if not same:
        raise InvalidRequest(
            say(
                f"The run {sources.flow.name!r} was trained on other pictures than this dataset's.",
                f"运行 {sources.flow.name!r} 训练所用的图片与此数据集不同。",
            ),
            fix=say(
                "Put back the dataset it was trained on, or train again.",
                "请恢复训练时的数据集，或重新训练。",
            ),
        )


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and hash_file(one) == hash_file(other)


def scores_of(log: Path) -> dict[str, float]:
    """Returns the last value of each held-out score in a run's log; nothing when there is none."""
    scores: dict[str, float] = {}
    for _, line in log_lines(log):
        if str(line.get("name", "")).startswith("held_out_"):
            scores[line["name"]] = line["value"]
    return scores
