"""Flat Color Icons by Icons8."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class FlatColorIcons(IconSet):
    """Flat Color Icons by Icons8."""

    name: ClassVar[str] = "flat_color_icons"
    style: ClassVar[str] = "flat_icon"
    archive: ClassVar[str] = "iconify-flat-color-icons"
    licence: ClassVar[str] = "MIT"
    attribution: ClassVar[str] = "Flat Color Icons, © Icons8, https://github.com/icons8/flat-color-icons"
