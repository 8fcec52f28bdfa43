"""Twemoji."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class Twemoji(IconSet):
    """Twemoji."""

    name: ClassVar[str] = "twemoji"
    style: ClassVar[str] = "twemoji"
    archive: ClassVar[str] = "iconify-twemoji"
    licence: ClassVar[str] = "CC-BY-4.0"
    attribution: ClassVar[str] = "Twemoji, © Twitter, Inc. and others, https://github.com/jdecked/twemoji, CC BY 4.0"
