"""OpenAI's embeddings."""

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from inkseal.serve.bridge import placed
from inkseal.serve.callers import Creator
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import ERRORS, ModelName
from inkseal.serve.routes._protocol import FieldError, ProtocolRoute, Wire
from inkseal.studio.studio import Studio

if TYPE_CHECKING:
    from numpy.typing import NDArray

router = APIRouter(prefix="/v1", tags=["openai"], route_class=ProtocolRoute, responses=ERRORS)
MAX_TEXTS = 2048
Text = Annotated[str, Field(min_length=1, max_length=200_000)]


class EmbeddingBody(Wire):
    """Texts to embed. No effect: `user`."""

    model: ModelName
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None


@router.post("/embeddings", response_model=dict[str, Any])
async def create(body: EmbeddingBody, http: Request, caller: Creator) -> dict[str, Any]:
    """Returns a unit vector for each text, in order."""
    texts = [body.input] if isinstance(body.input, str) else body.input
    rows, num_tokens = await placed(http, caller, _embed, http.app.state.studio, texts, body)
    data = [
        {"object": "embedding", "index": index, "embedding": _written(row, body.encoding_format or "float")}
        for index, row in enumerate(rows)
    ]
    usage = {"prompt_tokens": num_tokens, "total_tokens": num_tokens}
    return {"object": "list", "data": data, "model": body.model, "usage": usage}


def _embed(studio: Studio, texts: list[str], body: EmbeddingBody) -> "tuple[NDArray[Any], int | None]":
    asking.known_model(studio, body.model)
    rows, num_tokens = studio.embed_counted(texts, body.model)
    width = int(rows.shape[1])
    if body.dimensions not in (None, width):
        raise FieldError(f"dimensions: {body.dimensions} ≠ {width}.", param="dimensions", code="unsupported_parameter")
    return rows, num_tokens


def _written(row: "NDArray[Any]", encoding: str) -> str | list[float]:
    little = row.astype("<f4")
    return base64.b64encode(little.tobytes()).decode() if encoding == "base64" else [float(v) for v in little]
