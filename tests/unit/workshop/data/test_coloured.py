"""Copies of pictures in another colour: what is seen on them, what is said of them, and which are never made."""

import colorsys

import numpy as np
import pytest

from inkseal.workshop.data.coloured import COLOURS, coloured_copies, in_colour
from inkseal.workshop.data.lexicon import EmojiEntry, Lexicon
from inkseal.workshop.data.rows import Row, Split


def _entry(code: str, en: str, zh: str, group: str = "food-drink") -> EmojiEntry:
    names = {"en": (en,), "zh": (zh,)}
    words = {"en": ("snack",), "zh": ("点心",)}
    return EmojiEntry(code, names, words, group, "any", code, toned=False, gendered=False)


LEXICON = Lexicon(
    {
        e.code: e
        for e in (
            _entry("1F34C", "banana", "香蕉"),
            _entry("1F34E", "red apple", "红苹果"),
            _entry("1F4D9", "orange book", "橙色书本", "objects"),
            _entry("1F34A", "orange", "橙色"),
            _entry("1F600", "grinning face", "嘿嘿", "smileys-emotion"),
        )
    }
)


def _row(concept: str, number: int = 0, split: Split = "train") -> Row:
    empty = dict.fromkeys(("licence", "attribution", "author", "archive", "member"), "")
    found = {"id": f"noto/{number}", "concept": concept, "split": split, "style": "noto", "collection": "noto"}
    return Row(**found, **empty, captions={"en": ("x",)}, caption_origin={"en": "name", "zh": "name"})


def _picture(red: int, green: int, blue: int) -> np.ndarray:
    """A square of one colour on white, with a black line and a white spot."""
    picture = np.full((3, 16, 16), 255, np.uint8)
    picture[:, 3:13, 3:13] = np.array([red, green, blue], np.uint8)[:, None, None]
    picture[:, 3] = 0
    picture[:, 8, 8] = 255
    return picture


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize("before", [(250, 210, 60), (128, 128, 128), (40, 60, 160)])
def test_a_thing_takes_the_hue_and_white_stays_white(name: str, before: tuple[int, int, int]) -> None:
    colour = COLOURS[name]
    made = in_colour(_picture(*before), colour)
    thing = made[:, 6, 6] / 255
    hue, lightness, saturation = colorsys.rgb_to_hls(*thing.tolist())
    assert abs((hue - colour.hue + 0.5) % 1 - 0.5) < 0.01
    assert saturation > colour.saturation - 0.05
    of_before = (max(before) + min(before)) / 510
    assert lightness == pytest.approx(colour.darkest + (colour.lightest - colour.darkest) * of_before, abs=0.01)
    assert (made[:, 0] == 255).all()
    assert (made[:, 8, 8] == 255).all()
    if not colour.darkest:
        assert (made[:, 3] == 0).all()


def test_only_training_pictures_of_things_with_room_for_colour_are_copied() -> None:
    yellow, line = _picture(250, 210, 60), _picture(255, 255, 255)
    rows = [
        _row("1F34C"),
        _row("1F34C", 1, "validation"),
        _row("1F34C", 2, "held_out"),
        _row("1F600", 3),
        _row("title:thing", 4),
        _row("1F34C", 5),
        _row("1F34A", 6),
        _row("1F34C", 7).model_copy(update={"caption_origin": {"en": "title", "zh": "category"}}),
    ]
    copies, pixels = coloured_copies(rows, np.stack([yellow] * 5 + [line, yellow, yellow]), LEXICON)
    assert [copy.id.partition("+")[0] for copy in copies] == ["noto/0", "noto/6"]
    assert pixels.shape == (2, 3, 16, 16)
    assert copies[1].captions["en"][0].endswith(" snack")  # nothing is left of the name "orange"


def test_captions_name_the_new_colour_in_both_languages_and_never_the_old_one() -> None:
    rows = [_row(concept, number) for number in range(40) for concept in ("1F34E", "1F4D9")]
    copies, _ = coloured_copies(rows, np.stack([_picture(200, 30, 30)] * len(rows)), LEXICON)
    assert len(copies) == len(rows)
    for copy in copies:
        colour = copy.id.rpartition("+")[2]
        thing, chinese = ("apple", "苹果") if copy.concept == "1F34E" else ("book", "书本")
        assert copy.captions["en"][0] == f"{colour} {thing}"
        assert copy.captions["zh"][0].endswith(f"色的{chinese}")
        assert copy.captions["en"][-1].startswith(f"{colour} {thing}, ")
        assert copy.split == "train"
        assert set(copy.caption_origin.values()) == {"coloured"}


def test_what_a_sheet_asks_for_is_never_shown() -> None:
    rows = [_row(concept, number) for number in range(100) for concept in ("1F34E", "1F34C", "1F4D9")]
    copies, _ = coloured_copies(rows, np.stack([_picture(200, 30, 30)] * len(rows)), LEXICON)
    told = {copy.captions["en"][0] for copy in copies}
    assert {f"{colour} apple" for colour in COLOURS} - told == {"blue apple"}
    assert {f"{colour} banana" for colour in COLOURS} - told == {"purple banana"}
    assert {f"{colour} book" for colour in COLOURS} <= told


def test_no_picture_gives_no_copy() -> None:
    copies, pixels = coloured_copies([], np.zeros((0, 3, 16, 16), np.uint8), LEXICON)
    assert copies == []
    assert pixels.shape == (0, 3, 16, 16)
