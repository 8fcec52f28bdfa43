"""The body of Anthropic's messages, and its way into a `TextRequest`."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from inkseal.core.language import say
from inkseal.core.types import Message
from inkseal.modalities.text.request import Constraint, TextRequest
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import NO_REASONING, NOT_HERE, ModelName, StopText
from inkseal.serve.routes._protocol import FieldError, Wire


class Block(Wire):
    """A piece of a message.

    No effect: `cache_control`, `citations`, `is_error`, `caller`, `toolset_name`, and the client's `parsed_output`.
    """

    type: Annotated[str, Field(max_length=40)]
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: "str | list[Block] | None" = None
    is_error: bool | None = None
    cache_control: Any = None
    citations: Any = None
    caller: Any = None
    toolset_name: Any = None
    parsed_output: Any = None
    source: Any = None
    title: Any = None
    context: Any = None
    thinking: Any = None
    signature: Any = None
    data: Any = None


class Turn(Wire):
    """One turn; a user's may hold results of tools, an assistant's its calls."""

    role: Literal["user", "assistant"]
    content: str | Annotated[list[Block], Field(max_length=1000)]

    def to_messages(self, param: str) -> list[Message]:
        """Returns the core's messages: each result of a tool is one of its own, and comes before the words.

        Raises:
            FieldError: a block is none of text, tool_use, tool_result, or lacks a field.
        """
        if isinstance(self.content, str):
            return [asking.message(self.role, [self.content], param)]
        texts: list[str] = []
        results: list[Message] = []
        calls = []
        for place, block in enumerate(self.content):
            where = f"{param}.content.{place}"
            if block.type == "text" and block.text is not None:
                texts.append(block.text)
            elif block.type == "tool_use" and self.role == "assistant" and block.id and block.name:
                calls.append(asking.tool_call(block.id, block.name, block.input or {}, f"{where}.input"))
            elif block.type == "tool_result" and self.role == "user" and block.tool_use_id:
                said = texts_of(block.content or "", f"{where}.content")
                results.append(asking.message("tool", said, where, tool_call_id=block.tool_use_id))
            elif block.type in ("text", "tool_use", "tool_result"):
                raise asking.misplaced(where)
            else:
                raise asking.not_text(where, block.type)
        if calls:
            return [asking.message("assistant", texts, param, tool_calls=tuple(calls))]
        return [*results, asking.message(self.role, texts, param)] if texts or not results else results


class Tool(Wire):
    """A tool that the model may call. No effect: `cache_control`, `strict`."""

    type: Annotated[str, Field(max_length=40)] | None = None
    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    cache_control: Any = None
    strict: bool | None = None


class ToolChoice(Wire):
    """Which tool; `disable_parallel_tool_use` has no effect: a forced call is always one."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class OutputFormat(Wire):
    """A JSON schema that the answer meets."""

    type: Literal["json_schema"]
    schema_: dict[str, Any] | None = Field(None, alias="schema")


class OutputConfig(Wire):
    """How the answer must look."""

    refused: ClassVar = {"effort": NO_REASONING}

    format: OutputFormat | None = None


class Thinking(Wire):
    """Only `disabled` can be kept."""

    type: Literal["disabled"]


class CountBody(Wire):
    """What is counted. No effect: `cache_control`."""

    refused: ClassVar = {"container": NOT_HERE, "mcp_servers": NOT_HERE, "context_management": NOT_HERE}

    model: ModelName
    messages: Annotated[list[Turn], Field(min_length=1, max_length=asking.MAX_MESSAGES)]
    system: str | Annotated[list[Block], Field(max_length=100)] | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    cache_control: Any = None

    def to_request(self) -> TextRequest:
        """Returns the request.

        Raises:
            FieldError: names what cannot be taken.
        """
        if self.messages[-1].role == "assistant":
            what = say("messages: the last turn must be the user's.", "messages：最后一轮必须来自用户。")
            raise FieldError(what, param=f"messages.{len(self.messages) - 1}.role", code="unsupported_parameter")
        turns = [asking.message("system", texts_of(self.system, "system"), "system")] if self.system else []
        for place, turn in enumerate(self.messages):
            turns += turn.to_messages(f"messages.{place}")
        tools = [self._tool(tool, f"tools.{place}") for place, tool in enumerate(self.tools or ())]
        return asking.request(
            messages=tuple(turns),
            model=self.model,
            tools=tuple(tools),
            tool_choice=asking.tool_choice(self._choice(), tools),
            constraint=self._constraint(),
            **self.options(),
        )

    def options(self) -> dict[str, Any]:
        """Returns the fields that only an answer has."""
        return {}

    def _tool(self, tool: Tool, param: str) -> Any:
        if tool.type not in (None, "custom"):
            raise FieldError(f"{param}: {tool.type}", param=param, code="unsupported_parameter")
        return asking.tool_spec(tool.name, tool.description, tool.input_schema, param)

    def _choice(self) -> str:
        choice = self.tool_choice
        if choice is None:
            return "auto"
        if choice.type == "tool" and not choice.name:
            raise asking.missing("tool_choice.name")
        return {"any": "required", "tool": choice.name or ""}.get(choice.type, choice.type)

    def _constraint(self) -> Constraint | None:
        wanted = self.output_config.format if self.output_config else None
        return asking.schema_constraint(wanted.schema_, "output_config.format.schema") if wanted else None


class MessageBody(CountBody):
    """Anthropic's message. No effect besides: `metadata`, `service_tier`. Ours: `seed`."""

    max_tokens: Annotated[int, Field(ge=1, le=131072)]
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1000)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    stop_sequences: Annotated[list[StopText], Field(max_length=asking.MAX_STOPS)] | None = None
    stream: bool | None = None
    metadata: dict[str, Any] | None = None
    service_tier: Literal["auto", "standard_only"] | None = None

    def options(self) -> dict[str, Any]:
        """Returns the fields that only an answer has."""
        drawn = asking.sampling(temperature=self.temperature, top_p=self.top_p, top_k=self.top_k)
        return {
            "max_tokens": self.max_tokens,
            "sampling": drawn,
            "seed": self.seed,
            "stop": tuple(self.stop_sequences or ()),
        }


def texts_of(content: "str | list[Block]", param: str) -> list[str]:
    """Returns the texts of a content that may hold nothing else.

    Raises:
        FieldError: it holds something else.
    """
    if isinstance(content, str):
        return [content]
    texts = []
    for place, block in enumerate(content):
        if block.type != "text" or block.text is None:
            raise asking.not_text(f"{param}.{place}", block.type)
        texts.append(block.text)
    return texts
