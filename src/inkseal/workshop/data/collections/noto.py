"""Noto Emoji in colour."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class Noto(IconSet):
    """Noto Emoji in colour."""

    name: ClassVar[str] = "noto"
    style: ClassVar[str] = "noto"
    archive: ClassVar[str] = "iconify-noto"
    licence: ClassVar[str] = "Apache-2.0"
    attribution: ClassVar[str] = "Noto Emoji, © Google LLC, https://github.com/googlefonts/noto-emoji"
