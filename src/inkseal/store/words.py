"""The word index: finds artifacts by words that were cut apart before, in Chinese and English alike.

Does not cut text into words: the caller's segmenter does, for the content and for the query.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inkseal.store.listing import Filters, conditions

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

_MAX_QUERY_WORDS = 64


def index(session: "Session", artifact_id: str, words: str) -> None:
    """Makes the artifact found under `words` (separated by spaces) and no others."""
    from sqlalchemy import text

    from inkseal.store.records import WordedRow

    remove(session, artifact_id)
    row = WordedRow(artifact_id=artifact_id)
    session.add(row)
    session.flush()
    session.execute(text("INSERT INTO words (rowid, text) VALUES (:n, :text)"), {"n": row.number, "text": words})


def remove(session: "Session", artifact_id: str) -> None:
    """Makes the artifact found no longer; harmless when it was not."""
    from sqlalchemy import select, text

    from inkseal.store.records import WordedRow

    row = session.scalar(select(WordedRow).where(WordedRow.artifact_id == artifact_id))
    if row is not None:
        session.execute(text("DELETE FROM words WHERE rowid = :n"), {"n": row.number})
        session.delete(row)
        session.flush()


def erase(session: "Session", artifact_id: str) -> None:
    """Removes the artifact's words also from the index's old segments, where `remove` leaves them for a while."""
    from sqlalchemy import text

    remove(session, artifact_id)
    session.execute(text("INSERT INTO words (words) VALUES ('optimize')"))


def search(
    session: "Session",
    query_words: Sequence[str],
    limit: int = 20,
    *,
    owner: str | None = None,
    filters: Filters | None = None,
    skip: int = 0,
    begun: bool = False,
) -> list[str]:
    """Returns the ids of artifacts that hold any of the words, best first by BM25.

    Args:
        session: one view of the records.
        query_words: what to look for.
        limit: how many at most.
        owner: only theirs.
        filters: which artifacts to look among; the active ones when absent.
        skip: how many of the best to leave out.
        begun: the last word may go on, because somebody is still typing it.
    """
    from sqlalchemy import literal_column

    from inkseal.store.records import ArtifactRow

    match = _match(query_words, begun)
    if not match:
        return []
    query = _matching(match, filters, owner).with_only_columns(ArtifactRow.id)
    query = query.order_by(literal_column("bm25(words)"), ArtifactRow.id.desc()).limit(limit).offset(skip)
    return list(session.scalars(query))


def total(
    session: "Session",
    query_words: Sequence[str],
    *,
    owner: str | None = None,
    filters: Filters | None = None,
    begun: bool = False,
) -> int:
    """Returns how many artifacts `search` finds."""
    from sqlalchemy import func

    match = _match(query_words, begun)
    if not match:
        return 0
    return int(session.scalar(_matching(match, filters, owner).with_only_columns(func.count())) or 0)


def _match(query_words: Sequence[str], begun: bool) -> str:
    words = [word.replace('"', '""').replace("\0", "") for word in query_words[:_MAX_QUERY_WORDS]]
    words = [f'"{word}"' for word in words if any(map(str.isalnum, word))]
    if words and begun:
        words[-1] += "*"
    return " OR ".join(words)


def _matching(match: str, filters: Filters | None, owner: str | None) -> "Select[Any]":
    from sqlalchemy import column, select, table, text

    from inkseal.store.records import ArtifactRow, WordedRow

    index_table = table("words", column("rowid"))
    query = select(ArtifactRow.id).select_from(index_table)
    query = query.join(WordedRow, WordedRow.number == index_table.c.rowid)
    query = query.join(ArtifactRow, ArtifactRow.id == WordedRow.artifact_id)
    held = text("words MATCH :query").bindparams(query=match)
    return query.where(held, *conditions(filters or Filters(), owner))
