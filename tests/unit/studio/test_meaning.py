"""Search by meaning: contents are read lazily and once, across languages, and a missing model is said."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inkseal import Studio, TextRequest
from inkseal.core.errors import ModelMissing
from inkseal.modalities.image.request import ImageRequest
from inkseal.store import vectors
from inkseal.store.listing import Filters
from inkseal.studio.meaning import BATCH
from inkseal.studio.spaces import Content
from picture_file_maker import picture_file

TOPICS = (("river", "河"), ("engine", "发动机"))


class TwoTopics:
    """An embedder that knows rivers and engines, in two languages; counts what it read."""

    model = SimpleNamespace(name="two-topics", sha256="2" * 64)

    def __init__(self) -> None:
        self.read: list[str] = []

    def embed(self, texts: Sequence[str]) -> Any:
        import numpy as np

        self.read += texts
        rows = [[0.1] + [float(any(word in text for word in words)) for words in TOPICS] for text in texts]
        found = np.array(rows, np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture
def embedder() -> TwoTopics:
    return TwoTopics()


@pytest.fixture
def studio(data_dir: Path, embedder: TwoTopics, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    with Studio.open() as opened:
        monkeypatch.setattr(opened.meaning, "model", lambda: embedder.model)
        monkeypatch.setattr(opened.meaning, "embedder", lambda: embedder)
        yield opened


def _make(studio: Studio, *texts: str) -> list[str]:
    return [studio.run(TextRequest.of(text, model="echo")).run_id for text in texts]


def test_it_finds_across_languages_and_reads_each_content_once(studio: Studio, embedder: TwoTopics) -> None:
    river, same, engine = _make(studio, "河边的老人", "河边的老人", "an engine of brass")
    assert embedder.read == []  # nobody waits for it while something is made
    found = studio.gallery.page(Filters(), "the river at night", "meaning")
    assert {item.id for item in found.artifacts} == {river, same}
    assert [item.score for item in found.artifacts] == [1.0, 1.0]
    assert (found.total, found.num_unread) == (2, 0)
    assert sorted(embedder.read) == ["an engine of brass", "the river at night", "河边的老人"]
    studio.deleter.delete(engine)
    assert studio.gallery.page(Filters(), "engine", "meaning").artifacts == ()
    assert len(embedder.read) == 4
    assert studio.gallery.page(Filters(model="other"), "river", "meaning").total == 0
    pages = [studio.gallery.page(Filters(), "river", "meaning", limit=1, before=before) for before in (None, "1", "2")]
    assert [len(page.artifacts) for page in pages] == [1, 1, 0]
    assert (pages[0].next, pages[2].next) == ("1", None)


def test_a_picture_means_what_was_asked_for(studio: Studio, embedder: TwoTopics) -> None:
    drawn = studio.run(ImageRequest.of("河上的月亮", model="echo")).artifacts[0].id
    studio.run(ImageRequest.of("an engine", model="echo"))
    assert [item.id for item in studio.gallery.page(Filters(), "a river", "meaning").artifacts] == [drawn]
    assert sorted(embedder.read) == ["a river", "an engine", "河上的月亮"]


def test_a_picture_means_nothing_that_a_deleted_twin_was_asked_for(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(query: str) -> list[str]:
        return [item.id for item in studio.gallery.page(Filters(), query, "meaning").artifacts]

    monkeypatch.setattr("inkseal.studio.generate.backends._echo_picture._picture", lambda *_: picture_file())
    river, engine = (studio.run(ImageRequest.of(text, model="echo")).run_id for text in ("a river", "an engine"))
    assert set(found("engine")) == {river, engine}  # one content, read by the words of the newest
    studio.deleter.delete(engine)
    assert (found("engine"), found("river")) == ([], [river])


class Looks(TwoTopics):
    """A space of pictures that knows a river when it sees one, whatever was asked for."""

    key, modality, min_cosine = "looks", "image", 0.5

    def of_query(self, query: str) -> Any:
        return self.embed([query])[0]

    def of_contents(self, contents: Sequence[Content]) -> Any:
        assert {content.modality for content in contents} == {"image"}
        return list(self.embed(["a river" if content.data == RIVER else "an engine" for content in contents]))


RIVER = picture_file(7)


def test_a_picture_is_found_by_what_it_shows_and_stands_beside_what_words_say(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, spaces = Looks(), studio.meaning.spaces
    monkeypatch.setattr(studio.meaning, "spaces", lambda: [*spaces(), looks])
    shown = iter((RIVER, picture_file(8)))
    monkeypatch.setattr("inkseal.studio.generate.backends._echo_picture._picture", lambda *_: next(shown))
    surprise, wrong = (studio.run(ImageRequest.of(text, model="echo")).run_id for text in ("a gift", "my river"))
    (text,) = _make(studio, "the river is wide")
    found = studio.gallery.page(Filters(), "river", "meaning")
    assert {item.id for item in found.artifacts} == {surprise, text, wrong}
    assert found.num_unread == 0
    assert [item.id for item in studio.gallery.page(Filters(), "engine", "meaning").artifacts] == [wrong]
    assert len([text for text in looks.read if text == "a river"]) == 1, "each picture is looked at once"


def test_what_is_left_is_read_in_the_background(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    _make(studio, *(f"river {number}" for number in range(BATCH + 3)))
    monkeypatch.setattr("inkseal.studio.meaning.READ_AT_ONCE_SECONDS", 0.0)
    with monkeypatch.context() as held:
        held.setattr(studio.meaning, "_go_on", lambda: None)
        first = studio.gallery.page(Filters(), "river", "meaning", limit=200)
    assert (len(first.artifacts), first.num_unread) == (BATCH, 3)
    end = time.monotonic() + 10
    while studio.gallery.page(Filters(), "river", "meaning").num_unread and time.monotonic() < end:
        time.sleep(0.05)
    assert studio.gallery.page(Filters(), "river", "meaning").total == BATCH + 3


def test_a_title_deleted_while_it_is_read_leaves_no_vector_to_its_twin(
    studio: Studio, embedder: TwoTopics, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (studio.run(ImageRequest.of("an engine", model="echo", seed=1)) for _ in range(2))
    made = {run.artifacts[0].id: run.artifacts[0].sha256 for run in (first, second)}
    assert len(set(made.values())) == 1, "one picture, asked for twice"
    embed = embedder.embed

    def slowly(texts: Sequence[str]) -> Any:
        if len(embedder.read) == 0:
            studio.deleter.delete(max(made))  # the newest is read first
        return embed(texts)

    monkeypatch.setattr(embedder, "embed", slowly)
    studio.meaning.read(0)
    with studio.store.reading() as session:
        unread = [one.id for one in vectors.unread(session, embedder.model.sha256, 9)]
    assert unread == [min(made)]


def test_an_owner_finds_and_reads_only_their_own(studio: Studio, embedder: TwoTopics) -> None:
    studio.run(TextRequest.of("ann's river", model="echo"), owner="ann")
    studio.run(TextRequest.of("bob's river", model="echo"), owner="bob")
    found = studio.gallery.page(Filters(), "river", "meaning", owner="ann")
    assert [item.title for item in found.artifacts] == ["ann's river"]
    assert "bob's river" not in embedder.read


def test_a_paraphrase_is_similar_and_no_more(studio: Studio) -> None:
    (made,) = _make(studio, "河边的老人")
    found = studio.verify(b"an old man by the river")
    assert (found.relation, found.standing) == ("similar", "unknown")
    assert found.matches[0].artifact_id == made


def test_a_missing_model_is_said(data_dir: Path) -> None:
    with Studio.open() as studio:
        _make(studio, "a river")
        with pytest.raises(ModelMissing, match="models pull"):
            studio.gallery.page(Filters(), "river", "meaning")


def test_a_damaged_content_keeps_no_other_from_being_read(studio: Studio) -> None:
    broken, whole = _make(studio, "a broken river", "a whole river")
    studio.store.blobs.path(studio.gallery.one(broken).sha256).write_bytes(b"x")
    found = studio.gallery.page(Filters(), "river", "meaning")
    assert ([item.id for item in found.artifacts], found.num_unread) == ([whole], 0)
