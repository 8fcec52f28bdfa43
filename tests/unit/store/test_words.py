"""Words are found in Chinese and English, best first; the caller cuts them apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.types import Artifact, new_id, now
from inkseal.store import artifacts, words
from inkseal.store.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("words")) as opened:
        yield opened


def _add(store: Store, text: str) -> str:
    sha256, size_bytes = store.blobs.put(text.encode())
    artifact = Artifact(
        id=new_id(), modality="text", media_type="text/plain", sha256=sha256, size_bytes=size_bytes, created_at=now()
    )
    with store.transaction() as session:
        artifacts.add(session, artifact)
        words.index(session, artifact.id, text)
    return artifact.id


def _search(store: Store, *query: str) -> list[str]:
    with store.reading() as session:
        return words.search(session, query)


def test_chinese_words_are_found_as_words(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        weather = _add(store, "今天 天气 很 好 ， 适合 出门")
        _add(store, "今天 的 课程 讲 电气 工程")
        assert _search(store, "天气") == [weather]
        assert _search(store, "气") == []
        assert _search(store, "天气", "今天")[0] == weather


def test_english_words_are_found_without_regard_to_case_and_accents(store: Store) -> None:
    found = _add(store, "The Café opens at noon")
    assert _search(store, "cafe") == [found]


def test_what_is_withdrawn_or_removed_is_not_found(store: Store) -> None:
    first, second = _add(store, "zebra one"), _add(store, "zebra two")
    with store.transaction() as session:
        artifacts.set_state(session, first, "withdrawn")
    assert _search(store, "zebra") == [second]
    with store.transaction() as session:
        words.remove(session, second)
        words.remove(session, second)
    assert _search(store, "zebra") == []


def test_indexing_again_replaces(store: Store) -> None:
    found = _add(store, "walrus")
    with store.transaction() as session:
        words.index(session, found, "narwhal")
    assert _search(store, "walrus") == []
    assert _search(store, "narwhal") == [found]


@given(query=st.lists(st.text(max_size=30), max_size=5))
def test_no_query_is_an_error(store: Store, query: list[str]) -> None:
    assert isinstance(_search(store, *query), list)


@pytest.mark.parametrize("query", ['"', "weather OR", "NEAR(a b)", "text:x", "a*", "^a", "-a", "(", "\0", "🙂"])
def test_the_query_language_of_the_index_is_out_of_reach(store: Store, query: str) -> None:
    assert _search(store, query) == []
