"""Firefox OS Emoji."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class Fxemoji(IconSet):
    """Firefox OS Emoji."""

    name: ClassVar[str] = "fxemoji"
    style: ClassVar[str] = "fxemoji"
    archive: ClassVar[str] = "iconify-fxemoji"
    licence: ClassVar[str] = "Apache-2.0"
    attribution: ClassVar[str] = "FxEmojis, © Mozilla Foundation, https://github.com/mozilla/fxemoji"
