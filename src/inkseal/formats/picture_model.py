"""What the folder of a picture model holds: which files, and the facts in them that serving needs."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.core.types import Closed, Sha256
from inkseal.formats.safetensors import read_header

WEIGHTS = "model.safetensors"
TRANSFORMER, DECODER, PICTURES, TEXTS = "transformer", "decoder", "pictures", "texts"
"""Graphs; the last two, of the text–image encoder, may be absent."""
NEEDED = frozenset({WEIGHTS, f"{TRANSFORMER}.xml", f"{DECODER}.xml"})
ENCODER = frozenset({f"{PICTURES}.xml", f"{TEXTS}.xml"})
FACTS = "inkseal_picture_model"
"""The key of the facts in the metadata of the weights."""

Count = Annotated[int, Field(ge=1, le=1 << 16)]


class PictureSearch(Closed):
    """From which cosine on a picture is found by a text, and what that was measured to do on held-out pictures."""

    cosine: float = Field(ge=-1, le=1)
    recall: float = Field(ge=0, le=1)
    """Part of the pictures that their own caption finds."""
    alarms: float = Field(ge=0, le=1)
    """Part of the other captions that find a picture all the same."""
    num_pictures: int


class PictureModel(Closed):
    """The facts of one picture model."""

    version: Literal[1, 2] = 2
    """Graphs of version 1 say one velocity only."""
    side_px: Count
    """Of a picture, before anything enlarges it."""
    latent: tuple[Count, Count, Count]
    """Channels, height, width."""
    text_width: Count
    num_tokens: Count
    styles: tuple[str, ...]
    """Style number n is `styles[n - 1]`; 0 stands for any."""
    steps: Count
    guidance: float
    autoguidance: float = 0.0
    """How far pictures are led away from what the sketch alone would draw."""
    solver: str
    embedding: str
    """Name of the model that embeds prompts, as the condition was trained."""
    embedding_sha256: Sha256
    parameters: int
    search: PictureSearch | None = None
    """None without a text–image encoder."""


def read_picture_model(folder: Path) -> PictureModel:
    """Returns the facts in the folder's weights.

    Raises:
        ModelFileRefused: they are missing or malformed.
    """
    text = read_header(folder / WEIGHTS).metadata.get(FACTS, "")
    try:
        return PictureModel.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ModelFileRefused(
            say(f"{WEIGHTS} says of itself no picture model: {why}.", f"{WEIGHTS} 中没有图片模型的信息：{why}。")
        ) from None
