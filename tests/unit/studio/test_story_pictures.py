"""The story with pictures: what a cancel leaves, what a check withdraws, and under which words they are found."""

import threading
from pathlib import Path

import pytest

from inkseal import Studio
from inkseal.core.errors import Blocked, Cancelled, Unsupported
from inkseal.core.events import Event, Generated, Progress
from inkseal.modalities.image.request import ImageRequest
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.guard import checks as found_checks
from inkseal.studio.guard.checks.image_safety import ImageSafety


@pytest.fixture
def studio(data_dir: Path) -> Studio:
    with Studio.open() as opened:
        yield opened  # type: ignore[misc]


def test_the_same_request_makes_the_same_pictures_each_with_its_manifest(studio: Studio) -> None:
    request = ImageRequest.of("一只红狐狸", model="echo", seed=5, n=2)
    first, second = studio.run(request), studio.run(request)
    assert [made.sha256 for made in first.artifacts] == [made.sha256 for made in second.artifacts]
    assert first.artifacts[0].id == first.run_id
    for made in first.artifacts:
        manifest = studio.manifest(made.id).manifest
        assert (manifest.modality, manifest.media_type, manifest.seed) == ("image", "image/png", 5)
        assert set(manifest.fingerprints) == {"pixels", "look"}
        assert "狐狸" not in manifest.model_dump_json()
    assert {found.id for found in studio.search("红狐狸")} >= {made.id for made in first.artifacts}
    assert first.artifacts[0].title == "一只红狐狸"


def test_personal_data_is_redacted_in_the_title_as_in_the_prompt(data_dir: Path) -> None:
    (data_dir / "settings.toml").write_text('[checks.personal_data]\nown_action = "redact"\n')
    with Studio.open() as studio:
        made = studio.run(ImageRequest.of("Call 13800138000 about the boat", model="echo")).artifacts[0]
        assert "13800138000" not in made.title
        assert studio.search("13800138000") == []


def test_a_cancel_keeps_what_is_whole_and_nothing_else(studio: Studio) -> None:
    cancel = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, Generated) and event.chunk.finish_reason == "stop":
            cancel.set()

    kept = studio.run(ImageRequest.of("a boat", model="echo", n=3), listen, cancel)
    assert len(kept.artifacts) == 1
    assert kept.finish_reasons == ("stop",)

    begun = threading.Event()
    with pytest.raises(Cancelled):
        studio.run(
            ImageRequest.of("a boat", model="echo"),
            lambda event: begun.set() if isinstance(event, Progress) else None,
            begun,
        )


def test_a_withdrawn_picture_is_kept_nowhere(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    class Scoring:
        def score(self, data: bytes) -> float:
            return 1.0

    monkeypatch.setattr("inkseal.studio.studio.resources", lambda engines: {"picture_safety": Scoring()})
    assert ImageSafety.name in found_checks.checks
    blobs = {path for path in (studio.store.data_dir / "blobs").rglob("*") if path.is_file()}
    with pytest.raises(Blocked, match="image_safety"):
        studio.run(ImageRequest.of("something", model="echo"))
    assert {path for path in (studio.store.data_dir / "blobs").rglob("*") if path.is_file()} == blobs
    assert studio.search("something") == []


def test_a_model_that_cannot_draw_says_so(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    for fields in ({"style": "noto"}, {"solver": "heun"}, {"width_px": 4000}, {"watermark": "kgw"}):
        with pytest.raises(Unsupported):
            studio.run(ImageRequest.of("x", model="echo", **fields))
    assert studio.run(TextRequest.of("x", model="echo")).text == "x"
