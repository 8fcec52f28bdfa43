"""What can be asked of a text model; the fields are CLI options, HTTP schema and form at once."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from inkseal.core.types import Closed, Message, Request

MAX_TOKENS_LIMIT = 131072
"""No answer is ever longer, whatever the model's context: generation is always bounded."""

Stop = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Sampling(Closed):
    """How the next token is drawn. Temperature 0 is greedy."""

    temperature: float = Field(0.7, ge=0, le=2)
    top_p: float = Field(0.95, gt=0, le=1)
    top_k: int = Field(0, ge=0, le=1000, description="0 keeps all.")
    min_p: float = Field(0, ge=0, le=1)
    repetition_penalty: float = Field(1.0, gt=0, le=2, description="1 is off.")
    presence_penalty: float = Field(0, ge=-2, le=2)
    frequency_penalty: float = Field(0, ge=-2, le=2)
    logit_bias: dict[int, float] = Field(default_factory=dict, max_length=1000)


class Constraint(Closed):
    """What the answer must look like; exactly one of the three."""

    json_schema: dict[str, Any] | None = None
    regex: str | None = Field(None, min_length=1, max_length=10_000)
    choice: tuple[str, ...] | None = Field(None, min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.json_schema, self.regex, self.choice)) != 1:
            raise ValueError("give exactly one of json_schema, regex, choice")
        return self


class ToolSpec(Closed):
    """A tool that the model may ask for; `parameters` is a JSON schema."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: str = Field("", max_length=10_000)
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})


class TextRequest(Request):
    """A prompt or conversation to be continued by a text model."""

    modality: Literal["text"] = "text"
    max_tokens: int = Field(1024, ge=1, le=MAX_TOKENS_LIMIT, description="Longest answer, in tokens.")
    sampling: Sampling = Sampling()
    stop: tuple[Stop, ...] = Field((), max_length=16, description="Strings that end the answer; not part of it.")
    constraint: Constraint | None = None
    tools: tuple[ToolSpec, ...] = Field((), max_length=128)
    tool_choice: Literal["auto", "none", "required"] | str = "auto"
    raw_prompt: bool = Field(False, description="Continue the text as it is, without the chat template.")
    top_logprobs: int = Field(0, ge=0, le=20, description="Alternatives per token, where the engine has them.")

    @classmethod
    def of(cls, prompt: str, *, system: str = "", **fields: Any) -> Self:
        """Returns a request for one user prompt."""
        turns = [Message.of("system", system)] if system else []
        return cls(messages=(*turns, Message.of("user", prompt)), **fields)
