"""Fluent Emoji with gradients."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class Fluent(IconSet):
    """Fluent Emoji with gradients."""

    name: ClassVar[str] = "fluent"
    style: ClassVar[str] = "fluent"
    archive: ClassVar[str] = "iconify-fluent"
    licence: ClassVar[str] = "MIT"
    attribution: ClassVar[str] = "Fluent Emoji, © Microsoft Corporation, https://github.com/microsoft/fluentui-emoji"
