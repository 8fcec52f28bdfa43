"""OpenAI's moderations, answered by this installation's own checks."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from inkseal.core.types import Verdict, new_id
from inkseal.serve.bridge import placed
from inkseal.serve.callers import Creator
from inkseal.serve.routes import _asking as asking
from inkseal.serve.routes._openai_fields import ERRORS
from inkseal.serve.routes._protocol import ProtocolRoute, Wire
from inkseal.studio.guard.explain import explain
from inkseal.studio.studio import Studio

router = APIRouter(prefix="/v1", tags=["openai"], route_class=ProtocolRoute, responses=ERRORS)
MAX_TEXTS = 64

CATEGORIES: dict[str, frozenset[str]] = {
    "harassment": frozenset({"slurs"}),
    "harassment/threatening": frozenset(),
    "hate": frozenset({"slurs"}),
    "hate/threatening": frozenset({"extremism"}),
    "illicit": frozenset({"drugs", "fraud", "cyber_attack", "gambling", "explosives", "weapons", "toxic_agents"}),
    "illicit/violent": frozenset({"explosives", "weapons", "toxic_agents", "extremism"}),
    "self-harm": frozenset({"self_harm_method", "self_harm_distress"}),
    "self-harm/intent": frozenset({"self_harm_distress"}),
    "self-harm/instructions": frozenset({"self_harm_method"}),
    "sexual": frozenset({"explicit", "minors"}),
    "sexual/minors": frozenset({"minors"}),
    "violence": frozenset(),
    "violence/graphic": frozenset(),
}
"""OpenAI's category → those of our sensitive terms that fall under it. Empty: no check here looks for it."""


class TextPart(Wire):
    """A text; pictures are refused by name."""

    type: Annotated[str, Field(max_length=40)]
    text: str | None = None
    image_url: Any = None


class ModerationBody(Wire):
    """Texts to judge. No effect: `model`; the checks of the installation judge."""

    input: str | Annotated[list[str | TextPart], Field(min_length=1, max_length=MAX_TEXTS)]
    model: str | None = None

    def texts(self) -> list[str]:
        """Returns the texts.

        Raises:
            FieldError: a part is no text.
        """
        if isinstance(self.input, str):
            return [self.input]
        texts = []
        for place, part in enumerate(self.input):
            text = part if isinstance(part, str) else part.text if part.type == "text" else None
            if text is None:
                raise asking.not_text(f"input.{place}", part.type if isinstance(part, TextPart) else "str")
            texts.append(text)
        return texts


@router.post("/moderations", response_model=dict[str, Any])
async def create(body: ModerationBody, http: Request, caller: Creator) -> dict[str, Any]:
    """Judges texts as prompts; what no check here looks for is null, not false."""
    results = await placed(http, caller, _judge, http.app.state.studio, body.texts())
    return {"id": f"modr-{new_id()}", "model": "inkseal-checks", "results": results}


def _judge(studio: Studio, texts: list[str]) -> list[dict[str, Any]]:
    return [_result(studio.inspect([text])) for text in texts]


def _result(verdicts: list[Verdict]) -> dict[str, Any]:
    hit = {finding.category: finding.score for verdict in verdicts for finding in verdict.findings}
    judged = {name: bool(ours & hit.keys()) if ours else None for name, ours in CATEGORIES.items()}
    scores = {name: max((hit[c] for c in ours & hit.keys()), default=0.0) for name, ours in CATEGORIES.items()}
    applied: list[Literal["text"]] = ["text"]
    return {
        "flagged": any(verdict.action != "allow" for verdict in verdicts),
        "categories": judged,
        "category_scores": {name: None if judged[name] is None else scores[name] for name in CATEGORIES},
        "category_applied_input_types": {name: applied if CATEGORIES[name] else [] for name in CATEGORIES},
        "inkseal": {
            "not_checked": sorted(name for name, ours in CATEGORIES.items() if not ours),
            "verdicts": [
                {
                    "check": verdict.check,
                    "version": verdict.version,
                    "action": verdict.action,
                    "categories": sorted({finding.category for finding in verdict.findings}),
                    "explanation": explain(verdict),
                }
                for verdict in verdicts
            ],
        },
    }
