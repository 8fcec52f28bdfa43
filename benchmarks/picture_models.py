"""Compares the trained picture models: the flow, the conditional VAE and the conditional GAN, on unseen concepts.

    python benchmarks/picture_models.py [--runs RUN ...] [--encoder RUN] [--captions 250] [--each 4] [--write]

Every model draws the same captions of held-out concepts, in the style of the held-out picture, `--each` times. The
pictures themselves stand in the first row, as what a perfect model would get. Needs the published picture model with
its text–image encoder, the runs to compare with, the dataset and the model of the check `image_safety`, whose inner
features the Fréchet distance uses: it was trained on photographs by others, so no model here was fitted to it.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import load_settings
from inkseal.core.language import use_language
from inkseal.core.types import Columns, Score
from inkseal.formats.picture_model import WEIGHTS
from inkseal.formats.safetensors import read_header
from inkseal.measure.metrics import metrics
from inkseal.runtime.device import describe, usable_cores
from inkseal.workshop.train.beginning import BEGINNING
from inkseal.workshop.train.picture_batches import CHINESE, ENGLISH, Condition, Conditions, evenly, to_pixels
from inkseal.workshop.train.run_log import LOG, spent
from inkseal.workshop.train.trained import PUBLISHED, Trained, find_trained

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "picture-models.md"
RESULTS = HERE / "results" / "picture_models.json"
BATCH, TIMED = 16, 8
STEPS, GUIDANCE = 20, 3.0
SCORES = {
    "frechet_distance": "Fréchet distance",
    "retrieval_precision": "own caption among 100",
    "diversity": "diversity",
    "nearest_distance": "distance to the nearest training picture",
}
NAMES = {
    "diffusion_transformer": "flow matching, ours",
    "conditional_autoencoder": "conditional VAE",
    "adversarial": "conditional GAN",
}
Draw = Callable[[npt.NDArray[np.float32], Condition], Any]
"""Noise of the model's shape and conditions → pictures [B, 3, S, S] in [-1, 1]."""
Array = npt.NDArray[Any]


def flow(trained: Trained, runs: Path) -> tuple[Draw, tuple[int, ...]]:
    """Returns how the published transformer and its decoder draw, and the shape of their noise."""
    import torch

    from inkseal.nets.autoencoder import Autoencoder
    from inkseal.nets.diffusion_transformer import DiffusionTransformer
    from inkseal.nets.shapes import AutoencoderShape, DiffusionTransformerShape
    from inkseal.studio.generate.diffusion.guidance import guided
    from inkseal.studio.generate.diffusion.solvers import solvers
    from inkseal.studio.generate.diffusion.times import times

    shape = DiffusionTransformerShape.model_validate(trained.facts["shape"])
    network = DiffusionTransformer(shape).eval()
    network.load_state_dict(_weights(trained, "model."))
    known = find_trained(runs, f"{PUBLISHED}{trained.folder.name}", "autoencoder")
    autoencoder = Autoencoder(AutoencoderShape.model_validate(known.facts["shape"])).eval()
    autoencoder.load_state_dict(_weights(known, "model."))
    said = read_header(trained.folder / WEIGHTS).metadata
    mean, std = (torch.tensor(json.loads(said[name]))[:, None, None] for name in ("latent_mean", "latent_std"))

    def model(*arrays: Array) -> Array:
        made: Array = network(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)).numpy()
        return made

    def draw(noise: npt.NDArray[np.float32], seen: Condition) -> Any:
        velocity = guided(model, *(part.numpy() for part in seen), GUIDANCE)
        *_, last = solvers["dpm_solver"]().solve(velocity, noise, times(STEPS))
        return autoencoder.decode(torch.from_numpy(np.asarray(last, np.float32)) * std + mean)

    return draw, (shape.channels, shape.side, shape.side)


def conditional_autoencoder(trained: Trained, runs: Path) -> tuple[Draw, tuple[int, ...]]:
    """Returns how the decoder draws from a vector of noise."""
    import torch

    from inkseal.nets.autoencoder import ConditionalAutoencoder
    from inkseal.nets.shapes import ConditionalShape

    shape = ConditionalShape.model_validate(trained.facts["shape"])
    network = ConditionalAutoencoder(shape).eval()
    network.load_state_dict(_weights(trained, "model."))
    return lambda noise, seen: network.generate(torch.from_numpy(noise), *seen), (shape.noise_width,)


def adversarial(trained: Trained, runs: Path) -> tuple[Draw, tuple[int, ...]]:
    """Returns how the generator draws from a vector of noise."""
    import torch

    from inkseal.nets.adversarial import Generator
    from inkseal.nets.shapes import ConditionalShape

    shape = ConditionalShape.model_validate(trained.facts["shape"])
    network = Generator(shape).eval()
    network.load_state_dict(_weights(trained, "generator."))
    return lambda noise, seen: network(torch.from_numpy(noise), *seen), (shape.noise_width,)


def _weights(trained: Trained, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): found for name, found in trained.tensors.items() if name.startswith(prefix)}


DRAWERS = {
    "diffusion_transformer": flow,
    "conditional_autoencoder": conditional_autoencoder,
    "adversarial": adversarial,
}


class Eyes:
    """What looks at pictures: two encoders, one of ours for captions, one of others for everything else."""

    def __init__(self, data_dir: Path, encoder: str) -> None:
        import openvino as ov

        from inkseal.nets.shapes import TextImageShape
        from inkseal.nets.text_image_encoder import TextImageEncoder

        trained = find_trained(data_dir / "runs", encoder, "text_image_encoder")
        self.encoder = TextImageEncoder(TextImageShape.model_validate(trained.facts["shape"])).eval()
        self.encoder.load_state_dict(_weights(trained, "model."))
        local = Catalog(data_dir).local("open-nsfw")
        graph = ov.Core().read_model(local.folder / next(iter(local.files)))
        head = [op for op in graph.get_ordered_ops() if op.get_type_name() == "MatMul"][-1]
        inner = ov.Model([head.input_value(0)], graph.get_parameters(), "features")
        self._features = ov.Core().compile_model(inner, "CPU")

    def features(self, pixels: Any) -> Array:
        """Returns what the others' encoder sees."""
        from inkseal.studio.guard.picture_safety import pixels as safety_pixels

        return np.concatenate([self._features([safety_pixels(_png(picture))])[0] for picture in pixels])

    def columns(self, pixels: Any, texts: Any, captions: Array, asked: Array) -> tuple[Columns, Columns]:
        """Returns the columns by the others' encoder, grouped by what was asked, and by ours, grouped by captions."""
        import torch

        with torch.no_grad():
            own = torch.cat([self.encoder.encode_pictures(pixels[i : i + 64]) for i in range(0, len(pixels), 64)])
            read = self.encoder.encode_texts(texts)
        return (
            {"features": self.features(pixels), "captions": asked, "pixels": (pixels.numpy() + 1) / 2},
            {"features": own.numpy(), "text_features": read.numpy(), "captions": captions},
        )


def _png(picture: Any) -> bytes:
    import io

    from PIL import Image

    from inkseal.studio.generate.backends.openvino_image import to_bytes

    held = io.BytesIO()
    Image.fromarray(to_bytes(picture.numpy()[None])[0]).save(held, "PNG")
    return held.getvalue()


def score(seen: tuple[Columns, Columns], real: Columns, trained: Columns, turns: int) -> dict[str, Score]:
    """Returns all scores; the caption's is by our encoder, the others by the other one.

    The Fréchet distance depends on how many pictures there are, so that it is taken of each turn alone.
    """
    found = {}
    for name in SCORES:
        metric = metrics[name]()
        made = seen[1] if "text_features" in metric.reads else seen[0]
        if name == "frechet_distance":
            each = [metric.score({"features": part}, real) for part in np.split(made["features"], turns)]
            found[name] = each[0].model_copy(update={"value": float(np.mean([one.value for one in each]))})
        elif name != "diversity" or turns > 1:
            found[name] = metric.score(made, trained if "pixels" in metric.compares else real)
    return found


def measure(data_dir: Path, runs: Sequence[str], encoder: str, num_captions: int, each: int) -> dict[str, Any]:
    """Returns a row of scores for the held-out pictures themselves and for every run."""
    import torch

    from inkseal.workshop.data.pictures import PictureSet

    torch.set_num_threads(usable_cores())
    data = PictureSet.open(data_dir / "datasets" / "pictures")
    conditions, eyes = Conditions(data), Eyes(data_dir, encoder)
    held_out = data.places("held_out")
    asked_for = [_asked(conditions, held_out[side::2], side, num_captions // 2) for side in (ENGLISH, CHINESE)]
    rows, chosen = (np.concatenate(parts) for parts in zip(*asked_for, strict=True))
    seen = conditions.of_captions(rows, chosen)
    numbers, asked = np.asarray(data.captions[chosen, 0]), np.arange(len(rows))
    others = np.setdiff1d(held_out, rows)
    real = {"features": eyes.features(to_pixels(data, others))}
    known = {"pixels": (to_pixels(data, data.places("train")).numpy() + 1) / 2}
    own = eyes.columns(to_pixels(data, rows), seen.tokens[:, 0], numbers, asked)
    found: dict[str, Any] = {"the held-out pictures themselves": _said(score(own, real, known, 1), None)}
    folder = data_dir / "runs"
    for run in runs:
        trained = find_trained(folder, run, "diffusion_transformer")
        network = trained.facts["network"]
        draw, shape = DRAWERS[network](trained, folder)
        with torch.no_grad():
            pixels, seconds = _drawn(draw, shape, seen, each)
        texts = seen.tokens[:, 0].repeat(each, 1)
        columns = eyes.columns(pixels, texts, np.tile(numbers, each), np.tile(asked, each))
        told = trained_with(trained, folder, data.card.sha256)
        found[f"{NAMES[network]} (`{run}`)"] = _said(score(columns, real, known, each), seconds) | {"trained": told}
        print(f"{run}: done", file=sys.stderr)
    return {
        "date": date.today().isoformat(),
        "machine": describe().model_dump(),
        "dataset": data.card.sha256,
        "num_captions": len(rows),
        "num_chinese": int(np.sum(data.caption_language[chosen] == CHINESE)),
        "each": each,
        "num_others": len(others),
        "models": found,
    }


def _asked(conditions: Conditions, places: Array, language: int, count: int) -> tuple[Array, Array]:
    """Returns at most so many pictures and their names in a language, which no training picture bears."""
    rows, captions = conditions.untold(places, language)
    chosen = evenly(np.arange(len(rows)), count)
    return rows[chosen], captions[chosen]


def trained_with(trained: Trained, runs: Path, data_sha256: str) -> str:
    """Returns how many steps of which batch a network took, and those that it began with.

    Raises:
        SystemExit: it was trained on another dataset.
    """
    if trained.facts.get("data_sha256", data_sha256) != data_sha256:
        sys.exit(f"{trained.folder.name} was trained on another dataset than the present one.")
    told = [f"{trained.facts['step']:,} steps of {trained.facts['recipe']['batch']}"]
    paper = trained.paper(BEGINNING)
    before = json.loads(paper.read_bytes()) if paper.is_file() else None
    while before is not None:
        told.append(f"{before['step']:,} of {before['recipe']['batch']} (`{before['recipe']['name']}`)")
        before = before.get("beginning")
    if trained.facts["network"] == "diffusion_transformer":
        known = find_trained(runs, f"{PUBLISHED}{trained.folder.name}", "autoencoder").facts
        told.append(f"its autoencoder {known['step']:,} of {known['recipe']['batch']}")
    seconds = spent(trained.paper(LOG)).seconds
    return ", after ".join(told) + ("" if seconds is None else f"; {seconds / 3600:.1f} h for its last run")


def _drawn(draw: Draw, shape: tuple[int, ...], seen: Condition, each: int) -> tuple[Any, float]:
    """Returns pictures, `each` times all captions, and the seconds of one drawn alone."""
    import torch

    made = []
    for turn in range(each):
        noise = np.random.default_rng(turn).standard_normal((len(seen.mask), *shape)).astype(np.float32)
        for start in range(0, len(noise), BATCH):
            part = slice(start, start + BATCH)
            made.append(draw(noise[part], Condition(*(column[part] for column in seen))).float())
    begin = time.perf_counter()
    for number in range(TIMED):
        draw(noise[number : number + 1], Condition(*(column[number : number + 1] for column in seen)))
    return torch.cat(made).clamp(-1, 1), (time.perf_counter() - begin) / TIMED


def _said(scores: dict[str, Score], seconds: float | None) -> dict[str, Any]:
    return {"seconds": seconds} | {name: found.model_dump() for name, found in scores.items()}


def report(results: dict[str, Any]) -> str:
    """Returns the page."""
    machine, models = results["machine"], results["models"]
    lines = [
        "# Picture models compared",
        "",
        f"Written by `make bench-picture-models` on {results['date']}, {machine['processor']}, "
        f"{machine['num_cores']} cores, on the dataset {results['dataset'][:12]}…: "
        f"{results['num_captions']} captions of concepts that no model was trained on, and which no training picture "
        f"bears, {results['num_chinese']} of them Chinese, {results['each']} pictures each.",
        "",
        "| model | " + " | ".join(SCORES.values()) + " | seconds a picture |",
        "|---" * (len(SCORES) + 2) + "|",
    ]
    for name, row in models.items():
        cells = [f"{row[score]['value']:.3g}" if score in row else "–" for score in SCORES]
        cells.append(f"{row['seconds']:.3f}" if row["seconds"] is not None else "–")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    warnings = sorted({row[score]["warning"] for row in models.values() for score in SCORES if score in row} - {""})
    better = ", ".join(f"{title}: {metrics[name].better}" for name, title in SCORES.items())
    return "\n".join(
        [
            *lines,
            "",
            f"What is better: {better}. All networks run in torch, eager, one picture at a time for the seconds; "
            f"the flow takes {STEPS} steps with guidance {GUIDANCE:g}.",
            "",
            *(f"- **{name}** was trained for {row['trained']}." for name, row in models.items() if "trained" in row),
            f"- **Fréchet distance** to {results['num_others']} other held-out pictures, of {results['num_captions']} "
            "pictures in every row, and averaged over the turns; over the 1,024 inner features of open_nsfw, a ResNet "
            "that others trained on photographs: no model here was fitted to it. " + " ".join(warnings),
            "- **Own caption among 100**: by our text–image encoder, which saw the training pictures, not these.",
            "- **Diversity**: mean cosine distance of the same features between pictures of one caption and style.",
            "- **Distance to the nearest training picture**: median root-mean-square difference of colours, which span "
            "1; much below that of the held-out pictures, a model would copy.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", default=["models/picture", "picture-cvae", "picture-cgan"])
    parser.add_argument("--encoder", default="models/picture")
    parser.add_argument("--captions", type=int, default=250)
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--write", action="store_true", help="write the page and the results")
    options = parser.parse_args()
    with use_language("en"):  # as the page is
        results = measure(load_settings().data_dir, options.runs, options.encoder, options.captions, options.each)
    page = report(results)
    print(page)
    if options.write:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
