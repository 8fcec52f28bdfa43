"""The body of a chat completion, and its way into a `TextRequest`."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from inkseal.core.types import Message
from inkseal.modalities.text.request import Constraint, TextRequest
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import (
    NO_LOGPROBS,
    NO_REASONING,
    NOT_HERE,
    FunctionBody,
    SamplingBody,
    SchemaBody,
    TokenLimit,
)
from inkseal.serve.routes._protocol import Wire


class ContentPart(Wire):
    """A piece of a message; only text is taken, the fields of the others are known to be refused by name."""

    type: Annotated[str, Field(max_length=40)]
    text: str | None = None
    refusal: str | None = None
    image_url: Any = None
    input_audio: Any = None
    file: Any = None


class CallBody(Wire):
    """A call inside an earlier answer."""

    class Function(Wire):
        """What was called; `arguments` is JSON. No effect: `parsed_arguments`, which the client adds."""

        name: str
        arguments: str
        parsed_arguments: Any = None

    id: str
    type: Literal["function"] = "function"
    function: Function
    index: int | None = None


class MessageBody(Wire):
    """One turn. No effect: `name`, `annotations`, and `parsed`, which the client adds to an answer."""

    refused: ClassVar = {"function_call": NOT_HERE, "audio": NOT_HERE}

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    parsed: Any = None
    tool_calls: Annotated[list[CallBody], Field(max_length=128)] | None = None
    tool_call_id: str | None = None

    def to_message(self, param: str) -> Message:
        """Returns the core's message.

        Raises:
            FieldError: no content, a part that is no text, or a tool's answer that names no call.
        """
        role = "system" if self.role == "developer" else self.role
        if self.content is None and not (role == "assistant" and (self.tool_calls or self.refusal)):
            raise asking.missing(f"{param}.content")
        if role == "tool" and not self.tool_call_id:
            raise asking.missing(f"{param}.tool_call_id")
        if self.tool_calls and role != "assistant":
            raise asking.misplaced(f"{param}.tool_calls")
        calls = tuple(
            asking.tool_call(
                call.id, call.function.name, call.function.arguments, f"{param}.tool_calls.{place}.function.arguments"
            )
            for place, call in enumerate(self.tool_calls or ())
        )
        fields = {"tool_calls": calls, "tool_call_id": self.tool_call_id if role == "tool" else None}
        return asking.message(role, self._texts(param), param, **fields)

    def _texts(self, param: str) -> list[str]:
        if not isinstance(self.content, list):
            return [self.content or self.refusal or ""]
        texts = []
        for place, part in enumerate(self.content):
            text = {"text": part.text, "refusal": part.refusal}.get(part.type)
            if text is None:
                raise asking.not_text(f"{param}.content.{place}", part.type)
            texts.append(text)
        return texts


class ToolBody(Wire):
    """A tool that the model may call."""

    type: Literal["function"]
    function: FunctionBody


class ToolChoiceBody(Wire):
    """The one tool that must be called."""

    class Named(Wire):
        """Its name."""

        name: str

    type: Literal["function"]
    function: Named


class ResponseFormat(Wire):
    """What the answer must look like."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaBody | None = None

    def constraint(self) -> Constraint | None:
        """Returns the constraint; None for free text."""
        if self.type == "text":
            return None
        if self.type == "json_object":
            return asking.JSON_OBJECT
        schema = self.json_schema.schema_ if self.json_schema else None
        return asking.schema_constraint(schema, "response_format.json_schema.schema")


class ChatBody(SamplingBody):
    """OpenAI's chat completion; see `SamplingBody`. No effect besides: `parallel_tool_calls`."""

    refused: ClassVar = {
        **SamplingBody.refused,
        "logprobs": NO_LOGPROBS,
        "top_logprobs": NO_LOGPROBS,
        "reasoning_effort": NO_REASONING,
        "audio": NOT_HERE,
        "prediction": NOT_HERE,
        "web_search_options": NOT_HERE,
        "moderation": NOT_HERE,
        "verbosity": NOT_HERE,
        "functions": ("use `tools`.", "请使用 `tools`。"),
        "function_call": ("use `tool_choice`.", "请使用 `tool_choice`。"),
    }

    messages: Annotated[list[MessageBody], Field(min_length=1, max_length=asking.MAX_MESSAGES)]
    max_completion_tokens: TokenLimit = None
    modalities: list[Literal["text"]] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[ToolBody], Field(max_length=128)] | None = None
    tool_choice: Literal["auto", "none", "required"] | ToolChoiceBody | None = None
    parallel_tool_calls: bool | None = None

    def to_request(self) -> TextRequest:
        """Returns the request; the answer's limit is left to `fitted`.

        Raises:
            FieldError: names what cannot be taken.
        """
        tools = [
            asking.tool_spec(tool.function.name, tool.function.description, tool.function.parameters, f"tools.{place}")
            for place, tool in enumerate(self.tools or ())
        ]
        choice = self.tool_choice.function.name if isinstance(self.tool_choice, ToolChoiceBody) else self.tool_choice
        return asking.request(
            messages=tuple(turn.to_message(f"messages.{place}") for place, turn in enumerate(self.messages)),
            tools=tuple(tools),
            tool_choice=asking.tool_choice(choice or "auto", tools),
            constraint=self.response_format.constraint() if self.response_format else None,
            **self.common(),
        )

    @property
    def limit(self) -> int | None:
        """The longest answer in tokens, where the client names one."""
        return self.max_completion_tokens or self.max_tokens
