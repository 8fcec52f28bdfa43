"""Styles of pictures: a style is asked for by words at the end of a prompt, the same in training and serving."""

import tomllib
from functools import cache
from importlib.resources import files

from inkseal.core.errors import UnknownName
from inkseal.core.language import say
from inkseal.modalities.text.segmentation import language_of

_COMMAS = {"en": ", ", "zh": "，"}


@cache
def picture_styles() -> dict[str, dict[str, str]]:
    """Returns style → language → its words."""
    return tomllib.loads(files("inkseal.formats").joinpath("picture_styles.toml").read_text(encoding="utf-8"))


def in_style(text: str, style: str, language: str = "") -> str:
    """Returns the text with the words that ask for a style, in the text's language if none is given.

    Raises:
        UnknownName: there is no such style; offers the nearest.
    """
    if style not in picture_styles():
        raise UnknownName(say("style", "风格"), style, picture_styles())
    language = language or language_of(text)
    return f"{text}{_COMMAS[language]}{picture_styles()[style][language]}"
