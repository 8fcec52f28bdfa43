"""What can be asked of a picture model; the fields are CLI options, HTTP schema and form at once."""

from typing import Any, Literal, Self

from pydantic import Field

from inkseal.core.types import Message, Request

MAX_SIDE_PX = 4096
"""No picture is ever larger on a side, whatever the engine can make: memory is always bounded."""


class ImageRequest(Request):
    """A description to be drawn by a picture model. The prompt is the last user turn.

    What the chosen model cannot do (a style it was not trained on, a size it cannot make) is `Unsupported`, said by its
    engine before the first chunk. The engine yields, for each of the `n` results, one chunk whose `data` is a whole PNG
    without metadata and whose finish reason is "stop".
    """

    modality: Literal["image"] = "image"
    model: str = Field(
        "picture",
        max_length=200,
        description="Name of the model.",
        json_schema_extra={"zh": "模型名称。", "zh_title": "模型"},
    )
    style: str = Field(
        "",
        max_length=64,
        pattern=r"^[a-z0-9_.-]*$",
        description="A style that the model's card lists; none when empty.",
        json_schema_extra={"zh": "模型卡列出的风格；为空则不指定。", "zh_title": "风格"},
    )
    steps: int = Field(
        0,
        ge=0,
        le=100,
        description="Steps from noise to picture; 0 takes the model's own.",
        json_schema_extra={"zh": "从噪声到图片的步数；0 取模型默认值。", "zh_title": "步数"},
    )
    guidance: float | None = Field(
        None,
        ge=0,
        le=20,
        description="How closely the picture follows the prompt; the model's own when absent.",
        json_schema_extra={"zh": "图片贴合提示词的程度；缺省取模型默认值。", "zh_title": "引导强度"},
    )
    candidates: int = Field(
        1,
        ge=1,
        le=16,
        description="Drawn for each result; the one that fits the prompt best, by the model's encoder, is kept.",
        json_schema_extra={"zh": "每个结果先画的张数，由模型的编码器选出最贴合提示的一张。", "zh_title": "候选张数"},
    )
    solver: str = Field(
        "",
        max_length=32,
        pattern=r"^[a-z0-9_]*$",
        description="How the steps are taken; the model's own when empty.",
        json_schema_extra={"zh": "求解器；为空取模型默认值。", "zh_title": "求解器"},
    )
    width_px: int = Field(
        0,
        ge=0,
        le=MAX_SIDE_PX,
        title="Width",
        description="Width in pixels; 0 takes the model's own.",
        json_schema_extra={"zh": "宽度（像素）；0 取模型默认值。", "zh_title": "宽度"},
    )
    height_px: int = Field(
        0,
        ge=0,
        le=MAX_SIDE_PX,
        title="Height",
        description="Height in pixels; 0 takes the model's own.",
        json_schema_extra={"zh": "高度（像素）；0 取模型默认值。", "zh_title": "高度"},
    )

    @property
    def prompt(self) -> str:
        """The text of the last user turn; of the last turn when no user speaks."""
        said = [message.text for message in self.messages if message.role == "user"]
        return said[-1] if said else self.messages[-1].text

    @classmethod
    def of(cls, prompt: str, **fields: Any) -> Self:
        """Returns a request for one user prompt."""
        return cls(messages=(Message.of("user", prompt),), **fields)
