"""Adds copies of training pictures in another colour, with captions that say so.

Sets of icons draw every banana yellow, so a model cannot tell the thing from its colour: asked for a purple banana it
has only ever heard of the banana.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkseal.formats.picture_styles import in_style
from inkseal.workshop.data.captions import hand_table
from inkseal.workshop.data.lexicon import NOUN_GROUPS, EmojiEntry, Lexicon
from inkseal.workshop.data.rows import COLOURED, Row
from inkseal.workshop.data.thinning import unit_hash

_NUM_NAMES = 2
_WHITE, _DARK, _LIGHT = 0.97, 0.15, 0.9
"""Lightness of what is behind the thing; and between which a colour shows."""
_SHARE_OF_THING, _SHARE_OF_PICTURE = 0.5, 0.05
"""What must take the colour, at least; of black lines on white, only the blurred edges do."""


class Colour(NamedTuple):
    """A colour as hue in turns, least saturation, and the lightness that black and white become, all in [0, 1]."""

    hue: float
    saturation: float
    darkest: float
    lightest: float


COLOURS = {
    "red": Colour(0.0, 0.8, 0.0, 1.0),
    "orange": Colour(0.075, 0.9, 0.05, 1.0),
    "yellow": Colour(0.14, 0.9, 0.1, 1.0),
    "green": Colour(0.34, 0.65, 0.0, 1.0),
    "blue": Colour(0.6, 0.75, 0.0, 1.0),
    "purple": Colour(0.77, 0.6, 0.0, 1.0),
    "pink": Colour(0.93, 0.85, 0.35, 1.0),
    "brown": Colour(0.07, 0.5, 0.0, 0.75),
}


def with_colours(
    rows: Sequence[Row], pixels: npt.NDArray[np.uint8], lexicon: Lexicon
) -> tuple[list[Row], npt.NDArray[np.uint8]]:
    """Returns rows and pictures with the copies behind them."""
    copies, found = coloured_copies(rows, pixels, lexicon)
    return [*rows, *copies], np.concatenate([pixels, found])


def coloured_copies(
    rows: Sequence[Row], pixels: npt.NDArray[np.uint8], lexicon: Lexicon
) -> tuple[list[Row], npt.NDArray[np.uint8]]:
    """Returns a copy in one colour of each training picture of a thing on which a colour shows, [K, 3, S, S].

    Which colour is decided by a hash, so that a thing drawn in several styles is seen in several colours.
    """
    copies, found = [], []
    for row, picture in zip(rows, pixels, strict=True):
        entry = lexicon.by_code(row.concept)
        if row.split != "train" or entry is None or entry.group not in NOUN_GROUPS:
            continue
        if row.caption_origin.get("zh") not in ("name", "matched") or not _shows_colour(picture):
            continue
        colour = _colour_for(row, entry)
        captions = {language: _captions(entry, colour, row.style, language, lexicon) for language in ("en", "zh")}
        captions = {language: told for language, told in captions.items() if told}
        if captions:
            origin = dict.fromkeys(captions, COLOURED)
            changed = {"id": f"{row.id}+{colour}", "captions": captions, "caption_origin": origin}
            copies.append(row.model_copy(update=changed))
            found.append(in_colour(picture, COLOURS[colour]))
    return copies, np.stack(found) if found else np.zeros((0, *pixels.shape[1:]), np.uint8)


def in_colour(picture: npt.NDArray[np.uint8], colour: Colour) -> npt.NDArray[np.uint8]:
    """Returns a picture [3, H, W] with all its hues made one; pure white stays white.

    Source of the conversion from hue, saturation and lightness: W3C, CSS Color Module Level 4, section 7.1.
    """
    values = picture.astype(np.float32) / 255
    highest, lowest = values.max(0), values.min(0)
    lightness = (highest + lowest) / 2
    room = 1 - np.abs(2 * lightness - 1)  # how far apart the channels may lie
    saturation = np.divide(highest - lowest, room, out=np.zeros_like(room), where=room > 0)
    saturation = np.maximum(saturation, colour.saturation)
    lifted = colour.darkest + (colour.lightest - colour.darkest) * lightness
    lightness = np.where(lightness > _WHITE, lightness, lifted)
    reach = saturation * np.minimum(lightness, 1 - lightness)
    places = (np.array([0, 8, 4])[:, None, None] + colour.hue * 12) % 12
    made = lightness - reach * np.clip(np.minimum(places - 3, 9 - places), -1, 1)
    pixels: npt.NDArray[np.uint8] = np.clip(np.rint(made * 255), 0, 255).astype(np.uint8)
    return pixels


def _shows_colour(picture: npt.NDArray[np.uint8]) -> bool:
    lightness = (picture.max(0).astype(np.float32) + picture.min(0)) / 510
    takes = (lightness > _DARK) & (lightness < _LIGHT)
    return bool(takes.sum() >= _SHARE_OF_THING * (lightness < _WHITE).sum() and takes.mean() >= _SHARE_OF_PICTURE)


def _colour_for(row: Row, entry: EmojiEntry) -> str:
    told = (*entry.names["en"], *entry.words["en"])
    words = {word.removesuffix("s") for name in told for word in name.lower().split()}
    unseen = {colour for thing, colour in hand_table()["unseen_colours"].items() if thing in words}
    return min(COLOURS.keys() - unseen, key=lambda colour: unit_hash(f"colour {row.id}", colour))


def _captions(entry: EmojiEntry, colour: str, style: str, language: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Returns the colour before each of the thing's names and nearest words, without the colour they name."""
    names = (*entry.names[language][:_NUM_NAMES], *lexicon.synonyms(entry, language)[:_NUM_NAMES])
    plain = [bare for name in dict.fromkeys(names) if (bare := _without_colours(name, language))]
    if language == "en":
        told = [f"{colour} {name}" for name in plain]
    else:
        word = str(hand_table()["adjectives"][colour])
        told = [f"{word}的{name}" for name in plain] + [f"{word}{name}" for name in plain[:1]]
    return tuple(dict.fromkeys([*told, *(in_style(first, style, language) for first in told[:1])]))


def _without_colours(name: str, language: str) -> str:
    return " ".join(_colour_words(language).sub("", name).split())


@cache
def _colour_words(language: str) -> re.Pattern[str]:
    words = hand_table()["adjectives"]
    if language == "en":
        return re.compile(rf"\b(?:{'|'.join([*COLOURS, 'black', 'white', 'grey', 'gray', 'golden'])})\b", re.IGNORECASE)
    whole = [str(words[colour]) for colour in (*COLOURS, "black", "white", "grey", "golden")]
    return re.compile(f"(?:{'|'.join(whole)}|褐色|^[红绿蓝紫青橙白](?=..))的?")
