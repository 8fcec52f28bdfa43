"""OpenAI's image generation. Pixels are as they were drawn; what marks the file changes none of them.

The visible label travels beside the pictures, in `inkseal.label`, as it does beside texts; exported files show it.
"""

import base64
import re
import time
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from inkseal.core.language import say
from inkseal.core.types import Message
from inkseal.modalities.image.request import MAX_SIDE_PX, ImageRequest
from inkseal.serve.bridge import batches, call
from inkseal.serve.callers import Caller, Creator
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import ERRORS
from inkseal.serve.routes._outcome import Outcome, gather
from inkseal.serve.routes._protocol import FieldError, ProtocolRoute, Wire, naming
from inkseal.studio.studio import Studio

router = APIRouter(prefix="/v1", tags=["openai"], route_class=ProtocolRoute, responses=ERRORS)
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_SAME = {"model", "n", "style", "seed", "steps", "guidance", "candidates", "solver"}
"""Called alike here and in the studio."""


class ImageBody(Wire):
    """A prompt to be drawn.

    Ours beside OpenAI's: `seed`, `steps`, `guidance`, `candidates`, `solver`, and `style` is a model's own.
    No effect: `user`, `quality` auto and standard, `background` auto and opaque, `moderation` auto.
    """

    refused: ClassVar = {
        "stream": ("pictures are sent whole.", "图片只整体发送。"),
        "partial_images": ("pictures are sent whole.", "图片只整体发送。"),
        "output_compression": ("files are saved as they are best kept.", "文件按最佳保存方式写出。"),
    }

    prompt: Annotated[str, Field(min_length=1, max_length=32_000)]
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    n: Annotated[int, Field(ge=1, le=10)] | None = None
    size: Annotated[str, Field(max_length=16)] | None = None
    response_format: Literal["b64_json"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    quality: Literal["auto", "standard"] | None = None
    background: Literal["auto", "opaque"] | None = None
    moderation: Literal["auto"] | None = None
    style: str | None = None
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    candidates: int | None = None
    solver: str | None = None
    user: str | None = None

    def to_request(self) -> ImageRequest:
        """Returns what is asked of the studio.

        Raises:
            FieldError: the size is none, or a field is out of range.
        """
        fields = self.model_dump(include=_SAME, exclude_none=True)
        with naming("body"):
            return ImageRequest(messages=(Message.of("user", self.prompt),), **fields, **_sides(self.size))


@router.post("/images/generations", response_model=dict[str, Any])
async def create(body: ImageBody, http: Request, caller: Creator) -> JSONResponse:
    """Returns the pictures as base64, each a file with its marks inside."""
    studio = http.app.state.studio
    asked = body.to_request()
    await call(asking.known_model, studio, asked.model)
    outcome = await gather(batches(studio, asked, caller, http))
    written = body.output_format or "png"
    data = [
        {"b64_json": await call(_file, studio, made.id, written, caller)}
        for _, made in sorted(outcome.artifacts.items())
    ]
    own = outcome.field() | {"label": studio.visible_label(asked)}
    answer = {"created": int(time.time()), "data": data, "output_format": written, "usage": _usage(outcome)}
    return JSONResponse(answer | {"inkseal": own}, headers=outcome.headers())


def _file(studio: Studio, artifact_id: str, written: str, caller: Caller) -> str:
    return base64.b64encode(studio.unaltered_bytes(artifact_id, written, owner=caller.sees)).decode()


def _sides(size: str | None) -> dict[str, int]:
    if size in (None, "auto"):
        return {}
    found = _SIZE.fullmatch(size or "")
    if found is None or max(int(found[1]), int(found[2])) > MAX_SIDE_PX:
        raise FieldError(
            say(f"size: 'auto', or WIDTHxHEIGHT up to {MAX_SIDE_PX}.", f"size：'auto' 或 宽x高，至多 {MAX_SIDE_PX}。"),
            param="size",
        )
    return {"width_px": int(found[1]), "height_px": int(found[2])}


def _usage(outcome: Outcome) -> dict[str, Any]:
    num_prompt = outcome.usage.prompt_tokens
    return {
        "input_tokens": num_prompt,
        "input_tokens_details": {"text_tokens": num_prompt, "image_tokens": 0},
        "output_tokens": outcome.usage.completion_tokens,
        "total_tokens": num_prompt + outcome.usage.completion_tokens,
    }
