"""What can be asked of a text model; the fields are CLI options, HTTP schema and form at once."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from inkseal.core.types import Closed, Message, Request

MAX_TOKENS_LIMIT = 131072
"""No answer is ever longer, whatever the model's context: generation is always bounded."""

Stop = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Sampling(Closed):
    """How the next token is drawn. Temperature 0 is greedy."""

    model_config = ConfigDict(json_schema_extra={"zh": "如何抽取下一个词元；温度为 0 时不随机。", "zh_title": "采样"})

    temperature: float = Field(
        0.7,
        ge=0,
        le=2,
        description="0 takes the likeliest token.",
        json_schema_extra={"zh": "0 总取最可能的词元。", "zh_title": "温度"},
    )
    top_p: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Likeliest tokens up to this mass.",
        json_schema_extra={"zh": "保留累计概率。", "zh_title": "核采样 Top-p"},
    )
    top_k: int = Field(
        0,
        ge=0,
        le=1000,
        description="This many likeliest tokens; 0 keeps all.",
        json_schema_extra={"zh": "0 不限。", "zh_title": "候选数 Top-k"},
    )
    min_p: float = Field(
        0,
        ge=0,
        le=1,
        description="Tokens at least this likely, relative to the likeliest.",
        json_schema_extra={"zh": "相对最可能词元的最低概率。", "zh_title": "最低概率 Min-p"},
    )
    repetition_penalty: float = Field(
        1.0,
        gt=0,
        le=2,
        description="Above 1 discourages repetition.",
        json_schema_extra={"zh": "大于 1 抑制重复。", "zh_title": "重复惩罚"},
    )
    presence_penalty: float = Field(
        0,
        ge=-2,
        le=2,
        description="Per token that occurred.",
        json_schema_extra={"zh": "对出现过的词元。", "zh_title": "存在惩罚"},
    )
    frequency_penalty: float = Field(
        0,
        ge=-2,
        le=2,
        description="Per occurrence of a token.",
        json_schema_extra={"zh": "按出现次数。", "zh_title": "频率惩罚"},
    )
    logit_bias: dict[int, float] = Field(
        default_factory=dict,
        max_length=1000,
        description="Token id → bias, as JSON.",
        json_schema_extra={"zh": "词元编号 → 偏置（JSON）。", "zh_title": "词元偏置"},
    )


class Constraint(Closed):
    """What the answer must look like; exactly one of the three."""

    model_config = ConfigDict(json_schema_extra={"zh": "答案须满足的形式，三者取一。", "zh_title": "约束"})

    json_schema: dict[str, Any] | None = Field(
        None,
        description="JSON schema of the answer (JSON or @FILE).",
        json_schema_extra={
            "zh": "答案的 JSON Schema（JSON 或 @文件）。",
            "zh_title": "JSON Schema",
            "option": "schema",
        },
    )
    regex: str | None = Field(
        None,
        min_length=1,
        max_length=10_000,
        description="Regular expression the whole answer matches.",
        json_schema_extra={"zh": "整个答案匹配的正则表达式。", "zh_title": "正则表达式"},
    )
    choice: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="The answer is one of these.",
        json_schema_extra={"zh": "答案只能是其中之一。", "zh_title": "备选答案"},
    )

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
    max_tokens: int = Field(
        1024,
        ge=1,
        le=MAX_TOKENS_LIMIT,
        description="Longest answer, in tokens.",
        json_schema_extra={"zh": "答案的最大词元数。", "zh_title": "最长回答"},
    )
    sampling: Sampling = Sampling()
    stop: tuple[Stop, ...] = Field(
        (),
        max_length=16,
        description="Text that ends the answer and is not part of it.",
        json_schema_extra={"zh": "遇到即停止的文本（不含在答案中）。", "zh_title": "停止文本"},
    )
    constraint: Constraint | None = None
    tools: tuple[ToolSpec, ...] = Field(
        (),
        max_length=128,
        description="Tools, as JSON or @FILE.",
        json_schema_extra={"zh": "工具（JSON 或 @文件）。", "zh_title": "工具"},
    )
    tool_choice: str = Field(
        "auto",
        max_length=64,
        description="auto, none, required or a tool's name.",
        json_schema_extra={"zh": "auto、none、required 或工具名。", "zh_title": "工具选择"},
    )
    raw_prompt: bool = Field(
        False,
        description="Continue the text as it is, without the chat template.",
        json_schema_extra={"zh": "不套用对话模板，直接续写。", "zh_title": "直接续写"},
    )
    top_logprobs: int = Field(
        0,
        ge=0,
        le=20,
        description="Alternatives per token, where the engine has them.",
        json_schema_extra={"zh": "每个词元的候选概率数（引擎支持时）。", "zh_title": "候选概率数"},
    )

    @classmethod
    def of(cls, prompt: str, *, system: str = "", **fields: Any) -> Self:
        """Returns a request for one user prompt."""
        turns = [Message.of("system", system)] if system else []
        return cls(messages=(*turns, Message.of("user", prompt)), **fields)
