"""EmojiOne 2, kept up as Emojitwo."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class Emojione(IconSet):
    """EmojiOne 2, kept up as Emojitwo."""

    name: ClassVar[str] = "emojione"
    style: ClassVar[str] = "emojione"
    archive: ClassVar[str] = "iconify-emojione"
    licence: ClassVar[str] = "CC-BY-4.0"
    attribution: ClassVar[str] = "EmojiOne and Emojitwo, https://github.com/EmojiTwo/emojitwo, CC BY 4.0"
