"""Spaces in which contents and a query can be compared: by their words, and by what pictures show."""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from inkseal.catalog.verify import verify_files
from inkseal.core.errors import InksealError, ModelMissing
from inkseal.core.protocols import LocalModel
from inkseal.modalities import modalities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inkseal.formats.picture_model import PictureModel
    from inkseal.studio.generate.picture_fit import PictureFit

log = logging.getLogger(__name__)

PICTURE_MODEL = "picture"
MAX_CHARS = 8000
"""Of one content; the model is made for sentences, and more would only blur."""
MIN_COSINE = 0.15
"""Below this, texts of the embedding model's sixteen languages have nothing to do with each other."""
THREADS = 1
"""For reading pictures: it happens in the background, and the network is small."""

Embed = Callable[[Sequence[str]], "NDArray[Any]"]
"""Texts → (B, D) unit vectors."""


class Content(NamedTuple):
    """A stored content, and the title of its artifact: what was asked for."""

    sha256: str
    modality: str
    title: str
    data: bytes


class Space(Protocol):
    """One way to compare."""

    key: str
    """Under which its vectors are kept: they are no other model's."""
    modality: str
    """Which contents it reads; all when empty."""
    min_cosine: float

    def of_query(self, query: str) -> "NDArray[Any]":
        """Returns the unit vector of what is looked for."""

    def of_contents(self, contents: Sequence[Content]) -> "list[NDArray[Any] | None]":
        """Returns their unit vectors; None for one that says nothing here."""


class WordSpace:
    """By words: of a text its own, of a picture the title."""

    modality = ""
    min_cosine = MIN_COSINE

    def __init__(self, model: LocalModel, embed: Embed) -> None:
        self.key = key(model)
        self._embed = embed

    def of_query(self, query: str) -> "NDArray[Any]":
        """Returns the vector of the query."""
        row: NDArray[Any] = self._embed([query[:MAX_CHARS]])[0]
        return row

    def of_contents(self, contents: Sequence[Content]) -> "list[NDArray[Any] | None]":
        """Returns vectors of the words; a content that cannot be read has none."""
        texts = [_words(content) for content in contents]
        spoken = [text for text in texts if text.strip()]
        rows = iter(self._embed(spoken) if spoken else ())
        return [next(rows) if text.strip() else None for text in texts]


class PictureSpace:
    """By what pictures show, whoever asked for them and however: the text–image encoder of a picture model."""

    modality = "image"

    def __init__(self, model: LocalModel, facts: "PictureModel", min_cosine: float, embed: Embed) -> None:
        """Compiles the encoder of a model; `min_cosine` as it was measured when the model was published.

        Raises:
            ModelFileRefused: a file is not the recorded one.
        """
        self.key = key(model)
        self.min_cosine = min_cosine
        self._fit = _compiled(model.folder, tuple(model.files.items()))
        self._side_px = facts.side_px
        self._embed = embed

    def of_query(self, query: str) -> "NDArray[Any]":
        """Returns where pictures of it should lie; the text is read as captions were in training."""
        from inkseal.formats.text_condition import whole_text

        row: NDArray[Any] = self._fit.texts(self._embed([whole_text(query)]))[0]
        return row

    def of_contents(self, contents: Sequence[Content]) -> "list[NDArray[Any] | None]":
        """Returns vectors of the pictures; one that cannot be read has none."""
        import numpy as np

        pixels = [_pixels(content, self._side_px) for content in contents]
        seen = [picture for picture in pixels if picture is not None]
        rows = iter(self._fit.pictures(np.stack(seen)) if seen else ())
        return [next(rows) if picture is not None else None for picture in pixels]


def picture_space(find: Callable[[str], LocalModel], words: LocalModel, embed: Embed) -> PictureSpace | None:
    """Returns the space of the published picture model.

    None when it is not here, is damaged, has no measured encoder, or was trained on vectors of another model than
    `words`, whose vectors `embed` returns.
    """
    from inkseal.formats.picture_model import ENCODER, read_picture_model

    try:
        model = find(PICTURE_MODEL)
        if not model.files.keys() >= ENCODER:
            return None
        facts = read_picture_model(model.folder)
        if facts.search is None or facts.embedding_sha256 != words.sha256:
            return None
        return PictureSpace(model, facts, facts.search.cosine, embed)
    except ModelMissing:
        return None
    except InksealError as error:
        log.warning("the picture model cannot be read: %s", error.code)
        return None


def key(model: LocalModel) -> str:
    """Returns under which name the vectors of a model are kept: they are no other model's."""
    return model.sha256 or model.name


@lru_cache(maxsize=1)  # a model that took another's place takes its place here too
def _compiled(folder: Path, files: tuple[tuple[str, str], ...]) -> "PictureFit":
    from inkseal.studio.generate.picture_fit import PictureFit

    verify_files(folder, dict(files))
    return PictureFit(folder, THREADS)


def _words(content: Content) -> str:
    try:
        parts = modalities[content.modality]().parts(content.data)
    except InksealError as error:
        log.warning("the content %s cannot be read: %s", content.sha256, error.code)
        return ""
    return "\n".join(part.text for part in parts)[:MAX_CHARS] or content.title


def _pixels(content: Content, side_px: int) -> "NDArray[Any] | None":
    """Returns the picture [3, S, S] in [-1, 1] on a white square, as the encoder saw pictures in training."""
    import numpy as np
    from PIL import Image, ImageOps

    from inkseal.modalities.image.reading import decode, on_white

    try:
        picture = on_white(decode(content.data))
    except InksealError as error:
        log.warning("the content %s cannot be read: %s", content.sha256, error.code)
        return None
    square = ImageOps.pad(picture, (side_px, side_px), Image.Resampling.BOX, color="white")
    return np.asarray(square, np.float32).transpose(2, 0, 1) / 127.5 - 1
