"""What checks and fingerprints may ask for by name, handed to them by the story."""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import ModelMissing
from inkseal.core.events import ignore
from inkseal.core.protocols import EmbeddingEngine, LocalModel
from inkseal.studio.guard.picture_safety import PictureSafety

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inkseal.studio.engines import Engines
    from inkseal.studio.provenance.trust import Trust


class LazyEmbedder:
    """An embedding engine that loads when it is first used, and counts against the one memory budget."""

    def __init__(self, engines: "Engines", model: LocalModel) -> None:
        self._engines = engines
        self.model = model

    def embed(self, texts: Sequence[str]) -> "NDArray[Any]":
        """Returns (B, D) float32 rows of length 1."""
        with self._engines.lease(self.model, "embed", ignore) as engine:
            assert isinstance(engine, EmbeddingEngine)
            return engine.embed(texts)

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Returns how many tokens `embed` reads of the texts."""
        with self._engines.lease(self.model, "embed", ignore) as engine:
            assert isinstance(engine, EmbeddingEngine)
            return engine.count_tokens(texts)

    def close(self) -> None:
        """Nothing to free here: the pool owns the engine."""


def resources(engines: "Engines") -> dict[str, Any]:
    """Returns the resources that this installation has, by name; what needs a model that is not here is left out."""
    found: dict[str, Any] = {}
    with contextlib.suppress(ModelMissing):
        found["embedder"] = LazyEmbedder(engines, engines.local_model("embedding"))
    with contextlib.suppress(ModelMissing):
        found["picture_safety"] = PictureSafety(engines.local_model("picture-safety"))
    return found


def given_to_backends(find: Callable[[str], LocalModel], trust: "Trust") -> dict[str, Callable[[], str]]:
    """Returns what backends may ask for by name: the key of watermarks, and models they work with beside their own."""
    models = {f"{name}_model": partial(_model_text, find, name) for name in ("embedding", "upscaler")}
    return {"watermark_key": lambda: trust.watermark_secret().hex(), **models}


def _model_text(find: Callable[[str], LocalModel], name: str) -> str:
    """Returns a model as JSON; empty when it is not here."""
    try:
        return find(name).model_dump_json()
    except ModelMissing:
        return ""
