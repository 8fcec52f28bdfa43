"""OpenMoji."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class Openmoji(IconSet):
    """OpenMoji."""

    name: ClassVar[str] = "openmoji"
    style: ClassVar[str] = "openmoji"
    archive: ClassVar[str] = "iconify-openmoji"
    licence: ClassVar[str] = "CC-BY-SA-4.0"
    attribution: ClassVar[str] = "OpenMoji, the open-source emoji and icon project, https://openmoji.org, CC BY-SA 4.0"
    share_alike: ClassVar[bool] = True
