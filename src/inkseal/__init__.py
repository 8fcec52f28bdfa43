"""Inkseal (墨印): a generative-AI studio that checks, labels, signs and records everything it makes.

from inkseal import Studio, TextRequest

with Studio.open() as studio:
    result = studio.run(TextRequest.of("写一首关于茶的短诗"))
    studio.export(result.artifacts[0].id, "tea.html")
    print(result.text)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkseal.core.errors import InksealError
    from inkseal.modalities.image.request import ImageRequest
    from inkseal.modalities.text.request import TextRequest
    from inkseal.studio.story import Result
    from inkseal.studio.studio import Studio

__all__ = ["ImageRequest", "InksealError", "Result", "Studio", "TextRequest"]

_HOMES = {
    "ImageRequest": "inkseal.modalities.image.request",
    "InksealError": "inkseal.core.errors",
    "Result": "inkseal.studio.story",
    "Studio": "inkseal.studio.studio",
    "TextRequest": "inkseal.modalities.text.request",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for, so that `import inkseal` costs nothing."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'inkseal' has no attribute {name!r}")
