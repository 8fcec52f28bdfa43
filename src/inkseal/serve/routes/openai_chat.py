"""OpenAI's chat completions."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from inkseal.serve.bridge import batches
from inkseal.serve.callers import Creator
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_chat_answer import ChatFrames, chat_completion
from inkseal.serve.routes._openai_chat_body import ChatBody
from inkseal.serve.routes._openai_fields import ERRORS, STREAMED
from inkseal.serve.routes._outcome import gather
from inkseal.serve.routes._protocol import ProtocolRoute
from inkseal.serve.routes._stream import open_stream

router = APIRouter(prefix="/v1", tags=["openai"], route_class=ProtocolRoute, responses=ERRORS)


@router.post("/chat/completions", response_model=dict[str, Any], responses=STREAMED)
async def create(body: ChatBody, http: Request, caller: Creator) -> Response:
    """Answers a conversation, as a whole or as a stream of events."""
    studio = http.app.state.studio
    asked = body.to_request()
    events = batches(studio, lambda: asking.fitted(studio, asked, body.limit), caller, http)
    if body.stream:
        return await open_stream(events, ChatFrames(http, body.model, asked.n, with_usage=body.wants_usage))
    outcome = await gather(events)
    return JSONResponse(chat_completion(outcome, body.model, asked.n), headers=outcome.headers())
