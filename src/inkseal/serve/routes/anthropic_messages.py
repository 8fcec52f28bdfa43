"""Anthropic's messages and their count of tokens."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from inkseal.modalities.text.request import TextRequest
from inkseal.serve.bridge import batches, placed
from inkseal.serve.callers import Creator
from inkseal.serve.errors import Refusal
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._anthropic_answer import MessageFrames, error_body, message
from inkseal.serve.routes._anthropic_body import CountBody, MessageBody
from inkseal.serve.routes._openai_fields import STREAMED
from inkseal.serve.routes._outcome import gather
from inkseal.serve.routes._protocol import ProtocolRoute
from inkseal.serve.routes._stream import open_stream


class AnthropicErrorBody(BaseModel):
    """What went wrong."""

    type: str
    message: str
    code: str | None = None
    param: str | None = None


class AnthropicError(BaseModel):
    """An error as Anthropic's clients read it."""

    type: str
    error: AnthropicErrorBody
    request_id: str | None = None


class TokenCount(BaseModel):
    """How many tokens the prompt has."""

    input_tokens: int


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": AnthropicError, "description": "The request was refused."},
    "5XX": {"model": AnthropicError, "description": "The server could not do it."},
}
router = APIRouter(prefix="/v1", tags=["anthropic"], route_class=ProtocolRoute, responses=ERRORS)


def error_shape(request: Request, refusal: Refusal) -> dict[str, Any]:
    """Returns an error in Anthropic's shape."""
    return error_body(request, refusal)


@router.post("/messages", response_model=dict[str, Any], responses=STREAMED)
async def create(body: MessageBody, http: Request, caller: Creator) -> Response:
    """Answers a conversation, as a whole or as a stream of events."""
    studio = http.app.state.studio
    asked = body.to_request()
    prompt_tokens: list[int] = []

    def made() -> TextRequest:
        fitted = asking.fitted(studio, asked, body.max_tokens)
        if body.stream:
            prompt_tokens.append(asking.count_tokens(studio, fitted))
        return fitted

    events = batches(studio, made, caller, http)
    if body.stream:
        return await open_stream(events, MessageFrames(http, body.model, prompt_tokens))
    outcome = await gather(events)
    return JSONResponse(message(outcome, body.model), headers=outcome.headers())


@router.post("/messages/count_tokens", response_model=TokenCount)
async def count_tokens(body: CountBody, http: Request, caller: Creator) -> TokenCount:
    """Counts the tokens of a prompt exactly, as the model is given it when no check redacts it."""
    studio = http.app.state.studio
    return TokenCount(input_tokens=await placed(http, caller, asking.count_tokens, studio, body.to_request()))
