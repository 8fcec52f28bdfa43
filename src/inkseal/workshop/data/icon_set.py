"""Icon sets in the Iconify JSON layout: one member holds all drawings, another says which character each one is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from inkseal.catalog.archive import read_members
from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Drawing

_ICONS, _CHARACTERS = "package/icons.json", "package/chars.json"


class IconSet:
    """A collection in this layout; subclasses say which one it is."""

    name: ClassVar[str]
    style: ClassVar[str]
    archive: ClassVar[str]
    licence: ClassVar[str]
    attribution: ClassVar[str]
    share_alike: ClassVar[bool] = False
    crop: ClassVar[bool] = False
    titles_speak: ClassVar[bool] = False
    second_looks: ClassVar[tuple[str, ...]] = ()
    """Endings of names that show the same icon in another look; left out."""

    def read(self, archive: Path, cancel: Cancel) -> Iterator[Drawing]:
        """Yields the set's own icons in the order of their names; aliases would repeat them.

        Raises:
            ModelFileRefused: the archive is dangerous or not of this layout.
        """
        found = dict(read_members(archive, {_ICONS, _CHARACTERS}.__contains__, cancel))
        try:
            table = json.loads(found[_ICONS])
            characters = {icon: code for code, icon in json.loads(found.get(_CHARACTERS, b"{}")).items()}
            for icon, facts in sorted(table["icons"].items()):
                if icon.endswith(self.second_looks):
                    continue
                yield Drawing(
                    member=f"{_ICONS}#{icon}",
                    svg=_svg(facts, table),
                    title=icon.replace("-", " ").replace("_", " "),
                    emoji=characters.get(icon, "").upper(),
                )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelFileRefused(
                say(f"{archive.name} is no icon set ({error!r}).", f"{archive.name} 不是图标集（{error!r}）。")
            ) from None


def _svg(facts: dict[str, Any], table: dict[str, Any]) -> str:
    box = [float(facts.get(key, table.get(key, usual))) for key, usual in
           (("left", 0), ("top", 0), ("width", 16), ("height", 16))]  # fmt: skip
    view = " ".join(f"{number:g}" for number in box)
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {namespaces} width="{box[2]:g}" height="{box[3]:g}" viewBox="{view}">{facts["body"]}</svg>'
