"""The fields that OpenAI's chat and completion bodies share, and how errors look there."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from inkseal.core.types import Closed, Usage
from inkseal.modalities.text.request import Sampling
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._protocol import Wire

ModelName = Annotated[str, Field(min_length=1, max_length=200)]
StopText = Annotated[str, Field(min_length=1, max_length=200)]
Stops = StopText | Annotated[list[StopText], Field(max_length=asking.MAX_STOPS)] | None
TokenLimit = Annotated[int, Field(ge=1, le=131072)] | None

NO_LOGPROBS = ("the engines report no probabilities.", "引擎不提供概率。")
NOT_HERE = ("not supported.", "不支持。")
NO_REASONING = ("no model here reasons before it answers.", "这里的模型不支持推理设置。")


class OpenAIErrorBody(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(BaseModel):
    """An error as OpenAI's clients read it."""

    error: OpenAIErrorBody


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": OpenAIError, "description": "The request was refused."},
    "5XX": {"model": OpenAIError, "description": "The server could not do it."},
}

STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The answer; events when `stream` is set.", "content": {"text/event-stream": {}}}
}


class StreamOptions(Wire):
    """`include_obfuscation` has no effect: nothing is obfuscated."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class SamplingBody(Wire):
    """What chat and completions share.

    No effect: `user`, `store`, `metadata`, `service_tier`, `safety_identifier`, `prompt_cache_key`,
    `prompt_cache_retention`. Ours beside OpenAI's: `top_k`, `min_p`, `repetition_penalty`.
    """

    refused: ClassVar = {
        "chat_template": ("a request may not bring a template.", "请求不得自带模板。"),
        "chat_template_kwargs": ("a request may not steer the template.", "请求不得控制模板。"),
    }

    model: ModelName
    max_tokens: TokenLimit = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1000)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    logit_bias: (
        Annotated[
            dict[Annotated[int, Field(ge=0, lt=2**31)], Annotated[float, Field(ge=-100, le=100)]],
            Field(max_length=1000),
        ]
        | None
    ) = None
    n: Annotated[int, Field(ge=1, le=16)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    stop: Stops = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    store: bool | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None

    def sampling(self) -> Sampling:
        """Returns how tokens are drawn."""
        names = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty")
        fields = {name: getattr(self, name) for name in (*names, "frequency_penalty", "logit_bias")}
        return asking.sampling(**fields)

    def common(self) -> dict[str, Any]:
        """Returns the fields of the `TextRequest` that are named alike."""
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return {
            "model": self.model,
            "n": self.n or 1,
            "seed": self.seed,
            "stop": tuple(stops),
            "sampling": self.sampling(),
        }

    @property
    def wants_usage(self) -> bool:
        """True when a stream shall end with the usage."""
        return bool(self.stream_options and self.stream_options.include_usage)


class FunctionBody(Wire):
    """A function.

    No effect: `strict`, since a forced call always meets its schema, and `type`, which Open WebUI says here once more.
    """

    type: Literal["function"] | None = None
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class SchemaBody(Closed):
    """A JSON schema with its name; `strict` has no effect: the answer always meets the schema."""

    name: str | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


def usage_body(usage: Usage) -> dict[str, Any]:
    """Returns the usage as chat and completions say it."""
    body: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
    if usage.cached_tokens is not None:
        body["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    return body


FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "blocked": "content_filter",
    "cancelled": "length",  # the time was over: cut short, as by a limit
}
