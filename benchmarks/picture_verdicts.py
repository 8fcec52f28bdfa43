"""Writes the page of the sheet of 48 prompts: how many pictures were recognised without the prompt, and which were not.

    make sheet SHEET=docs/pictures/sheet.png
    python benchmarks/picture_verdicts.py docs/pictures/sheet.png [--write]

What was seen stands in benchmarks/data/pictures/verdicts.toml. It was written down from the numbered cells before the
prompts were looked at, and holds for one sheet only, which it names by its hash: of another sheet nothing is known.

    sheet_sha256 = "…"
    read_by = "who or what read it"
    [[cell]]
    number = 1
    seen = "a red apple"
    right = true
"""

import argparse
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from picture_sheet import DRAWN, PROMPTS, Prompt, read_prompts
from PIL import Image

from inkseal.catalog.verify import hash_file
from inkseal.core.types import Closed

VERDICTS = PROMPTS.parent / "verdicts.toml"
PAGE = Path(__file__).parent.parent / "docs" / "reference" / "picture-sheet.md"
WANTED = 30


class Cell(Closed):
    """What one picture was taken for, and whether that is what was asked for."""

    number: int
    seen: str
    right: bool


class Drawn(Closed):
    """What a sheet was drawn with."""

    model: str
    weights: str
    seed: int
    side_px: int
    candidates: int


class Verdicts(Closed):
    """What was seen on one sheet."""

    sheet_sha256: str
    read_by: str
    cell: tuple[Cell, ...]


def read_verdicts(path: Path, sheet: Path, num_prompts: int) -> Verdicts:
    """Returns the verdicts of a sheet.

    Raises:
        ValueError: they are of another sheet, or do not name each cell once.
    """
    found = Verdicts.model_validate(tomllib.loads(path.read_text("utf-8")))
    if found.sheet_sha256 != hash_file(sheet):
        raise ValueError(f"{path} is of another sheet than {sheet}")
    if sorted(cell.number for cell in found.cell) != list(range(1, num_prompts + 1)):
        raise ValueError(f"{path} does not name each of the {num_prompts} cells once")
    return found


def read_drawn(sheet: Path) -> Drawn:
    """Returns what a sheet says it was drawn with."""
    with Image.open(sheet) as opened:
        return Drawn.model_validate_json(opened.info[DRAWN])


def report(prompts: Sequence[Prompt], verdicts: Verdicts, drawn: Drawn, picture: str) -> str:
    """Returns the page; `picture` is the sheet's address, as seen from the page."""
    right = {cell.number: cell.right for cell in verdicts.cell}

    def count(belongs: Callable[[Prompt], bool]) -> str:
        mine = [right[number] for number, one in enumerate(prompts, 1) if belongs(one)]
        return f"{sum(mine)} of {len(mine)}"

    rows = [
        ("all", count(lambda _: True)),
        ("English", count(lambda one: one.language == "en")),
        ("Chinese", count(lambda one: one.language == "zh")),
        ("things and styles it was trained on", count(lambda one: one.kind == "seen")),
        ("concepts it never saw", count(lambda one: one.kind == "held_out")),
        ("combinations it never saw", count(lambda one: one.kind == "combination")),
    ]
    missed = [(prompts[cell.number - 1], cell) for cell in verdicts.cell if not cell.right]
    chosen = "" if drawn.candidates == 1 else f", the best of {drawn.candidates} by the model's own encoder"
    lines = [
        "# The sheet of 48 prompts",
        "",
        f"Drawn by `make sheet` without torch: the model `{drawn.model}` (weights {drawn.weights[:12]}…), "
        f"seed {drawn.seed}, {drawn.side_px} pixels a side, one picture a prompt{chosen}, none chosen by hand. "
        f"Read by {verdicts.read_by}, without the prompts, one guess a cell; counted by `python "
        "benchmarks/picture_verdicts.py`. "
        f"{WANTED} of {len(prompts)} were aimed at.",
        "",
        f"![{len(prompts)} numbered pictures, made by the model]({picture})",
        "",
        "| prompts | recognised |",
        "|---|---|",
        *(f"| {name} | {found} |" for name, found in rows),
        "",
        "## Failures",
        "",
        "| cell | asked for | style | kind | taken for |",
        "|---|---|---|---|---|",
        *(f"| {cell.number} | {one.text} | {one.style or '–'} | {one.kind} | {cell.seen} |" for one, cell in missed),
        "",
        "## Prompts",
        "",
        "A held-out concept has no picture in the training set that bears its name. What training captions hold of it "
        "all the same stands beside it.",
        "",
        *(f"{number}. {_told(one)}" for number, one in enumerate(prompts, 1)),
        "",
    ]
    return "\n".join(lines)


def _told(prompt: Prompt) -> str:
    near = f"; near it: {prompt.near}" if prompt.near else ""
    return f"{prompt.text} ({prompt.style or 'any style'}, {prompt.kind}{near})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--verdicts", type=Path, default=VERDICTS)
    parser.add_argument("--write", action="store_true", help="write the page")
    options = parser.parse_args()
    prompts = read_prompts()
    verdicts = read_verdicts(options.verdicts, options.sheet, len(prompts))
    page = report(prompts, verdicts, read_drawn(options.sheet), f"../pictures/{options.sheet.name}")
    print(page)
    if options.write:
        PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
