"""The word index: finds artifacts by words that were cut apart before, in Chinese and English alike.

Does not cut text into words: the caller's segmenter does, for the content and for the query.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def search(session: "Session", query_words: Sequence[str], limit: int = 20, *, owner: str | None = None) -> list[str]:
    """Returns the ids of active artifacts that hold any of the words, best first by BM25; with an owner, of theirs."""
    from sqlalchemy import text

    words = [word.replace('"', '""').replace("\0", "") for word in query_words[:_MAX_QUERY_WORDS]]
    query = " OR ".join(f'"{word}"' for word in words if any(map(str.isalnum, word)))
    if not query:
        return []
    found = session.execute(
        text(
            "SELECT artifact_id FROM words JOIN worded ON worded.number = words.rowid"
            " JOIN artifacts ON artifacts.id = worded.artifact_id"
            " WHERE words MATCH :query AND artifacts.state = 'active'"
            " AND (:owner IS NULL OR artifacts.owner = :owner) ORDER BY bm25(words), artifact_id LIMIT :limit"
        ),
        {"query": query, "limit": limit, "owner": owner},
    )
    return [row[0] for row in found]
