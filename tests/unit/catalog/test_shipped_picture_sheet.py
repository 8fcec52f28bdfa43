"""What the documentation shows of the picture model is of the weights that are shipped."""

import json
import tomllib
from pathlib import Path

from PIL import Image

from inkseal.catalog.card import read_card
from inkseal.catalog.verify import hash_file
from inkseal.formats.picture_model import WEIGHTS

ROOT = Path(__file__).parents[3]
SHEET = ROOT / "docs" / "pictures" / "sheet.png"


def test_the_sheet_was_drawn_with_the_shipped_weights() -> None:
    card = read_card(ROOT / "src" / "inkseal" / "catalog" / "cards" / "picture.toml")
    shipped = {file.name: file.sha256 for file in card.files}
    with Image.open(SHEET) as sheet:
        drawn = json.loads(sheet.info["inkseal_drawn"])
    assert (drawn["weights"], drawn["candidates"]) == (shipped[WEIGHTS], 1)
    assert {name: hash_file(ROOT / "models" / "picture" / name) for name in shipped} == shipped


def test_what_was_read_is_of_this_sheet_and_the_page_says_it() -> None:
    read = tomllib.loads((ROOT / "benchmarks" / "data" / "pictures" / "verdicts.toml").read_text("utf-8"))
    assert read["sheet_sha256"] == hash_file(SHEET)
    right = sum(cell["right"] for cell in read["cell"])
    page = (ROOT / "docs" / "reference" / "picture-sheet.md").read_text("utf-8")
    assert f"| all | {right} of {len(read['cell'])} |" in page
    assert read["read_by"] in page


def test_the_losses_that_are_told_are_of_the_shipped_weights() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "picture_training.json").read_text("utf-8"))
    assert measured["weights"] == hash_file(ROOT / "models" / "picture" / WEIGHTS)
    page = (ROOT / "docs" / "reference" / "picture-training.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if "as shipped" in line]
    assert all(f" {value:.4f} |" in row for value in measured["losses"].values())
