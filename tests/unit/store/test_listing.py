"""Lists: filters leave what they name, pages neither repeat nor skip, owners see their own."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from inkseal.core.types import Action, Artifact, Verdict, new_id, now
from inkseal.store import artifacts, collections, descent, listing, vectors, words
from inkseal.store.listing import Facet, Filters, Flag
from inkseal.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def _add(
    store: Store,
    text: str = "x",
    *,
    model: str = "a",
    app: str = "",
    step: str = "",
    owner: str = "",
    actions: tuple[Action, ...] = (),
    days_ago: int = 0,
    parents: tuple[str, ...] = (),
) -> str:
    sha256, size_bytes = store.blobs.put(text.encode())
    artifact = Artifact(
        id=new_id(),
        modality="text",
        media_type="text/markdown",
        sha256=sha256,
        size_bytes=size_bytes,
        created_at=now() - timedelta(days=days_ago),
        title=text,
        parents=parents,
    )
    verdicts = [Verdict(check="limits", version="1", stage="result", action=action) for action in actions]
    with store.transaction() as session:
        artifacts.add(session, artifact, model=model, owner=owner)
        listing.note_facts(session, artifact.id, "cn", verdicts, app, step)
        words.index(session, artifact.id, text)
    return artifact.id


def _ids(store: Store, owner: str | None = None, **filters: object) -> list[str]:
    with store.reading() as session:
        found = listing.page(session, Filters.model_validate(filters), owner=owner)
        assert listing.total(session, Filters.model_validate(filters), owner=owner) == len(found)
    return [item.id for item in found]


def test_each_filter_leaves_what_it_names(store: Store) -> None:
    old = _add(store, "old", days_ago=3)
    other = _add(store, "other", model="b", app="story")
    flagged = _add(store, "flagged", actions=("allow", "flag", "redact"))
    assert _ids(store) == sorted([old, other, flagged], reverse=True)
    assert _ids(store, model="b") == [other]
    assert _ids(store, app="story") == [other]
    assert _ids(store, verdict="redact") == [flagged]
    assert _ids(store, verdict="flag") == []
    assert _ids(store, check="limits") == [flagged]
    assert _ids(store, regime="eu") == []
    assert _ids(store, modality="image") == []
    assert _ids(store, until=now() - timedelta(days=1)) == [old]
    assert _ids(store, since=now() - timedelta(days=1), model="a") == [flagged]
    with store.transaction() as session:
        artifacts.set_state(session, other, "withdrawn")
    assert _ids(store, state="withdrawn") == [other]


def test_a_list_tells_what_the_records_say(store: Store) -> None:
    parent = _add(store, "parent")
    child = _add(store, "child", actions=("flag",), parents=(parent,))
    with store.transaction() as session:
        shelf = collections.create(session, "shelf")
        collections.put_in(session, shelf.id, child)
    with store.reading() as session:
        first, second = listing.page(session, Filters())
        (again,) = listing.of(session, [child, "0" * 26])
    assert (first.parents, first.collections) == ((parent,), (shelf.id,))
    assert first.flags == (Flag(check="limits", stage="result", action="flag"),)
    assert (first.model, first.regime, first.verdict, second.verdict) == ("a", "cn", "flag", "allow")
    assert again == first


def test_pages_neither_repeat_nor_skip(store: Store) -> None:
    made = [_add(store, f"n{number}") for number in range(7)]
    found: list[str] = []
    with store.reading() as session:
        while page := listing.page(session, Filters(), limit=3, before=found[-1] if found else None):
            found += [item.id for item in page]
    assert found == sorted(made, reverse=True)


def test_another_owners_things_are_in_no_list_facet_or_collection(store: Store) -> None:
    mine, theirs = _add(store, "mine", owner="ann"), _add(store, "theirs", owner="bob", model="b", actions=("flag",))
    with store.transaction() as session:
        shelf = collections.create(session, "shelf", owner="bob")
        collections.put_in(session, shelf.id, theirs, owner="bob")
    assert _ids(store, owner="ann") == [mine]
    assert _ids(store, owner="ann", collection=shelf.id) == []
    assert _ids(store, owner="bob", collection=shelf.id) == [theirs]
    with store.reading() as session:
        assert listing.facets(session, owner="ann") == {
            "modality": (Facet(value="text", count=1),),
            "model": (Facet(value="a", count=1),),
            "app": (),
            "regime": (Facet(value="cn", count=1),),
            "verdict": (Facet(value="allow", count=1),),
            "check": (),
        }
        assert listing.of(session, [theirs], owner="ann") == []


def test_words_are_found_among_what_the_filters_leave_page_by_page(store: Store) -> None:
    made = [_add(store, f"heron {number}", model="ab"[number % 2]) for number in range(6)]
    with store.reading() as session:
        assert words.total(session, ["heron"]) == 6
        assert words.total(session, ["heron"], filters=Filters(model="b")) == 3
        pages = [words.search(session, ["heron"], 2, skip=skip) for skip in (0, 2, 4, 6)]
        assert words.search(session, ["her"]) == []
        assert len(words.search(session, ["her"], begun=True)) == 6
        assert words.total(session, ["her"], begun=True, owner="nobody") == 0
    assert sorted(found for page in pages for found in page) == sorted(made)
    assert pages[3] == []


def test_vectors_are_by_content_and_only_of_what_is_there(store: Store) -> None:
    import numpy as np

    near, far = _add(store, "near", owner="ann"), _add(store, "far", model="b")
    twin = _add(store, "near")
    with store.transaction() as session:
        unread = vectors.unread(session, "m", 10)
        assert [(one.id, one.modality, one.title) for one in unread] == [(twin, "text", "near"), (far, "text", "far")]
        assert vectors.num_unread(session, "m") == 2
        rows = [vectors.encode(np.array(row, np.float32)) for row in ([1.0, 0.0], [0.6, 0.8])]
        vectors.put(session, "m", {twin: rows[0], far: rows[1], "f" * 26: rows[0]})
    query = np.array([1.0, 0.0], np.float32)
    with store.reading() as session:
        assert vectors.num_unread(session, "m") == 0
        assert vectors.num_unread(session, "another model") == 2
        assert vectors.nearest(session, "m", query) == [(near, 1.0), (twin, 1.0), (far, pytest.approx(0.6, abs=1e-3))]
        assert vectors.nearest(session, "m", query, min_cosine=0.7, owner="ann") == [(near, 1.0)]
        assert [found for found, _ in vectors.nearest(session, "m", query, filters=Filters(model="b"))] == [far]
        assert vectors.nearest(session, "another model", query) == []


def test_a_walk_goes_up_and_down_and_is_bounded(store: Store) -> None:
    root = _add(store, "root", parents=("0" * 26,))
    middle = _add(store, "middle", parents=(root,))
    leaves = [_add(store, f"leaf {number}", parents=(middle, root), owner="ab"[number % 2]) for number in range(6)]
    with store.reading() as session:
        walk = descent.walk(session, middle)
        assert walk.depths == {middle: 0, root: -1, "0" * 26: -2} | dict.fromkeys(leaves, 1)
        assert len(walk.edges) == 1 + 1 + 2 * 6
        assert not walk.truncated
        assert set(descent.walk(session, middle, owner="a").depths) == {middle, root, "0" * 26, *leaves[::2]}
        assert descent.walk(session, middle, max_nodes=5).truncated
        assert len(descent.walk(session, middle, max_nodes=5).depths) == 5
        assert descent.walk(session, leaves[0], max_depth=1).truncated


def test_a_circle_of_parents_ends(store: Store) -> None:
    first = _add(store, "first")
    second = _add(store, "second", parents=(first,))
    with store.transaction() as session:
        from inkseal.store.records import ParentRow

        session.add(ParentRow(artifact_id=first, position=0, parent_id=second))
    with store.reading() as session:
        assert descent.walk(session, first).depths == {first: 0, second: -1}


def test_steps_of_apps_are_left_out_where_results_are_asked_for(store: Store) -> None:
    plain, step = _add(store, "plain words"), _add(store, "words of a step", app="story", step="draft")
    result = _add(store, "words of a result", app="story", parents=(step,))
    assert _ids(store, steps=False) == [result, plain]
    assert _ids(store, steps=False, app="story") == [result]
    assert _ids(store) == [result, step, plain]
    with store.transaction() as session:
        artifacts.set_state(session, result, "deleted")
    assert _ids(store, steps=False) == [plain]
    with store.reading() as session:
        assert listing.facets(session, steps=False)["app"] == ()
        assert listing.facets(session)["app"] == (Facet(value="story", count=1),)
        assert words.search(session, ["words"], filters=Filters(steps=False)) == [plain]
        assert set(words.search(session, ["words"])) == {plain, step}
