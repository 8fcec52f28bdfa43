"""OpenAI's plain completions: a text is continued as it is, without a chat template."""

import json
import time
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from inkseal.core.events import Event, Generated
from inkseal.core.language import say
from inkseal.modalities.text.request import TextRequest
from inkseal.serve.bridge import batches
from inkseal.serve.callers import Creator
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import (
    ERRORS,
    FINISH,
    NO_LOGPROBS,
    NOT_HERE,
    STREAMED,
    SamplingBody,
    usage_body,
)
from inkseal.serve.routes._openai_frames import DONE, OpenAIFrames
from inkseal.serve.routes._outcome import Outcome, gather
from inkseal.serve.routes._protocol import FieldError, ProtocolRoute
from inkseal.serve.routes._several import in_turn
from inkseal.serve.routes._stream import open_stream
from inkseal.serve.sse import quoted

router = APIRouter(prefix="/v1", tags=["openai"], route_class=ProtocolRoute, responses=ERRORS)
DEFAULT_TOKENS = 16
"""OpenAI's own for this route, when the client names no limit."""
MAX_PROMPTS = 64


class CompletionBody(SamplingBody):
    """OpenAI's completion of one prompt or several; see `SamplingBody`."""

    refused: ClassVar = {**SamplingBody.refused, "logprobs": NO_LOGPROBS, "echo": NOT_HERE, "suffix": NOT_HERE}

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=MAX_PROMPTS)]
    best_of: Annotated[int, Field(ge=1, le=16)] | None = None

    @field_validator("prompt", mode="before")
    @classmethod
    def _no_tokens(cls, given: Any) -> Any:
        inner = given[0] if isinstance(given, list) and given else None
        if isinstance(inner, int | list):
            why = say(
                "prompt: token numbers are not taken; send the text, which the model here may cut otherwise.",
                "prompt：不接受词元编号；请发送文本，此处的模型可能有不同的切分。",
            )
            raise PydanticCustomError("unsupported_parameter", why, {"param": "prompt"})
        return given

    def to_requests(self) -> list[TextRequest]:
        """Returns one request for each prompt.

        Raises:
            FieldError: `best_of` asks to throw results away.
        """
        if self.best_of not in (None, self.n or 1):
            what = say("best_of: every result is sealed and none thrown away.", "best_of：结果均会封存，不会丢弃。")
            raise FieldError(what, param="best_of", code="unsupported_parameter")
        texts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        turns = [asking.message("user", [text], "prompt") for text in texts]
        return [asking.request(messages=(turn,), raw_prompt=True, **self.common()) for turn in turns]


@router.post("/completions", response_model=dict[str, Any], responses=STREAMED)
async def create(body: CompletionBody, http: Request, caller: Creator) -> Response:
    """Continues a text, as a whole or as a stream of events; of several each in turn, in the order of OpenAI's."""
    studio, limit = http.app.state.studio, body.max_tokens or DEFAULT_TOKENS
    asked = body.to_requests()
    num_results = len(asked) * asked[0].n

    def run(request: TextRequest) -> AsyncGenerator[list[Event], None]:
        return batches(studio, lambda: asking.fitted(studio, request, limit), caller, http)

    events = in_turn([partial(run, request) for request in asked], asked[0].n)
    if body.stream:
        return await open_stream(events, CompletionFrames(http, body.model, num_results, with_usage=body.wants_usage))
    outcome = await gather(events)
    answer = _head(outcome, body.model) | {
        "choices": [_choice(outcome, index, outcome.text(index)) for index in range(num_results)],
        "usage": usage_body(outcome.usage),
        "inkseal": outcome.field(),
    }
    return JSONResponse(answer, headers=outcome.headers())


def _head(outcome: Outcome, model: str) -> dict[str, Any]:
    return {"id": f"cmpl-{outcome.run_id}", "object": "text_completion", "created": int(time.time()), "model": model}


def _choice(outcome: Outcome, index: int, text: str) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": FINISH[outcome.reason(index)]}


class CompletionFrames(OpenAIFrames):
    """Chunks of a completion; see `ChatFrames` for when the last ones come."""

    def take(self, event: Event) -> bytes:
        """Returns the chunk for an event."""
        self.outcome.take(event)
        if not isinstance(event, Generated) or not event.chunk.text:
            return b""
        if not self._written:
            head = json.dumps(_head(self.outcome, self._model))[:-1].encode()
            self._written = b"data: " + head + b',"choices":[{"text":'
        text, tail = quoted(event.chunk.text), b',"usage":null}\n\n' if self._with_usage else b"}\n\n"
        return b'%b%b,"index":%d,"logprobs":null,"finish_reason":null}]%b' % (
            self._written,
            text,
            event.chunk.index,
            tail,
        )

    def end(self) -> bytes:
        """Returns the finish reasons, the usage if it was asked for, and the end."""
        head = _head(self.outcome, self._model)
        bodies = [head | {"choices": [_choice(self.outcome, index, "")]} for index in range(self._num_results)]
        if self._with_usage:
            bodies = [body | {"usage": None} for body in bodies]
        bodies[-1]["inkseal"] = self.outcome.field()
        if self._with_usage:
            bodies.append(head | {"choices": [], "usage": usage_body(self.outcome.usage)})
        return b"".join(b"data: " + json.dumps(body).encode() + b"\n\n" for body in bodies) + DONE
