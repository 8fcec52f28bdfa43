"""The body of OpenAI's responses, and its way into a `TextRequest`."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from inkseal.core.types import Message
from inkseal.modalities.text.request import Constraint, TextRequest
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import NO_LOGPROBS, NO_REASONING, NOT_HERE, ModelName, TokenLimit
from inkseal.serve.routes._protocol import FieldError, Wire


class InputPart(Wire):
    """A piece of a message. No effect: `annotations`, `logprobs`, and `parsed`, which the client adds."""

    type: Annotated[str, Field(max_length=40)]
    text: str | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None
    parsed: Any = None
    image_url: Any = None
    file_id: Any = None
    file_url: Any = None
    file_data: Any = None
    filename: Any = None
    detail: Any = None


class InputItem(Wire):
    """A message, a call of an earlier answer, or what a called tool said.

    No effect: `id`, `status`, `phase`, and `parsed_arguments`, which the client adds.
    """

    type: Annotated[str, Field(max_length=40)] = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | list[InputPart] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[InputPart] | None = None
    id: str | None = None
    status: str | None = None
    phase: str | None = None
    parsed_arguments: Any = None

    def to_message(self, param: str) -> Message:
        """Returns the core's message.

        Raises:
            FieldError: a field is missing, or the item is of a kind that is not taken.
        """
        if self.type == "message":
            if self.role is None or self.content is None:
                raise asking.missing(f"{param}.{'role' if self.role is None else 'content'}")
            role = "system" if self.role == "developer" else self.role
            return asking.message(role, _texts(self.content, f"{param}.content"), param)
        if self.type == "function_call":
            if not self.call_id or not self.name or self.arguments is None:
                raise asking.missing(f"{param}.call_id/name/arguments")
            call = asking.tool_call(self.call_id, self.name, self.arguments, f"{param}.arguments")
            return asking.message("assistant", [], param, tool_calls=(call,))
        if self.type == "function_call_output":
            if not self.call_id or self.output is None:
                raise asking.missing(f"{param}.call_id/output")
            return asking.message("tool", _texts(self.output, f"{param}.output"), param, tool_call_id=self.call_id)
        raise asking.not_text(param, self.type)


class ResponseTool(Wire):
    """A function; `strict` has no effect: a forced call always meets its schema."""

    type: Annotated[str, Field(max_length=40)]
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChosenFunction(Wire):
    """The one function that must be called."""

    type: Literal["function"]
    name: str


class TextFormat(Wire):
    """What the answer must look like; `strict` has no effect: the answer always meets the schema."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class TextConfig(Wire):
    """How the text comes."""

    refused: ClassVar = {"verbosity": NOT_HERE}

    format: TextFormat | None = None


class ResponseStreamOptions(Wire):
    """No effect: nothing is obfuscated."""

    include_obfuscation: bool | None = None


class ResponseBody(Wire):
    """OpenAI's response.

    No effect: `user`, `metadata` (given back), `parallel_tool_calls`, `service_tier`, `safety_identifier`,
    `prompt_cache_key`, `prompt_cache_retention`, `truncation` (a prompt is never cut), `include`. Ours: `seed`.
    """

    refused: ClassVar = {
        "background": NOT_HERE,
        "conversation": ("use `previous_response_id`.", "请使用 `previous_response_id`。"),
        "prompt": NOT_HERE,
        "reasoning": NO_REASONING,
        "top_logprobs": NO_LOGPROBS,
        "max_tool_calls": NOT_HERE,
        "context_management": NOT_HERE,
        "moderation": NOT_HERE,
        "chat_template_kwargs": ("a request may not steer the template.", "请求不得控制模板。"),
        "chat_template": ("a request may not bring a template.", "请求不得自带模板。"),
    }

    model: ModelName
    input: str | Annotated[list[InputItem], Field(min_length=1, max_length=asking.MAX_MESSAGES)]
    instructions: str | None = None
    max_output_tokens: TokenLimit = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    previous_response_id: Annotated[str, Field(max_length=64)] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: ResponseStreamOptions | None = None
    text: TextConfig | None = None
    tools: Annotated[list[ResponseTool], Field(max_length=128)] | None = None
    tool_choice: Literal["auto", "none", "required"] | ChosenFunction | None = None
    parallel_tool_calls: bool | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None
    include: list[str] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None

    def turns(self) -> list[Message]:
        """Returns the messages that this body adds to the conversation."""
        if isinstance(self.input, str):
            return [asking.message("user", [self.input], "input")]
        return joined([item.to_message(f"input.{place}") for place, item in enumerate(self.input)])

    def to_request(self, before: Sequence[Message], turns: Sequence[Message]) -> TextRequest:
        """Returns the request: instructions, what was said before, and the new turns."""
        first = [asking.message("system", [self.instructions], "instructions")] if self.instructions else []
        tools = [self._tool(tool, f"tools.{place}") for place, tool in enumerate(self.tools or ())]
        choice = self.tool_choice.name if isinstance(self.tool_choice, ChosenFunction) else self.tool_choice
        return asking.request(
            messages=(*first, *joined([*before, *turns])),
            model=self.model,
            seed=self.seed,
            sampling=asking.sampling(temperature=self.temperature, top_p=self.top_p),
            tools=tuple(tools),
            tool_choice=asking.tool_choice(choice or "auto", tools),
            constraint=self._constraint(),
        )

    def _tool(self, tool: ResponseTool, param: str) -> Any:
        if tool.type != "function":
            what = f"{param}: {tool.type}"
            raise FieldError(what, param=param, code="unsupported_parameter")
        return asking.tool_spec(tool.name, tool.description, tool.parameters, param)

    def _constraint(self) -> Constraint | None:
        wanted = self.text.format if self.text else None
        if wanted is None or wanted.type == "text":
            return None
        if wanted.type == "json_object":
            return asking.JSON_OBJECT
        return asking.schema_constraint(wanted.schema_, "text.format.schema")


def joined(messages: Sequence[Message]) -> list[Message]:
    """Returns the messages with an answer's text and its calls, which come as items of their own, in one turn."""
    turns: list[Message] = []
    for message in messages:
        last = turns[-1] if turns else None
        if last is not None and last.role == message.role == "assistant" and message.tool_calls:
            both = {"parts": last.parts + message.parts, "tool_calls": last.tool_calls + message.tool_calls}
            turns[-1] = last.model_copy(update=both)
        else:
            turns.append(message)
    return turns


def _texts(content: str | list[InputPart], param: str) -> list[str]:
    if isinstance(content, str):
        return [content]
    texts = []
    for place, part in enumerate(content):
        text = part.refusal if part.type == "refusal" else part.text
        if part.type not in ("input_text", "output_text", "text", "refusal") or text is None:
            raise asking.not_text(f"{param}.{place}", part.type)
        texts.append(text)
    return texts
