"""Streamline Emojis."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class StreamlineEmojis(IconSet):
    """Streamline Emojis."""

    name: ClassVar[str] = "streamline_emojis"
    style: ClassVar[str] = "streamline"
    archive: ClassVar[str] = "iconify-streamline-emojis"
    licence: ClassVar[str] = "CC-BY-4.0"
    attribution: ClassVar[str] = "Streamline Emojis, https://github.com/webalys-hq/streamline-vectors, CC BY 4.0"
    titles_speak: ClassVar[bool] = True
