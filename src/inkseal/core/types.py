"""The values that every room agrees on; closed and frozen, so that a misspelt field is an error."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from inkseal.core.clock import steady_ns

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ArtifactId = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{26}$")]
Regime = Literal["none", "cn", "eu", "both"]
Stage = Literal["prompt", "result"]
Action = Literal["allow", "flag", "redact", "block"]
FinishReason = Literal["stop", "length", "tool_calls", "cancelled", "blocked"]


class Closed(BaseModel):
    """A frozen model that refuses unknown fields and non-finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Origin(StrEnum):
    """Where a part of a prompt comes from; decides how far it is trusted."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    DOCUMENT = "document"
    TOOL = "tool"
    WEB = "web"

    @property
    def trusted(self) -> bool:
        """False for what nobody here wrote: documents, tool results, web pages."""
        return self not in (Origin.DOCUMENT, Origin.TOOL, Origin.WEB)


class Part(Closed):
    """One piece of a message: text, or a reference to a stored artifact."""

    text: str = ""
    artifact: ArtifactId | None = None
    media_type: str = "text/plain"
    origin: Origin = Origin.USER


class MediaPart(Part):
    """A part whose bytes are at hand, for checks that look at more than words; in no request and no record."""

    data: bytes = b""


class ToolCall(Closed):
    """A model's wish to call a tool; `arguments` is a JSON object."""

    id: str
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    arguments: dict[str, Any]


class Message(Closed):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @classmethod
    def of(cls, role: Literal["system", "user", "assistant", "tool"], text: str) -> Self:
        """Returns a message of one text part whose origin is the role."""
        return cls(role=role, parts=(Part(text=text, origin=Origin(role)),))

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


class Request(Closed):
    """What every modality's request has; the same model is CLI options, HTTP schema, form and recipe."""

    modality: str
    messages: tuple[Message, ...] = Field(min_length=1)
    model: str = Field(
        "default",
        max_length=200,
        description="Name of the model.",
        json_schema_extra={"zh": "模型名称。", "zh_title": "模型"},
    )
    n: int = Field(
        1,
        ge=1,
        le=16,
        title="Results",
        description="How many results.",
        json_schema_extra={"zh": "结果个数。", "zh_title": "结果数"},
    )
    seed: int | None = Field(
        None,
        ge=0,
        lt=2**32,
        description="Same seed, same result; drawn when absent.",
        json_schema_extra={"zh": "随机种子；相同种子得到相同结果，缺省时随机选取。", "zh_title": "随机种子"},
    )
    timeout_seconds: float = Field(
        600,
        gt=0,
        le=86400,
        description="Longest time for the run.",
        json_schema_extra={"zh": "最长运行时间（秒）。", "zh_title": "时限"},
    )
    regime: Regime | None = Field(
        None,
        description="Labelling regime: none, cn, eu, both.",
        json_schema_extra={"zh": "标识制度：none、cn、eu、both。", "zh_title": "标识制度"},
    )
    watermark: str = Field(
        "auto",
        pattern=r"^[a-z0-9_]{1,32}$",
        description="Invisible mark: auto (where the regime asks and the engine can), none, or its name.",
        json_schema_extra={"zh": "隐形水印：auto（制度要求且引擎支持时）、none 或水印名称。"},
    )
    parents: tuple[ArtifactId, ...] = Field((), description="Artifacts this one is made from.")


class Chunk(Closed):
    """A streamed piece of one of the `n` results."""

    index: int = 0
    text: str = ""
    data: bytes = b""
    num_tokens: int = 0
    progress: float | None = Field(None, ge=0, le=1, exclude_if=lambda value: value is None)
    """How much of the result is made, of what shows nothing before its end."""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason | None = None
    stopped_by: str = ""
    """The stop string that ended the result, where one did."""


class Energy(Closed):
    """Energy of a run. `formula` says how an estimate was made."""

    energy_joules: float
    kind: Literal["measured", "estimated"]
    formula: str = ""


class Usage(Closed):
    """What a run cost."""

    prompt_tokens: int = 0
    cached_tokens: int | None = None
    completion_tokens: int = 0
    first_chunk_seconds: float | None = None
    total_seconds: float = 0.0
    peak_memory_bytes: int | None = None
    """Of the process that ran the model, since it began."""
    energy: Energy | None = None
    reported: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        exclude_if=lambda value: not value,
        description="What the engine says of this run: a provider's name of the model, a watermark's parameters.",
    )


class Finding(Closed):
    """One hit of a check: where, by which rule, and what would replace it. Never holds the text that was hit."""

    rule: str
    category: str
    part: int = 0
    start: int = 0
    end: int = 0
    score: float = 1.0
    replacement: str | None = None
    action: Action | None = None
    """What this hit alone leads to; None: the verdict's action."""


class Verdict(Closed):
    """What one check says of a prompt or a result."""

    check: str
    version: str
    stage: Stage
    action: Action
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0


class WatermarkScore(Closed):
    """What a detector finds. `p_value`: how likely so much or more is in a text made without the key."""

    watermark: str
    num_tokens: int
    score: float
    expected: float
    z: float
    p_value: float


Columns = Mapping[str, Any]
"""What metrics look at: arrays of as many rows each, by what they hold; see `Metric`."""


class Score(Closed):
    """What a metric says of a number of made things."""

    value: float
    num_rows: int
    warning: str = ""
    """What must be said beside it, such as that there are too few rows."""


class Drawing(Closed):
    """One picture of a collection as it was published, before anything is done to it."""

    member: str
    """Where it lies in the archive: the member's name, and `#name` for one of several in a member."""
    svg: str
    title: str
    """In English, as its author or file calls it."""
    emoji: str = ""
    """Code points in hexadecimal, joined by `-`, when it draws an emoji."""
    author: str = ""
    category: str = ""
    keywords: tuple[str, ...] = ()


class Found(Closed):
    """A mark that was read back from a file or a text."""

    mark: str
    state: str
    """"valid", "changed" or "present" (nothing to check it by)."""
    artifact_id: str | None = None
    content_sha256: str | None = None
    manifest_sha256: str | None = None
    issuer: str | None = None
    details: dict[str, Any] = {}


class Likeness(Closed):
    """How one content is related to a recorded one."""

    relation: Literal["exact", "copy", "edited", "similar", "different"]
    """"copy" is compressed or resized, "edited" changed, cut or extended; "similar" says nothing of origin."""
    shared: float
    """Part of the smaller one's traces that both have, 0 to 1."""
    num_shared: int


class Artifact(Closed):
    """A produced or ingested piece of media; the content is found by its hash."""

    id: ArtifactId
    modality: str
    media_type: str
    sha256: Sha256
    size_bytes: int
    created_at: datetime
    title: str = ""
    parents: tuple[ArtifactId, ...] = ()


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """Returns 26 characters that sort by time: 48 bits of milliseconds, 80 random bits (the ULID layout).

    Those of one process stay in order when somebody sets the clock.
    """
    number = (steady_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def now() -> datetime:
    """Returns the current time in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
