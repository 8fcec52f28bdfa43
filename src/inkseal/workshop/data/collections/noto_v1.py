"""The first Noto Emoji, whose faces are blobs."""

from typing import ClassVar

from inkseal.workshop.data.icon_set import IconSet


class NotoV1(IconSet):
    """The first Noto Emoji, whose faces are blobs."""

    name: ClassVar[str] = "noto_v1"
    style: ClassVar[str] = "noto_v1"
    archive: ClassVar[str] = "iconify-noto-v1"
    licence: ClassVar[str] = "Apache-2.0"
    attribution: ClassVar[str] = "Noto Emoji (v1), © Google LLC, https://github.com/googlefonts/noto-emoji"
