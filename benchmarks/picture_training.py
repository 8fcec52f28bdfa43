"""Writes the page of how the picture model that comes along was trained, from the logs beside it.

    python benchmarks/picture_training.py [--mean] [--write]

`--mean` measures the losses of the shipped weights, the mean of several runs, which no log holds: that needs the
dataset and the last run in the data folder, and the model installed. Without it the written losses stay.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from inkseal.catalog.verify import hash_file
from inkseal.core.config import load_settings
from inkseal.core.types import Closed
from inkseal.formats.picture_model import WEIGHTS
from inkseal.formats.safetensors import read_header
from inkseal.workshop.train.beginning import BEGINNING, BEGINNING_LOG, beginnings
from inkseal.workshop.train.run_log import LOG, log_lines

HERE = Path(__file__).parent
MODEL = HERE.parent / "models" / "picture"
PAGE = HERE.parent / "docs" / "reference" / "picture-training.md"
PLOT = HERE.parent / "docs" / "pictures" / "training.png"
RESULTS = HERE / "results" / "picture_training.json"
HELD_OUT = "held_out_"
LOSSES = {
    "validation_loss": "unseen pictures, names in English where there are any",
    "validation_loss_zh": "unseen pictures, names in Chinese",
    "held_out_loss": "unseen concepts, names in English where there are any",
    "held_out_loss_zh": "unseen concepts, names in Chinese",
}
OTHERS = {"autoencoder": ("psnr_db", "pooled_psnr_db"), "encoder": ("precision_of_100_en", "precision_of_100_zh")}
Points = list[tuple[float, float]]


class Measured(Closed):
    """Losses of shipped weights, by name, on the dataset that the last run saw."""

    weights: str
    dataset: str
    day: date
    losses: dict[str, float]


class Taken(Closed):
    """One run of the chain.

    Attributes:
        metrics: by name, the value after so many steps.
        seconds: of its sittings.
    """

    name: str
    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    data: str
    seconds: float
    metrics: dict[str, dict[int, float]]

    @property
    def examples(self) -> float:
        """In millions."""
        return self.steps * self.batch / 1e6


def chain(folder: Path) -> list[Taken]:
    """Returns the runs that the transformer's weights went through, first things first."""
    recipe = json.loads((folder / "recipe.json").read_bytes())
    known = read_header(folder / WEIGHTS).metadata
    last = {"recipe": recipe, "step": json.loads(known["steps"])["transformer"], "data_sha256": known["data_sha256"]}
    logs: dict[str, tuple[dict[str, dict[int, float]], float]] = {}
    name = ""
    for _, line in (*log_lines(folder / BEGINNING_LOG), *log_lines(folder / LOG)):
        name = line["run_id"] if line["kind"] == "started" else name
        metrics, seconds = logs.get(name, ({}, 0.0))
        if line["kind"] == "metric_logged":
            metrics.setdefault(line["name"], {})[line["step"]] = line["value"]
        elif line["kind"] == "finished":
            seconds += line["usage"]["total_seconds"]
        logs[name] = metrics, seconds
    return [
        Taken(
            name=told["recipe"]["name"],
            steps=told["step"],
            batch=told["recipe"]["batch"],
            learning_rate=told["recipe"]["optimizer"]["lr"],
            weight_decay=told["recipe"]["optimizer"]["weight_decay"],
            data=told.get("data_sha256") or "",
            seconds=logs[told["recipe"]["name"]][1],
            metrics=logs[told["recipe"]["name"]][0],
        )
        for told in (*beginnings(folder / BEGINNING), last)
    ]


def curve(runs: Sequence[Taken], name: str) -> Points:
    """Returns a metric over millions of examples seen since the very beginning."""
    points: Points = []
    before = 0.0
    for run in runs:
        found = sorted(run.metrics.get(name, {}).items())
        points += [(before + step * run.batch / 1e6, value) for step, value in found if step <= run.steps]
        before += run.examples
    return points


def measure(folder: Path) -> Measured:
    """Returns the losses of the installed model, scored like its runs were, in single precision.

    Raises:
        SystemExit: the installed weights or the data are not those that ship.
    """
    from threading import Event

    import torch

    from inkseal.core.events import ignore
    from inkseal.workshop.data.pictures import PictureSet
    from inkseal.workshop.train.averaged import copy_into
    from inkseal.workshop.train.objectives.flow_matching import FlowMatching, FlowMatchingConfig
    from inkseal.workshop.train.trained import find_trained

    data_dir = load_settings().data_dir
    trained = find_trained(data_dir / "runs", "models/picture", "diffusion_transformer")
    data = PictureSet.open(data_dir / "datasets" / "pictures")
    recipe = trained.facts["recipe"]
    if trained.sha256 != hash_file(folder / WEIGHTS) or data.card.sha256 != trained.facts["data_sha256"]:
        sys.exit("The model or the dataset here is not the one that ships.")
    run = data_dir / "runs" / recipe["name"]
    objective = FlowMatching(FlowMatchingConfig.model_validate(recipe["config"]), data, run)
    objective.prepare(ignore, Event())
    copy_into(objective.modules, trained.tensors)
    objective.modules["model"].eval()
    with torch.no_grad():
        losses = dict(objective.evaluate())
    return Measured(weights=trained.sha256, dataset=data.card.sha256, day=date.today(), losses=losses)


def draw(runs: Sequence[Taken], measured: Measured, folder: Path, path: Path) -> None:
    """Draws the losses of the whole chain, and the scores of the autoencoder and the encoder beside it."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, ((training, unseen), (sharpness, precision)) = plt.subplots(2, 2, figsize=(13, 8), layout="constrained")
    training.plot(*zip(*curve(runs, "loss"), strict=True), linewidth=0.8)
    training.set(title="transformer: loss of the batches", yscale="log")
    for name, about in LOSSES.items():
        points = curve(runs, f"{HELD_OUT}{name}")
        (line,) = unseen.plot(*zip(*points, strict=True), marker=".", label=about)
        unseen.plot(points[-1][0] * 1.02, measured.losses[name], marker="*", markersize=11, color=line.get_color())
    unseen.set(title="transformer: loss on what was not trained (stars: as shipped)")
    unseen.legend(fontsize=8, loc="center left")
    end = 0.0
    for run in runs:
        for axis in (training, unseen):
            axis.axvline(end, color="#bbbbbb", linewidth=0.8)
        end += run.examples
    for axis in (training, unseen):
        axis.set_xlabel("examples (millions); a grey line where a run begins")
    for axis, (part, names) in zip((sharpness, precision), OTHERS.items(), strict=True):
        lines = [line for _, line in log_lines(folder / f"{part}-{LOG}") if line["kind"] == "metric_logged"]
        for name in names:
            points = [(line["step"], line["value"]) for line in lines if line["name"] == f"{HELD_OUT}{name}"]
            axis.plot(*zip(*points, strict=True), marker=".", label=name)
        axis.set(title=f"{part}: scores on what was not trained", xlabel="steps", ylim=(0, None))
        axis.legend(fontsize=8)
    for axis in (training, unseen, sharpness, precision):
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def report(runs: Sequence[Taken], measured: Measured) -> str:
    """Returns the page."""
    head = ["run", "steps × batch", "learning rate", "weight decay", "hours", "data", *LOSSES]
    lines = [
        "# How the picture model was trained",
        "",
        f"Written by `python benchmarks/picture_training.py --write` from the logs in `models/picture`, the model that"
        f" comes along. The losses of its weights were measured on {measured.day}. The recipes are in `recipes/`.",
        "",
        "![Losses of the whole training](../pictures/training.png)",
        "",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *map(_row, runs),
        f"| **mean of runs, as shipped** | – | – | – | – | {_short(measured.dataset)} | {_cells(measured.losses)} |",
        "",
        "Each run begins with the averaged weights of the one before; losses are those of its end. They are mean"
        " squared errors of the velocity, lower is better, on at most 512 pictures each, at the same times and with the"
        " same noise every time; the mean's were computed in single precision, the runs' in bfloat16. **Runs on other"
        " data (see the column) have other unseen pictures and other captions: their losses compare only among"
        " themselves.** `–`: from before the hash was kept. No energy was measured: the machine has no meter.",
        "",
        *(f"- `{name}`: {about}." for name, about in LOSSES.items()),
        "",
    ]
    return "\n".join(lines)


def _row(run: Taken) -> str:
    ends = {name: run.metrics[f"{HELD_OUT}{name}"][run.steps] for name in LOSSES}
    facts = [f"`{run.name}`", f"{run.steps:,} × {run.batch}", f"{run.learning_rate:g}", f"{run.weight_decay:g}"]
    facts += [f"{run.seconds / 3600:.2f}", _short(run.data), _cells(ends)]
    return f"| {' | '.join(facts)} |"


def _cells(losses: Mapping[str, float]) -> str:
    return " | ".join(f"{losses[name]:.4f}" for name in LOSSES)


def _short(sha256: str) -> str:
    return f"`{sha256[:8]}`" if sha256 else "–"


def read_measured(path: Path, weights: str) -> Measured:
    """Returns what was measured before.

    Raises:
        SystemExit: of other weights.
    """
    found = Measured.model_validate_json(path.read_bytes()) if path.is_file() else None
    if found is None or found.weights != weights:
        sys.exit("The losses of these weights are not known; measure them with --mean.")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mean", action="store_true", help="measure the losses of the shipped weights")
    parser.add_argument("--write", action="store_true", help="write the page, the picture and the results")
    options = parser.parse_args()
    runs = chain(MODEL)
    measured = measure(MODEL) if options.mean else read_measured(RESULTS, hash_file(MODEL / WEIGHTS))
    page = report(runs, measured)
    print(page)
    if options.write:
        RESULTS.write_text(measured.model_dump_json(indent=1) + "\n", "utf-8")
        draw(runs, measured, MODEL, PLOT)
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
