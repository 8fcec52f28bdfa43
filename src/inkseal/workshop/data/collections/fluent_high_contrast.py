"""Fluent Emoji in black."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class FluentHighContrast(IconSet):
    """Fluent Emoji in black."""

    name: ClassVar[str] = "fluent_high_contrast"
    style: ClassVar[str] = "fluent_high_contrast"
    archive: ClassVar[str] = "iconify-fluent-high-contrast"
    licence: ClassVar[str] = "MIT"
    attribution: ClassVar[str] = "Fluent Emoji, © Microsoft Corporation, https://github.com/microsoft/fluentui-emoji"
