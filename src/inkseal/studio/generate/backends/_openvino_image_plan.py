"""Settles what a picture request leaves to the model, and refuses what the model cannot do."""

from difflib import get_close_matches
from typing import Any, NamedTuple

from inkseal.core.errors import Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import Solver
from inkseal.core.types import Request
from inkseal.formats.picture_model import PictureModel
from inkseal.modalities.image.request import ImageRequest
from inkseal.studio.generate.diffusion.solvers import solvers

GROWTH = 4
"""How many times larger a side the enlarging model makes."""
MOST_ENLARGED = 2
"""How often in a row it is asked."""


class Plan(NamedTuple):
    """Everything that decides the pictures besides prompt and seed.

    Attributes:
        style: number of the style; 0 is any.
        enlarged: how often the picture is enlarged after it is drawn.
        candidates: how many are drawn for each result.
    """

    steps: int
    guidance: float
    autoguidance: float
    solver: Solver
    style: int
    enlarged: int
    candidates: int

    def told(self) -> dict[str, Any]:
        """Returns what a result's record says of how it was drawn."""
        return {
            "steps": self.steps,
            "guidance": self.guidance,
            "autoguidance": self.autoguidance,
            "solver": self.solver.name,
        }


def image_request(request: Request) -> ImageRequest:
    """Returns the request if it asks for a picture.

    Raises:
        Unsupported: it asks for something else, or for a watermark.
    """
    if not isinstance(request, ImageRequest):
        raise Unsupported(
            say(f"A picture model cannot make {request.modality}.", f"图片模型无法生成 {request.modality}。")
        )
    if request.watermark not in ("auto", "none"):
        raise Unsupported(
            say(f"This engine puts in no watermark {request.watermark!r}.", f"该引擎不支持水印 {request.watermark!r}。")
        )
    return request


def settle(request: ImageRequest, facts: PictureModel) -> Plan:
    """Returns the plan of a request.

    Raises:
        Unsupported: the model has no such style, there is no such solver, or it cannot make the size.
    """
    solver = request.solver or facts.solver
    if solver not in solvers:
        raise Unsupported(
            say(f"There is no solver {solver!r}.", f"没有求解器 {solver!r}。"), fix=_offer(solver, list(solvers))
        )
    return Plan(
        request.steps or facts.steps,
        facts.guidance if request.guidance is None else request.guidance,
        facts.autoguidance,
        solvers[solver](),
        _style(request.style, facts),
        _enlarged(request, facts.side_px),
        request.candidates,
    )


def _style(name: str, facts: PictureModel) -> int:
    if not name:
        return 0
    if name not in facts.styles:
        raise Unsupported(
            say(f"The model knows no style {name!r}.", f"模型没有风格 {name!r}。"), fix=_offer(name, list(facts.styles))
        )
    return facts.styles.index(name) + 1


def _enlarged(request: ImageRequest, side_px: int) -> int:
    width = request.width_px or request.height_px or side_px
    height = request.height_px or width
    sides = [side_px * GROWTH**times for times in range(MOST_ENLARGED + 1)]
    if width != height or width not in sides:
        known = ", ".join(f"{side}×{side}" for side in sides)
        raise Unsupported(
            say(f"The model makes no {width}×{height} pixels.", f"模型不能生成 {width}×{height} 像素。"),
            fix=say(f"It makes {known}.", f"可生成 {known}。"),
        )
    return sides.index(width)


def _offer(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.4) or known
    return say(f"Nearest: {', '.join(near)}.", f"最接近的有：{'、'.join(near)}。") if near else ""
