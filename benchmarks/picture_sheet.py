"""Draws the sheet of 48 fixed prompts with a published picture model, without torch, and says what each cell shows.

    python benchmarks/picture_sheet.py [--model picture] [--out sheet.png] [--seed 1] [--size 64] [--candidates 1]
    python benchmarks/picture_sheet.py --check

Cells bear numbers only, so that the sheet can be judged without the prompts; those are in the text beside it. With
`--check` the prompts are held against the dataset: held-out concepts and combinations must not be in the training set.
"""

import argparse
import io
import json
import statistics
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from inkseal.core.config import load_settings
from inkseal.core.events import ignore
from inkseal.core.protocols import GenerativeEngine
from inkseal.formats.picture_model import WEIGHTS
from inkseal.formats.text_condition import condition_texts, whole_text
from inkseal.modalities.image.request import ImageRequest
from inkseal.studio.studio import Studio

PROMPTS = Path(__file__).parent / "data" / "pictures" / "prompts.toml"
COLUMNS, GAP_PX, NUMBER_PX = 8, 6, 12
LABEL = "AI-generated"
DRAWN = "inkseal_drawn"
"""The key of the sheet's text that says what it was drawn with."""


class Prompt(NamedTuple):
    """One cell: `kind` is "seen", "held_out" (a whole concept) or "combination" (of a thing and its colour).

    `near` says what the training captions hold of a held-out concept all the same.
    """

    text: str
    language: str
    style: str
    kind: str
    concept: str = ""
    near: str = ""


def read_prompts() -> list[Prompt]:
    """Returns the prompts in the sheet's order."""
    return [Prompt(**entry) for entry in tomllib.loads(PROMPTS.read_text("utf-8"))["prompt"]]


def check(prompts: list[Prompt], folder: Path) -> list[str]:
    """Returns what is wrong with the prompts, held against a dataset."""
    from inkseal.workshop.data.pictures import PictureSet

    rows = PictureSet.open(folder).rows
    trained = [row for row in rows if row.split == "train"]
    known = {whole_text(caption) for row in trained for captions in row.captions.values() for caption in captions}
    held_out = {row.concept for row in rows if row.split == "held_out"} - {row.concept for row in trained}
    problems = [f"{one.text}: no held-out concept" for one in prompts if one.concept and one.concept not in held_out]
    told = [one.text for one in prompts if one.kind != "seen" and whole_text(one.text) in known]
    words = {text for caption in known for text in condition_texts(caption)}
    near = [one for one in prompts if one.kind == "held_out" and (whole_text(one.text) in words) > bool(one.near)]
    problems += [f"{one.text}: a word of training captions, which `near` does not say" for one in near]
    shown = [f"{caption}: in the training set" for caption in known if is_unseen(caption)]
    return problems + [f"{text}: a caption of the training set" for text in told] + shown


def is_unseen(caption: str) -> bool:
    """Returns True for an English caption with the words of a thing and of the colour in which it must not be seen."""
    from inkseal.workshop.data.captions import hand_table

    words = {word.rstrip(",").removesuffix("s") for word in caption.split()}
    return any({colour, thing} <= words for thing, colour in hand_table()["unseen_colours"].items())


def draw(
    studio: Studio, model: str, prompts: list[Prompt], *, seed: int, **options: int
) -> tuple[list[Image.Image], float]:
    """Returns a picture for each prompt, and the median of the seconds that each but the first took."""
    found, seconds = [], []
    local = studio.engines.local_model(model)
    with studio.engines.lease(local, "generate", ignore) as engine:
        assert isinstance(engine, GenerativeEngine)
        for number, one in enumerate(prompts):
            request = ImageRequest.of(one.text, model=model, style=one.style, seed=seed + number, **options)
            begin = time.perf_counter()
            data = [chunk.data for chunk in engine.generate(request, threading.Event()) if chunk.data]
            seconds.append(time.perf_counter() - begin)
            found.append(Image.open(io.BytesIO(data[0])))
    return found, statistics.median(seconds[1:])


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """Returns the pictures in rows of eight, numbered, with a line that says what they are."""
    side = pictures[0].width
    wide, tall = side + GAP_PX, side + GAP_PX + NUMBER_PX
    num_rows = -(-len(pictures) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * wide + GAP_PX, num_rows * tall + GAP_PX + NUMBER_PX), "white")
    pen = ImageDraw.Draw(whole)
    for number, picture in enumerate(pictures):
        x, y = GAP_PX + number % COLUMNS * wide, GAP_PX + number // COLUMNS * tall
        whole.paste(picture, (x, y + NUMBER_PX))
        pen.text((x, y), str(number + 1), fill="#555555")
    pen.text((GAP_PX, num_rows * tall + 2), LABEL, fill="#555555")
    return whole


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="picture")
    parser.add_argument("--out", type=Path, default=Path("sheet.png"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=0, help="64, 256 or 1024 pixels a side; the model's own when 0")
    parser.add_argument("--candidates", type=int, default=1, help="of which the one that fits its prompt best is kept")
    parser.add_argument("--dataset", default="pictures")
    parser.add_argument("--check", action="store_true", help="only hold the prompts against the dataset")
    options = parser.parse_args()
    prompts = read_prompts()
    if options.check:
        problems = check(prompts, load_settings().data_dir / "datasets" / options.dataset)
        print("\n".join(problems) or f"{len(prompts)} prompts: none of the unseen is in the training set")
        return bool(problems)
    with Studio.open() as studio:
        # Otherwise the load of the machine says how many, and with it the last bit.
        studio.use(studio.settings.model_copy(update={"threads": 1}))
        asked = {"width_px": options.size, "height_px": options.size, "candidates": options.candidates}
        pictures, seconds = draw(studio, options.model, prompts, seed=options.seed, **asked)
        weights = studio.engines.local_model(options.model).files[WEIGHTS]
    assert "torch" not in sys.modules, "the sheet is drawn without torch"
    drawn = {"model": options.model, "weights": weights, "seed": options.seed, "side_px": pictures[0].width}
    about = PngInfo()
    about.add_text(DRAWN, json.dumps(drawn | {"candidates": options.candidates}))
    sheet(pictures).save(options.out, pnginfo=about)
    lines = [f"{n}\t{p.kind}\t{p.style or '-'}\t{p.text}" for n, p in enumerate(prompts, 1)]
    options.out.with_suffix(".txt").write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{options.out}: {len(pictures)} pictures, {seconds:.2f} s each after the first")
    return 0


if __name__ == "__main__":
    sys.exit(main())
