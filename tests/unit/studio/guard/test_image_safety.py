"""The check of pictures: what it makes of scores, of a missing model, and of harmless pictures with the real one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conftest import MODELS, leave_out
from inkseal.catalog.catalog import Catalog
from inkseal.core.errors import FetchFailed, InvalidRequest, ModelFileRefused
from inkseal.core.types import MediaPart, Part
from inkseal.studio.guard.checks.image_safety import ImageSafety, ImageSafetyConfig
from inkseal.studio.guard.picture_safety import PictureSafety, pixels
from picture_file_maker import picture_file


class Scoring:
    """Gives every picture the same score."""

    def __init__(self, score: float) -> None:
        self._score = score

    def score(self, data: bytes) -> float:
        return self._score


def judged(score: float | None, **config: Any) -> Any:
    model: Any = None if score is None else Scoring(score)
    check = ImageSafety(ImageSafetyConfig.model_validate(config), picture_safety=model)
    return check.inspect([Part(text="words"), MediaPart(data=b"a picture")], "result")


@pytest.fixture(scope="module")
def real() -> PictureSafety:
    try:
        return PictureSafety(Catalog(MODELS).pull("open-nsfw"))
    except FetchFailed:
        leave_out("the model 'open-nsfw'", f"INKSEAL_DATA_DIR={MODELS} inkseal models pull open-nsfw")


@pytest.mark.parametrize(("score", "action"), [(0.1, "allow"), (0.5, "flag"), (0.9, "block")])
def test_the_score_decides(score: float, action: str) -> None:
    verdict = judged(score)
    assert (verdict.action, verdict.version) == (action, "1+open-nsfw")
    assert [finding.part for finding in verdict.findings] == ([] if action == "allow" else [1])


def test_what_nobody_looked_at_is_never_said_to_be_checked() -> None:
    verdict = judged(None)
    assert (verdict.action, verdict.version) == ("flag", "1+not-checked")
    assert verdict.findings[0].rule == "image_safety.not_checked"
    assert "not checked" in ImageSafety.explain(verdict.findings[0])
    assert judged(None, unchecked_action="block").action == "block"


@pytest.mark.model
def test_drawings_are_harmless_to_the_real_model(real: PictureSafety) -> None:
    assert pixels(picture_file()).shape == (1, 224, 224, 3)
    for number in range(4):
        assert real.score(picture_file(number, side_px=200)) < 0.4


@pytest.mark.model
def test_pictures_that_end_together_are_each_looked_at(real: PictureSafety) -> None:
    files = [picture_file(number, side_px=200) for number in range(4)] * 4
    alone = [real.score(data) for data in files]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(real.score, files)) == pytest.approx(alone, abs=1e-5)


@pytest.mark.model
def test_a_changed_model_and_what_is_no_picture_are_refused(real: PictureSafety) -> None:
    with pytest.raises(InvalidRequest):
        real.score(b"no picture")
    changed = real.model.model_copy(update={"files": dict.fromkeys(real.model.files, "0" * 64)})
    with pytest.raises(ModelFileRefused):
        PictureSafety(changed).score(picture_file())
