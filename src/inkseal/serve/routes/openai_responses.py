"""OpenAI's responses. What is kept of them exists for its owner alone, for a day; see `conversations`."""

import logging
import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from inkseal.core.errors import InksealError
from inkseal.core.language import say
from inkseal.core.types import Message
from inkseal.serve.bridge import batches, call
from inkseal.serve.callers import AnyCaller, Caller, Creator
from inkseal.serve.conversations import Kept
from inkseal.serve.errors import Refused
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import ERRORS, STREAMED
from inkseal.serve.routes._outcome import Outcome, gather
from inkseal.serve.routes._protocol import ProtocolRoute
from inkseal.serve.routes._responses_answer import ResponseFrames, answer_message, final_status, response_body
from inkseal.serve.routes._responses_body import ResponseBody
from inkseal.serve.routes._stream import open_stream

router = APIRouter(prefix="/v1", tags=["openai"], route_class=ProtocolRoute, responses=ERRORS)
log = logging.getLogger(__name__)
ResponseId = Annotated[str, Path(max_length=64)]


@router.post("/responses", response_model=dict[str, Any], responses=STREAMED)
async def create(body: ResponseBody, http: Request, caller: Creator) -> Response:
    """Answers, and keeps the conversation to be continued unless `store` is false."""
    studio = http.app.state.studio
    before: tuple[Message, ...] = ()
    if body.previous_response_id:
        before = (await _found(http, body.previous_response_id, caller, "previous_response_id")).messages
    turns = body.turns()
    asked = body.to_request(before, turns)

    async def keep(outcome: Outcome, answer: dict[str, Any]) -> None:
        if body.store is False or outcome.withdrawn:
            return
        said = (*before, *turns, answer_message(outcome))
        kept = Kept(messages=said, body=answer, input_items=_input_items(body, outcome.run_id))
        try:
            await call(http.app.state.conversations.keep, answer["id"], caller.owner, kept)
        except InksealError as error:  # the answer is made and sealed; only its continuation is lost
            log.warning("the response %s is not kept: %s", answer["id"], error)

    events = batches(studio, lambda: asking.fitted(studio, asked, body.max_output_tokens), caller, http)
    if body.stream:
        frames = ResponseFrames(http, body)
        return await open_stream(events, frames, lambda: keep(frames.outcome, frames.answer))
    outcome = await gather(events)
    answer = response_body(body, outcome, final_status(outcome), int(time.time()))
    await keep(outcome, answer)
    return JSONResponse(answer, headers=outcome.headers())


@router.get("/responses/{response_id}", response_model=dict[str, Any])
async def retrieve(response_id: ResponseId, http: Request, caller: AnyCaller) -> dict[str, Any]:
    """Returns a kept response of the caller's."""
    return (await _found(http, response_id, caller, "response_id")).body


@router.get("/responses/{response_id}/input_items", response_model=dict[str, Any])
async def input_items(response_id: ResponseId, http: Request, caller: AnyCaller) -> dict[str, Any]:
    """Returns what a kept response of the caller's answered."""
    items = (await _found(http, response_id, caller, "response_id")).input_items
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": None, "last_id": None}
    return {"object": "list", "data": items, "has_more": False} | ends


@router.delete("/responses/{response_id}", response_model=dict[str, Any])
async def delete(response_id: ResponseId, http: Request, caller: Creator) -> dict[str, Any]:
    """Forgets a kept response of the caller's; its sealed artifact stays."""
    if not await call(http.app.state.conversations.forget, response_id, caller.owner):
        raise _unknown(response_id, "response_id")
    return {"id": response_id, "object": "response", "deleted": True}


async def _found(http: Request, response_id: str, caller: Caller, param: str) -> Kept:
    kept: Kept | None = await call(http.app.state.conversations.find, response_id, caller.owner)
    if kept is None:
        raise _unknown(response_id, param)
    return kept


def _unknown(response_id: str, param: str) -> Refused:
    return Refused(
        404,
        "previous_response_not_found" if param == "previous_response_id" else "response_not_found",
        say(f"No response {response_id!r} is kept here.", f"此处没有保存回复 {response_id!r}。"),
        param=param,
        fix=say(
            "They are kept for a day at most; send the whole conversation.",
            "回复至多保存一天；请发送完整对话。",
        ),
    )


def _input_items(body: ResponseBody, run_id: str) -> list[dict[str, Any]]:
    given = body.input
    if isinstance(given, str):
        content = [{"type": "input_text", "text": given}]
        return [{"id": f"in_{run_id}_0", "type": "message", "role": "user", "status": "completed", "content": content}]
    items = [item.model_dump(exclude_none=True) for item in given]
    return [{"id": f"in_{run_id}_{place}", **item} for place, item in enumerate(items)]
