"""Looks at pictures that were made: nudity and sex, by a small classifier. Says so when it could not look.

Knows nothing of violence, hate or self-harm; what was asked for is the prompt checks' matter.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.language import say
from inkseal.core.types import Action, Finding, MediaPart, Part, Stage, Verdict
from inkseal.studio.guard.judge import verdict_of
from inkseal.studio.guard.picture_safety import PictureSafety


class ImageSafetyConfig(ComponentConfig):
    """From which score on a picture is noted or withheld."""

    block_score: float = Field(
        0.8, gt=0, le=1, description="Score from which it is withheld.", json_schema_extra={"zh": "达到此分数则拦截。"}
    )
    flag_score: float = Field(
        0.4, gt=0, le=1, description="Score from which it is noted.", json_schema_extra={"zh": "达到此分数则提示。"}
    )
    unchecked_action: Action = Field(
        "flag",
        description="For a picture while the classifier is not on this machine.",
        json_schema_extra={"zh": "本机没有分类器时对图片的处理。"},
    )


class ImageSafety:
    """Blocks pictures of nudity or sex; without its model it says of every picture that it was not checked.

    Args:
        picture_safety: the classifier; absent while the model is not on this machine.
    """

    name: ClassVar[str] = "image_safety"
    version: ClassVar[str] = "1"
    stages: ClassVar[frozenset[Stage]] = frozenset({"result"})
    needs: ClassVar[frozenset[str]] = frozenset({"picture_safety"})
    config: ClassVar[type[ComponentConfig]] = ImageSafetyConfig

    def __init__(
        self, config: ComponentConfig, *, picture_safety: PictureSafety | None = None, **resources: Any
    ) -> None:
        self._config = cast(ImageSafetyConfig, config)
        self._model = picture_safety
        self._version = f"{self.version}+open-nsfw" if picture_safety else f"{self.version}+not-checked"

    def inspect(self, parts: Sequence[Part], stage: Stage) -> Verdict:
        """Returns the verdict on the pictures among the parts; words are not its matter."""
        pictures = [(index, part) for index, part in enumerate(parts) if isinstance(part, MediaPart) and part.data]
        return verdict_of(self.name, self._version, stage, self._judged(pictures))

    def unfinished(self, text: str) -> int:
        """Returns 0: text is not its matter."""
        return 0

    def _judged(self, pictures: Sequence[tuple[int, MediaPart]]) -> Iterator[tuple[Finding, Action]]:
        for index, part in pictures:
            if self._model is None:
                missing = Finding(rule="image_safety.not_checked", category="not_checked", part=index, score=0)
                yield missing, self._config.unchecked_action
                continue
            score = round(self._model.score(part.data), 4)
            if score >= self._config.flag_score:
                action: Action = "block" if score >= self._config.block_score else "flag"
                yield Finding(rule="image_safety.nudity", category="nudity", part=index, score=score), action

    @staticmethod
    def explain(finding: Finding) -> str:
        """Says in the current language what was seen, or that nobody looked."""
        if finding.category == "not_checked":
            return say(
                "this picture was not checked: the classifier is not here (inkseal models pull open-nsfw)",
                "此图片未经检查：本机没有分类器（inkseal models pull open-nsfw）",
            )
        return say(f"nudity or sex (score {finding.score:.2f})", f"裸露或色情内容（分数 {finding.score:.2f}）")
