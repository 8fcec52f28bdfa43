"""Meteocons, icons of the weather."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class Meteocons(IconSet):
    """Meteocons, icons of the weather."""

    name: ClassVar[str] = "meteocons"
    style: ClassVar[str] = "meteocons"
    archive: ClassVar[str] = "iconify-meteocons"
    licence: ClassVar[str] = "MIT"
    attribution: ClassVar[str] = "Meteocons, © Bas Milius, https://github.com/basmilius/weather-icons"
    titles_speak: ClassVar[bool] = True
    look: ClassVar[str] = "-fill"
