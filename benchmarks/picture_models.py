"""Compares the trained picture models: the flow, the conditional VAE and the conditional GAN.

    python benchmarks/picture_models.py [--runs RUN ...] [--encoder RUN] [--captions 250] [--each 2] [--write]

Every model draws names of unseen concepts, of unseen pictures of known concepts, and of training pictures, in the style
of the picture that bears the name. The pictures themselves stand in the first row. Needs the published picture model
with its text–image encoder, the runs to compare with, the dataset and the model of the check `image_safety`, whose
inner features the Fréchet distance uses: it was trained on photographs by others, so no model here was fitted to it.
"""

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from picture_networks import (
    Array,
    Drawer,
    adversarial,
    conditional_autoencoder,
    flow,
    sampling_of,
    training_of,
)
from wilson import wilson

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import load_settings
from inkseal.core.language import use_language
from inkseal.formats.openvino_core import core
from inkseal.measure.metrics import metrics
from inkseal.measure.metrics.nearest_distance import nearest_distances
from inkseal.runtime.device import describe, usable_cores
from inkseal.workshop.train.picture_batches import CHINESE, ENGLISH, Condition, Conditions, evenly, to_pixels
from inkseal.workshop.train.run_folder import of_player
from inkseal.workshop.train.trained import PUBLISHED, Trained, find_trained

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "picture-models.md"
RESULTS = HERE / "results" / "picture_models.json"
BATCH, TIMED = 16, 9
COPY_QUANTILE = 0.01
REAL = "the pictures themselves"
LANGUAGES = {ENGLISH: "en", CHINESE: "zh"}
PLAIN = {"conditional_autoencoder": conditional_autoencoder, "adversarial": adversarial}
NAMES = {"conditional_autoencoder": "conditional VAE", "adversarial": "conditional GAN"}
COLUMNS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "weights (M)": lambda row: f"{row['parameters'] / 1e6:.1f}" if "parameters" in row else "–",
    "Fréchet distance": lambda row: f"{row['frechet']:.3g}" if "frechet" in row else "–",
    "own caption among 100, known concepts": lambda row: _interval(row["known"]),
    "own caption among 100, unseen concepts": lambda row: _interval(row["unseen"]),
    "diversity": lambda row: f"{row['diversity']:.3g}" if "diversity" in row else "–",
    "distance to the nearest training picture": lambda row: f"{row['nearest']:.3g}",
    "copied": lambda row: f"{row['copied']:.1%}",
    "seconds a picture": lambda row: f"{row['seconds']:.3f}" if "seconds" in row else "–",
}


@dataclass(frozen=True)
class Asked:
    """Captions that every model draws, and the pictures that bear them."""

    rows: Array
    captions: Array
    seen: Condition
    language: Array
    numbers: Array
    """Of the captions' texts: equal ones say the same."""

    @property
    def texts(self) -> Any:
        return self.seen.tokens[:, 0]


class Eyes:
    """What looks at pictures: two encoders, one of ours for captions, one of others for everything else."""

    def __init__(self, data_dir: Path, trained: Trained) -> None:
        from inkseal.nets.shapes import TextImageShape
        from inkseal.nets.text_image_encoder import TextImageEncoder

        self._encoder = TextImageEncoder(TextImageShape.model_validate(trained.facts["shape"])).eval()
        self._encoder.load_state_dict(of_player(trained.tensors))
        local = Catalog(data_dir).local("open-nsfw")
        graph = core().read_model(local.folder / next(iter(local.files)))
        import openvino as ov

        head = [op for op in graph.get_ordered_ops() if op.get_type_name() == "MatMul"][-1]
        inner = ov.Model([head.input_value(0)], graph.get_parameters(), "features")
        # Half precision, a processor's default, would give every machine other distances.
        self._features = core().compile_model(inner, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def features(self, pixels: Any) -> Array:
        """Returns what the others' encoder sees, [N, 1024]."""
        from inkseal.studio.guard.picture_safety import pixels as safety_pixels

        return np.concatenate([self._features([safety_pixels(_png(picture))])[0] for picture in pixels])

    def retrieval(self, pixels: Any, asked: Asked) -> dict[str, float]:
        """Returns how often a picture's own caption beats 99 others of its language, the languages' mean, by ours.

        With the ends of a 95 % interval, each caption counting once.
        """
        import torch

        with torch.no_grad():
            own = torch.cat([self._encoder.encode_pictures(pixels[i : i + 64]) for i in range(0, len(pixels), 64)])
            read = self._encoder.encode_texts(asked.texts)
        turns = len(pixels) // len(asked.rows)
        texts, numbers, language = (
            np.concatenate([part] * turns) for part in (read.numpy(), asked.numbers, asked.language)
        )
        values = []
        for side in LANGUAGES:
            mine = language == side
            columns = {"features": own.numpy()[mine], "text_features": texts[mine], "captions": numbers[mine]}
            values.append(metrics["retrieval_precision"]().score(columns, {}).value)
        value = float(np.mean(values))
        low, high = wilson(value, len(asked.rows))
        return {"value": value, "low": low, "high": high}


def _png(picture: Any) -> bytes:
    from PIL import Image

    from inkseal.studio.generate.backends.openvino_image import to_bytes

    held = io.BytesIO()
    Image.fromarray(to_bytes(picture.numpy()[None])[0]).save(held, "PNG")
    return held.getvalue()


def ask(data: Any, num_captions: int) -> dict[str, Asked]:
    """Returns names of unseen concepts, of unseen pictures of known ones, and of training pictures."""
    conditions = Conditions(data)
    found = {}
    for name, split in (("unseen", "held_out"), ("known", "validation"), ("trained", "train")):
        parts = []
        for side in LANGUAGES:
            rows = data.places(split)[side :: len(LANGUAGES)]  # a picture is asked for in one language
            rows, captions = conditions.untold(rows, side) if name == "unseen" else _named(conditions, rows, side)
            chosen = evenly(np.arange(len(rows)), num_captions // len(LANGUAGES))
            parts.append((rows[chosen], captions[chosen], np.full(len(chosen), side)))
        rows, captions, language = (np.concatenate(part) for part in zip(*parts, strict=True))
        numbers = np.asarray(data.captions[captions, 0])
        found[name] = Asked(rows, captions, conditions.of_captions(rows, captions), language, numbers)
    return found


def _named(conditions: Conditions, rows: Array, language: int) -> tuple[Array, Array]:
    captions = conditions.first(rows, language)
    return rows[captions >= 0], captions[captions >= 0]


def find_drawers(runs: Sequence[str], folder: Path, data_sha256: str) -> dict[str, tuple[Trained, Drawer]]:
    """Returns what draws, by what the table calls it; a flow also without guidances.

    Raises:
        SystemExit: one was trained on another dataset.
    """
    found = {}
    for run in runs:
        trained = find_trained(folder, run, "diffusion_transformer")
        require_data(trained, data_sha256)
        network = trained.facts["network"]
        if network in PLAIN:
            found[f"{NAMES[network]} (`{run}`)"] = trained, PLAIN[network](trained)
            continue
        own = sampling_of(trained, folder)
        without = own._replace(autoguidance=0.0)
        for sampling in dict.fromkeys((own, without, without._replace(guidance=1.0))):
            title = f"flow matching (`{run}`), {sampling.steps} steps, guidance {sampling.guidance:g}"
            title += f" and {sampling.autoguidance:g}" if sampling.autoguidance else ""
            found[title] = trained, flow(trained, folder, sampling)
    return found


def require_data(trained: Trained, data_sha256: str) -> None:
    """Ends the program when a network was trained on another dataset."""
    if trained.facts.get("data_sha256", data_sha256) != data_sha256:
        sys.exit(f"{trained.folder.name} was trained on another dataset than the present one.")


def measure(data_dir: Path, runs: Sequence[str], encoder: str, num_captions: int, each: int) -> dict[str, Any]:
    """Returns a row of scores for the pictures themselves and for every model."""
    import torch

    from inkseal.workshop.data.pictures import PictureSet

    torch.set_num_threads(usable_cores())
    data = PictureSet.open(data_dir / "datasets" / "pictures")
    judge = find_trained(data_dir / "runs", encoder, "text_image_encoder")
    require_data(judge, data.card.sha256)
    drawers = find_drawers(runs, data_dir / "runs", data.card.sha256)
    eyes, asked = Eyes(data_dir, judge), ask(data, num_captions)
    others = np.setdiff1d(data.places("held_out"), asked["unseen"].rows)
    real = {"features": eyes.features(to_pixels(data, others))}
    known = _colours(to_pixels(data, data.places("train")))
    unknown = nearest_distances(_colours(to_pixels(data, data.places("validation"))), known)
    near = float(np.quantile(unknown, COPY_QUANTILE))
    found: dict[str, Any] = {REAL: _real_row(eyes, data, asked, real, unknown)}
    for title, (trained, drawer) in drawers.items():
        with torch.no_grad():
            made = {name: draw(drawer, one.seen, each if name == "unseen" else 1) for name, one in asked.items()}
            seconds = seconds_of(drawer, asked["known"].seen)
        features = eyes.features(made["unseen"])
        turns = {"features": features, "captions": np.tile(np.arange(len(asked["unseen"].rows)), each)}
        gaps = nearest_distances(_colours(made["trained"]), known)
        training = training_of(trained)
        found[title] = {
            "parameters": drawer.parameters,
            "frechet": _frechet(np.split(features, each), real),
            "known": eyes.retrieval(made["known"], asked["known"]),
            "unseen": eyes.retrieval(made["unseen"], asked["unseen"]),
            "nearest": float(np.median(gaps)),
            "copied": float(np.mean(gaps < near)),
            "seconds": seconds,
            "training": {"runs": training.runs, "examples": training.examples, "seconds": training.seconds},
        }
        if each > 1:
            found[title]["diversity"] = metrics["diversity"]().score(turns, {}).value
        print(f"{title}: done", file=sys.stderr)
    warning = metrics["frechet_distance"]().score({"features": real["features"][: len(asked["unseen"].rows)]}, real)
    return {
        "date": date.today().isoformat(),
        "machine": describe().model_dump(),
        "dataset": data.card.sha256,
        "asked": {
            name: {LANGUAGES[side]: int(np.sum(one.language == side)) for side in LANGUAGES}
            for name, one in asked.items()
        },
        "each": each,
        "num_others": len(others),
        "warning": warning.warning,
        "copy_distance": near,
        "models": found,
    }


def timed_again(results: dict[str, Any], data_dir: Path, runs: Sequence[str]) -> dict[str, Any]:
    """Returns the results with the seconds of each model measured anew."""
    import torch

    from inkseal.workshop.data.pictures import PictureSet

    torch.set_num_threads(usable_cores())
    data = PictureSet.open(data_dir / "datasets" / "pictures")
    seen = ask(data, TIMED + 1)["known"].seen
    with torch.no_grad():
        for title, (_, drawer) in find_drawers(runs, data_dir / "runs", data.card.sha256).items():
            results["models"][title]["seconds"] = seconds_of(drawer, seen)
    return results


def _real_row(eyes: Eyes, data: Any, asked: Mapping[str, Asked], real: Any, unknown: Array) -> dict[str, Any]:
    pixels = {name: to_pixels(data, one.rows) for name, one in asked.items()}
    return {
        "frechet": _frechet([eyes.features(pixels["unseen"])], real),
        "known": eyes.retrieval(pixels["known"], asked["known"]),
        "unseen": eyes.retrieval(pixels["unseen"], asked["unseen"]),
        "nearest": float(np.median(unknown)),
        "copied": COPY_QUANTILE,
    }


def _frechet(turns: Sequence[Array], real: Any) -> float:
    """Returns the mean over turns: the distance depends on how many pictures there are."""
    return float(np.mean([metrics["frechet_distance"]().score({"features": part}, real).value for part in turns]))


def _colours(pixels: Any) -> Array:
    """Returns colours in [0, 1]."""
    found: Array = (pixels.numpy() + 1) / 2
    return found


def draw(drawer: Drawer, seen: Condition, each: int) -> Any:
    """Returns pictures, `each` times all captions."""
    import torch

    made = []
    for turn in range(each):
        noise = np.random.default_rng(turn).standard_normal((len(seen.mask), *drawer.noise)).astype(np.float32)
        for start in range(0, len(noise), BATCH):
            part = slice(start, start + BATCH)
            made.append(drawer.draw(noise[part], Condition(*(column[part] for column in seen))).float())
    return torch.cat(made).clamp(-1, 1)


def seconds_of(drawer: Drawer, seen: Condition) -> float:
    """Returns the median of the seconds that a picture takes, drawn alone; the first does not count."""
    taken = []
    for number in range(TIMED + 1):
        noise = np.random.default_rng(number).standard_normal((1, *drawer.noise)).astype(np.float32)
        one = Condition(*(column[number : number + 1] for column in seen))
        begin = time.perf_counter()
        drawer.draw(noise, one)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken[1:])


def _interval(found: Mapping[str, float]) -> str:
    return f"{found['value']:.0%} ({found['low']:.0%}–{found['high']:.0%})"


def report(results: dict[str, Any]) -> str:
    """Returns the page."""
    machine, models = results["machine"], results["models"]
    asked = {name: f"{sum(counts.values())} ({counts['zh']} Chinese)" for name, counts in results["asked"].items()}
    lines = [
        "# Picture models compared",
        "",
        f"Written by `make bench-picture-models` on {results['date']}, {machine['processor']}, "
        f"{machine['num_cores']} cores, on the dataset {results['dataset'][:12]}…",
        "",
        "| model | " + " | ".join(COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for name, row in models.items():
        lines.append(f"| {name} | " + " | ".join(cell(row) for cell in COLUMNS.values()) + " |")
    trained = {row["training"]["runs"][-1][0]: row["training"] for row in models.values() if "training" in row}
    return "\n".join(
        [
            *lines,
            "",
            "All networks run in torch, eager, one picture at a time for the seconds. **They were not trained equally "
            "long**, and only the flow can be guided:",
            "",
            "| run | steps × batch, first things first | examples (M) | hours |",
            "|---|---|---|---|",
            *(
                f"| `{name}` | {_chain(one['runs'])} | {one['examples'] / 1e6:.2f} | {_hours(one)} |"
                for name, one in trained.items()
            ),
            "",
            f"- **Fréchet distance**, lower is better: to {results['num_others']} pictures of unseen concepts, of "
            f"{asked['unseen']} in every row, averaged over {results['each']} turns; over the 1,024 inner features of "
            f"open_nsfw, a ResNet that others trained on photographs: no model here was fitted to it. "
            f"{results['warning']}",
            "- **Own caption among 100**, higher is better: how often a picture lies nearer to its own name than to 99 "
            f"others of the same language, by our text–image encoder; names of {asked['known']} unseen pictures of "
            f"concepts it knows, and of {asked['unseen']} pictures of concepts that no training caption names. In "
            "brackets 95 % intervals (Wilson), each name counting once. The encoder was trained on the same pictures "
            "and makes mistakes with real ones too: a model that draws what it expects may pass the first row.",
            "- **Diversity**, higher is better: mean cosine distance of open_nsfw's features between pictures of one "
            "name and style.",
            "- **Distance to the nearest training picture**: median root-mean-square difference of colours, which span "
            f"1, when {asked['trained']} names of training pictures are drawn; blurred pictures are nearer to "
            f"everything. **Copied**: the part nearer than {results['copy_distance']:.3f}, as "
            f"{COPY_QUANTILE:.0%} of unseen pictures are (icons of one concept look alike). The first row has those "
            "unseen pictures.",
            "",
        ]
    )


def _chain(runs: Sequence[Sequence[Any]]) -> str:
    return ", ".join(f"{steps:,} × {batch} (`{name}`)" for name, steps, batch in runs)


def _hours(training: Mapping[str, Any]) -> str:
    return "–" if training["seconds"] is None else f"{training['seconds'] / 3600:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", default=[f"{PUBLISHED}picture", "picture-cvae", "picture-cgan"])
    parser.add_argument("--encoder", default=f"{PUBLISHED}picture")
    parser.add_argument("--captions", type=int, default=250)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--seconds", action="store_true", help="only time the pictures again, all else as written")
    parser.add_argument("--write", action="store_true", help="write the page and the results")
    options = parser.parse_args()
    with use_language("en"):  # as the page is
        data_dir = load_settings().data_dir
        if options.seconds:
            results = timed_again(json.loads(RESULTS.read_text("utf-8")), data_dir, options.runs)
        else:
            results = measure(data_dir, options.runs, options.encoder, options.captions, options.each)
    page = report(results)
    print(page)
    if options.write:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
