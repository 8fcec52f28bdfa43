"""Measures how often the check `image_safety` objects to harmless pictures, and how long it takes.

    python benchmarks/image_safety.py PICTURES [--examined 2000] [--write]

PICTURES is the folder that `inkseal data build pictures` made: emoji, icons and clip art. No licensed pictures of what
the check is for can be had here, so its recall is not measured; the page says so.
"""

import argparse
import json
import platform
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from guard_measure import rate
from image_fingerprints import Dataset

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import load_settings
from inkseal.core.types import MediaPart
from inkseal.modalities.image.reading import to_png
from inkseal.studio.guard.checks.image_safety import ImageSafety, ImageSafetyConfig
from inkseal.studio.guard.picture_safety import PictureSafety

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "image-safety.md"
FIGURES = ROOT / "src" / "inkseal" / "studio" / "guard" / "measured_pictures.json"
SIDE_PX = 256


def measure(data: Dataset, num_examined: int) -> dict[str, Any]:
    """Returns rates with their bounds, and milliseconds a picture."""
    model = Catalog.of(load_settings()).local("picture-safety")
    safety = PictureSafety(model)
    check = ImageSafety(ImageSafetyConfig(), picture_safety=safety)
    actions: list[str] = []
    seconds: list[float] = []
    for number in random.Random(5).sample(range(len(data)), num_examined):
        part = MediaPart(data=to_png(data.picture(number, SIDE_PX)))
        begun = time.perf_counter()
        actions.append(check.inspect([part], "result").action)
        seconds.append(time.perf_counter() - begun)
    seconds.sort()
    times = {"p50": 1000 * seconds[len(seconds) // 2], "p95": 1000 * seconds[len(seconds) * 95 // 100]}
    figures = {
        "blocked": rate(actions.count("block"), len(actions)),
        "flagged": rate(actions.count("flag"), len(actions)),
    }
    return {"figures": {"harmless": figures}, "milliseconds_per_picture": times, "model_sha256": model.sha256}


def page(found: dict[str, Any]) -> str:
    harmless, times = found["figures"]["harmless"], found["milliseconds_per_picture"]
    rows = "\n".join(
        f"| {name} | {each['hits']} of {each['total']} | {100 * each['rate']:.2f} % "
        f"| {abs(100 * each['low']):.2f} to {100 * each['high']:.2f} % |"
        for name, each in harmless.items()
    )
    config = ImageSafetyConfig()
    return f"""# The check of pictures: what is known of it

Made by `python benchmarks/image_safety.py PICTURES --write` with the model `open-nsfw` on one thread. Harmless
pictures are emoji, icons and clip art of `inkseal data build pictures`, drawn by chance and made {SIDE_PX} pixels wide;
a picture is blocked from score {config.block_score} on and flagged from {config.flag_score} on.

| harmless pictures that were | pictures | rate | 95 % interval |
|---|---|---|---|
{rows}

One picture takes {times["p50"]:.0f} ms (median; 95 % within {times["p95"]:.0f} ms).

**Not measured: how much of what it is for it finds.** No licensed pictures of that kind can be had here. Its makers
trained it on photographs; drawings are another matter, and violence, hate and self-harm are none of its. Where the
model is not on the machine, every picture's verdict says "not checked".
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--examined", type=int, default=800)
    parser.add_argument("--write", action="store_true", help="write the page and the figures that go with the product")
    options = parser.parse_args()
    found = measure(Dataset(options.pictures), options.examined)
    print(page(found))
    if options.write:
        PAGE.write_text(page(found), encoding="utf-8")
        facts = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "processor": platform.processor() or platform.machine()}
        text = json.dumps({**facts, "checks": {"image_safety": found}}, indent=1)
        FIGURES.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
