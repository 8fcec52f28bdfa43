"""OpenAI's responses. What is kept of them exists for its owner alone, in memory alone; see `conversations`."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from inkseal.core.language import say
from inkseal.core.types import Message
from inkseal.serve.bridge import batches
from inkseal.serve.callers import AnyCaller, Caller, Creator
from inkseal.serve.conversations import Conversations, Kept
from inkseal.serve.errors import Refused
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import ERRORS, STREAMED
from inkseal.serve.routes._outcome import Outcome, gather
from inkseal.serve.routes._protocol import ProtocolRoute
from inkseal.serve.routes._responses_answer import ResponseFrames, answer_message, final_status, response_body
from inkseal.serve.routes._responses_body import ResponseBody
from inkseal.serve.routes._stream import open_stream

router = APIRouter(prefix="/v1", tags=["openai"], route_class=ProtocolRoute, responses=ERRORS)
ResponseId = Annotated[str, Path(max_length=64)]


@router.post("/responses", response_model=dict[str, Any], responses=STREAMED)
async def create(body: ResponseBody, http: Request, caller: Creator) -> Response:
    """Answers, and keeps the conversation to be continued unless `store` is false."""
    studio = http.app.state.studio
    before: tuple[Message, ...] = ()
    if body.previous_response_id:
        before = _found(http, body.previous_response_id, caller, "previous_response_id").messages
    turns = body.turns()
    asked = body.to_request(before, turns)

    def keep(outcome: Outcome, answer: dict[str, Any]) -> None:
        if body.store is not False and not outcome.withdrawn:
            said = (*before, *turns, answer_message(outcome))
            _conversations(http).keep(answer["id"], caller.owner, said, answer, _input_items(body, outcome.run_id))

    events = batches(studio, lambda: asking.fitted(studio, asked, body.max_output_tokens), caller, http)
    if body.stream:
        return await open_stream(events, ResponseFrames(http, body, keep))
    outcome = await gather(events)
    answer = response_body(body, outcome, final_status(outcome), int(time.time()))
    keep(outcome, answer)
    return JSONResponse(answer, headers=outcome.headers())


@router.get("/responses/{response_id}", response_model=dict[str, Any])
async def retrieve(response_id: ResponseId, http: Request, caller: AnyCaller) -> dict[str, Any]:
    """Returns a kept response of the caller's."""
    return _found(http, response_id, caller, "response_id").body


@router.get("/responses/{response_id}/input_items", response_model=dict[str, Any])
async def input_items(response_id: ResponseId, http: Request, caller: AnyCaller) -> dict[str, Any]:
    """Returns what a kept response of the caller's answered."""
    items = _found(http, response_id, caller, "response_id").input_items
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": None, "last_id": None}
    return {"object": "list", "data": items, "has_more": False} | ends


@router.delete("/responses/{response_id}", response_model=dict[str, Any])
async def delete(response_id: ResponseId, http: Request, caller: Creator) -> dict[str, Any]:
    """Forgets a kept response of the caller's; its sealed artifact stays."""
    if not _conversations(http).forget(response_id, caller.owner):
        raise _unknown(response_id, "response_id")
    return {"id": response_id, "object": "response", "deleted": True}


def _conversations(http: Request) -> Conversations:
    found = getattr(http.app.state, "conversations", None)
    if found is None:
        found = http.app.state.conversations = Conversations()
    assert isinstance(found, Conversations)
    return found


def _found(http: Request, response_id: str, caller: Caller, param: str) -> Kept:
    kept = _conversations(http).find(response_id, caller.owner)
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
            "They are kept in memory for a day at most; send the whole conversation.",
            "回复只在内存中保存至多一天；请发送完整对话。",
        ),
    )


def _input_items(body: ResponseBody, run_id: str) -> list[dict[str, Any]]:
    given = body.input
    if isinstance(given, str):
        content = [{"type": "input_text", "text": given}]
        return [{"id": f"in_{run_id}_0", "type": "message", "role": "user", "status": "completed", "content": content}]
    items = [item.model_dump(exclude_none=True) for item in given]
    return [{"id": f"in_{run_id}_{place}", **item} for place, item in enumerate(items)]
