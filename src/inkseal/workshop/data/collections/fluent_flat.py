"""Fluent Emoji in flat colours."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class FluentFlat(IconSet):
    """Fluent Emoji in flat colours."""

    name: ClassVar[str] = "fluent_flat"
    style: ClassVar[str] = "fluent_flat"
    archive: ClassVar[str] = "iconify-fluent-flat"
    licence: ClassVar[str] = "MIT"
    attribution: ClassVar[str] = "Fluent Emoji, © Microsoft Corporation, https://github.com/microsoft/fluentui-emoji"
