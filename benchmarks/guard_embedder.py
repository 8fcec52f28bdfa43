"""Opens the embedding model for the guard's scripts, as the product does."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import default_data_dir
from inkseal.core.events import ignore
from inkseal.core.protocols import EmbeddingEngine, LocalModel
from inkseal.studio.generate.backends.openvino_embedding import OpenvinoEmbedding, OpenvinoEmbeddingConfig

Embed = Callable[[Sequence[str]], NDArray[Any]]


def open_embedder(path: Path | None) -> EmbeddingEngine:
    """Returns the engine of an ONNX file, or of the catalog's embedding model, fetched if it is not here."""
    model = _of_file(path) if path else _of_catalog()
    return OpenvinoEmbedding(OpenvinoEmbeddingConfig()).load(model, 2, ignore, threading.Event())


def _of_catalog() -> LocalModel:
    catalog = Catalog(default_data_dir())
    catalog.pull("embedding")
    return catalog.local("embedding")


def _of_file(file: Path) -> LocalModel:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return LocalModel(
        name="embedding",
        task="embed",
        folder=file.parent,
        files={file.name: digest},
        format="onnx",
        context_tokens=512,
        licence="",
        sha256=digest,
    )
