"""OpenAI's embeddings."""

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from inkseal.serve.bridge import call
from inkseal.serve.callers import Caller, current_caller
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import ERRORS, ModelName, OpenAIRoute
from inkseal.serve.routes._protocol import FieldError, Wire
from inkseal.studio.studio import Studio

if TYPE_CHECKING:
    from numpy.typing import NDArray

router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAIRoute, responses=ERRORS)
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
async def create(
    body: EmbeddingBody, http: Request, caller: Annotated[Caller, Depends(current_caller)]
) -> dict[str, Any]:
    """Returns a unit vector for each text, in order."""
    texts = [body.input] if isinstance(body.input, str) else body.input
    rows = await call(_embed, http.app.state.studio, texts, body)
    data = [
        {"object": "embedding", "index": index, "embedding": _written(row, body.encoding_format or "float")}
        for index, row in enumerate(rows)
    ]
    # The embedding engine cuts words its own way and reports no count; a null is better than a guess.
    usage = {"prompt_tokens": None, "total_tokens": None}
    return {"object": "list", "data": data, "model": body.model, "usage": usage}


def _embed(studio: Studio, texts: list[str], body: EmbeddingBody) -> "NDArray[Any]":
    asking.known_model(studio, body.model)
    rows = studio.embed(texts, body.model)
    width = int(rows.shape[1])
    if body.dimensions not in (None, width):
        raise FieldError(f"dimensions: {body.dimensions} ≠ {width}.", param="dimensions", code="unsupported_parameter")
    return rows


def _written(row: "NDArray[Any]", encoding: str) -> str | list[float]:
    little = row.astype("<f4")
    return base64.b64encode(little.tobytes()).decode() if encoding == "base64" else [float(v) for v in little]
