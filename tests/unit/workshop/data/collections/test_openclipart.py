"""Clip art: which titles are believed, and what a file says of itself."""

import threading
from pathlib import Path

import pytest

from archive_maker import make_deb
from inkseal.workshop.data.collections.openclipart import Openclipart, trusted_title

FOLDER = "./usr/share/openclipart/svg/"
SVG = """<svg xmlns="http://www.w3.org/2000/svg"><metadata><dc:title>Red  Rose</dc:title>
<rdf:li>flower</rdf:li><rdf:li>Plant</rdf:li><rdf:li></rdf:li><rdf:li>flower</rdf:li>
<dc:creator><cc:Agent><dc:title>Ann Bee</dc:title></cc:Agent></dc:creator></metadata></svg>"""


@pytest.mark.parametrize(
    ("title", "stem", "believed"),
    [
        ("Red Rose", "red_rose_ann_bee_01", "Red Rose"),
        ("Horses", "horse_01", "Horses"),
        ("Clipart by Ann Bee - jigsaw_red", "jigsaw_blue_ann_b_02", "jigsaw blue 02"),
        ("piggybank", "lightsabers", "lightsabers"),
        ("", "owl_ann_bee_", "owl"),
    ],
)
def test_a_title_that_the_name_contradicts_is_not_believed(title: str, stem: str, believed: str) -> None:
    assert trusted_title(title, stem, "Ann Bee") == believed


def test_a_file_says_who_drew_what(tmp_path: Path) -> None:
    names = ["plants/flowers/rose_01.svg", "signs_and_symbols/flags/x.svg", "plants/readme.txt", "plants/sexy_rose.svg"]
    path = make_deb(tmp_path / "a.deb", {FOLDER + name: SVG.encode() for name in names})
    (found,) = Openclipart().read(path, threading.Event())
    assert found.member == "usr/share/openclipart/svg/plants/flowers/rose_01.svg"
    assert (found.title, found.author, found.category) == ("Red Rose", "Ann Bee", "plants/flowers")
    assert found.keywords == ("flower", "plant")


def test_a_file_of_unknown_letters_is_handed_on_empty(tmp_path: Path) -> None:
    path = make_deb(tmp_path / "a.deb", {FOLDER + "plants/rose.svg": b"<svg \xff/>"})
    (found,) = Openclipart().read(path, threading.Event())
    assert found.svg == ""
