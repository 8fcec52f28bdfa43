"""The numbers that make a network: what a recipe chooses and a model card keeps. Needs no torch."""

from typing import Self

from pydantic import Field, model_validator

from inkseal.core.config import ComponentConfig


class ConvolutionalShape(ComponentConfig):
    """Widths of the three resolutions: 1/2, 1/4 and 1/8 of the picture."""

    widths: tuple[int, int, int] = Field((64, 128, 192), description="Channels at 1/2, 1/4 and 1/8.")
    groups: int = Field(8, ge=1, description="Groups of each group norm.")

    @model_validator(mode="after")
    def _in_equal_groups(self) -> Self:
        if any(width < 1 or width % self.groups for width in self.widths):
            raise ValueError(f"widths {self.widths} are not multiples of groups = {self.groups}")
        return self


class AutoencoderShape(ConvolutionalShape):
    """How deep each resolution is, and the latent."""

    encoder_blocks: tuple[int, int, int] = Field((1, 2, 2), description="Residual blocks while going down.")
    decoder_blocks: tuple[int, int, int] = Field((2, 2, 3), description="Residual blocks while going up.")
    latent_channels: int = Field(16, ge=1, description="Channels of a latent; its side is 1/8 of the picture's.")


class ConditionShape(ComponentConfig):
    """What a picture is made from: a caption's vector, its words' vectors, and a style."""

    text_width: int = Field(512, ge=1, description="Width of the text vectors.")
    num_tokens: int = Field(9, ge=1, description="Vectors a caption has: one for the whole, the rest for its words.")
    num_styles: int = Field(16, ge=1, description="Styles, style 0 (any) included.")


class DiffusionTransformerShape(ConditionShape):
    """A transformer over the patches of a latent."""

    channels: int = Field(16, ge=1, description="Channels of the latent.")
    side: int = Field(8, ge=1, description="Side of the latent in pixels.")
    patch: int = Field(1, ge=1, description="Side of a patch in latent pixels.")
    width: int = Field(320, ge=1)
    depth: int = Field(9, ge=0, description="Number of blocks; without any, the sketch does it alone.")
    heads: int = Field(5, ge=1)
    mlp_ratio: float = Field(4.0, gt=0, description="Width of the inner layer over the width.")
    sketch_width: int = Field(0, ge=0, description="Width of the perceptron over the whole latent; 0 for none.")
    sketch_depth: int = Field(3, ge=0, description="Its residual layers.")

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not self.depth and not self.sketch_width:
            raise ValueError("needs depth or sketch_width")
        if self.width % self.heads:
            raise ValueError(f"width = {self.width} is no multiple of heads = {self.heads}")
        if self.side % self.patch:
            raise ValueError(f"side = {self.side} is no multiple of patch = {self.patch}")
        return self


class ConditionalShape(ConditionShape, ConvolutionalShape):
    """A network that makes a whole 64-pixel picture from one vector of noise and a condition."""

    noise_width: int = Field(128, ge=1, description="Numbers of the noise or latent vector.")
    condition_width: int = Field(192, ge=1, description="Width of the vector that the condition becomes.")
    blocks: tuple[int, int, int] = (1, 1, 2)
    side: int = Field(64, ge=8, description="Side of the picture in pixels.")


class TextImageShape(ConvolutionalShape):
    """Two towers into one space."""

    text_width: int = 512
    widths: tuple[int, int, int] = (32, 64, 128)
    blocks: tuple[int, int, int] = (1, 1, 2)
    shared_width: int = Field(128, ge=1, description="Width of the space that pictures and texts share.")
