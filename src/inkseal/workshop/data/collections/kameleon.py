"""Kameleon icons on a round ground."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class Kameleon(IconSet):
    """Kameleon icons on a round ground."""

    name: ClassVar[str] = "kameleon"
    style: ClassVar[str] = "kameleon"
    archive: ClassVar[str] = "iconify-kameleon"
    licence: ClassVar[str] = "CC-BY-4.0"
    attribution: ClassVar[str] = "Kameleon by Streamline, https://github.com/webalys-hq/streamline-vectors, CC BY 4.0"
    second_looks: ClassVar[tuple[str, ...]] = ("-duo",)
    titles_speak: ClassVar[bool] = True
