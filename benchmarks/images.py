"""Measures drawing a picture, from prompt to sealed file, beside the same networks in torch, in turns.

    python benchmarks/images.py [--model picture] [--turns 3] [--rounds 5] [--write]

Every turn is a process of its own, so that first pictures are from a cold start and peaks of memory are one side's.
What is made lands in a data folder that is thrown away, with copies of the models.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import load_settings
from inkseal.core.versions import version
from inkseal.formats.picture_model import read_picture_model
from inkseal.runtime.device import describe

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "images.md"
RESULTS = HERE / "results" / "images.json"
CASES = (("ours", 0), ("engine", 0), ("torch", 0), ("ours", 256), ("ours", 1024))
TITLES = {
    "ours": "Inkseal, prompt to sealed and labelled file",
    "engine": "Inkseal's engine alone, prompt to PNG bytes",
    "torch": "the same networks in torch, eager, prompt to PNG bytes",
}


def prepared(source: Path, model: str, folder: Path) -> None:
    """Fills a data folder with the models that a picture takes, and draws once, so that what is made once is there."""
    for name in (model, "embedding", "upscaler", "open-nsfw"):
        found = Catalog(source).local(name)
        Catalog(folder).pull(found.name, folder=found.folder)
    one("ours", 256, model, 1, folder)


def one(side: str, side_px: int, model: str, rounds: int, folder: Path) -> dict[str, Any]:
    """Runs one side in its own process."""
    command = [sys.executable, str(HERE / "images_one.py"), side, model, str(rounds), str(side_px)]
    where = os.environ | {"INKSEAL_DATA_DIR": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=where)
    return json.loads(done.stdout.splitlines()[-1])


def measure(model: str, turns: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Returns medians over all turns of every case, with the models of a data folder."""
    found: dict[str, list[dict[str, Any]]] = {f"{side} {px}": [] for side, px in CASES}
    for turn in range(turns):
        for side, px in CASES:
            found[f"{side} {px}"].append(one(side, px, model, rounds, folder))
            print(f"turn {turn + 1}: {side} {px or 'native'}", file=sys.stderr)
    cases = {
        name: {
            "seconds": statistics.median(value for turn in turned for value in turn["seconds"]),
            "first_seconds": statistics.median(turn["first_seconds"] for turn in turned),
            "peak_bytes": max(turn["peak_bytes"] for turn in turned),
        }
        for name, turned in found.items()
    }
    published = Catalog(folder).local(model).folder
    facts = read_picture_model(published)
    recipe = json.loads((published / "recipe.json").read_text("utf-8"))
    return {
        "date": date.today().isoformat(),
        "machine": describe().model_dump(),
        "load_average": os.getloadavg()[1],
        "versions": {name: version(name) for name in ("openvino", "torch", "numpy")},
        "model": facts.model_dump(exclude={"styles"}) | {"run": recipe["name"]},
        "turns": turns,
        "rounds": rounds,
        "cases": cases,
    }


def report(results: dict[str, Any]) -> str:
    """Returns the page."""
    machine, model, cases = results["machine"], results["model"], results["cases"]
    faster = cases["torch 0"]["seconds"] / cases["engine 0"]["seconds"]
    lines = [
        "# The speed of pictures",
        "",
        f"Written by `make bench-images` on {results['date']}: {machine['processor']}, {machine['num_cores']} cores, "
        f"load average over five minutes {results['load_average']:.1f}; OpenVINO {results['versions']['openvino']}, "
        f"torch {results['versions']['torch']}. The model has {model['parameters']:,} weights and takes "
        f"{model['steps']} steps of {model['solver']} with guidance {model['guidance']:g} and autoguidance "
        f"{model['autoguidance']:g}; its weights do not change these figures: any checkpoint of this shape gives them.",
        "",
        f"Medians of {results['turns']} turns of {results['rounds']} pictures, of memory the most; each turn a process "
        "of its own, all cases in turns. The first picture is counted from the start of the process: imports, "
        "verified files, compiled networks. Larger pictures are enlarged four and sixteen times.",
        "",
        "| what | picture | seconds | first, cold (s) | peak memory (MB) |",
        "|---|---|---|---|---|",
    ]
    for name, case in cases.items():
        side, px = name.split()
        side_px = int(px) or model["side_px"]
        lines.append(
            f"| {TITLES[side]} | {side_px} × {side_px} | {case['seconds']:.2f} | {case['first_seconds']:.1f} | "
            f"{case['peak_bytes'] / 1e6:.0f} |"
        )
    lines += ["", f"The engine draws {faster:.2f} times as fast as torch, on the same machine in the same run.", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="picture")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the page and the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        prepared(load_settings().data_dir, options.model, Path(scratch))
        results = measure(options.model, options.turns, options.rounds, Path(scratch))
    page = report(results)
    print(page)
    if options.write:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
