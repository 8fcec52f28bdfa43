"""Deletes what an artifact is made of and keeps that it was there: content, words, fingerprints and vectors go.

The records change in the caller's one transaction, which also notes the content in `erasures`; its file goes after that
(`finish`). A kill in between leaves the note, and the next start finishes. What the gallery shows as deleted is never
back, and what it shows as there is never half gone.
"""

from typing import TYPE_CHECKING

from inkseal.store import artifacts, vectors, words

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from inkseal.store.store import Store


def erase(session: "Session", artifact_id: str) -> None:
    """Takes from the records whatever tells what the artifact was, and marks it deleted. Call `finish` after commit.

    Raises:
        UnknownName: there is none.
    """
    from sqlalchemy import delete

    from inkseal.store.records import BandRow, CollectedRow, ErasureRow, FingerprintRow

    row = artifacts.row(session, artifact_id)
    row.state, row.title = "deleted", ""
    session.flush()
    words.erase(session, artifact_id)
    for table in (FingerprintRow, BandRow, CollectedRow):
        session.execute(delete(table).where(table.artifact_id == artifact_id))
    # Also when others have the content: of a picture, the vector may be of the words that asked for this one.
    vectors.remove(session, row.sha256)
    if not _named(session, row.sha256):
        session.merge(ErasureRow(sha256=row.sha256))
        session.flush()


def finish(store: "Store") -> int:
    """Removes the files of erased contents, then the old pages of the records; returns how many files went.

    Each file goes inside a transaction that first proves that no artifact names the content again: whoever stores the
    same content afterwards finds it missing in their own transaction, and stores it anew.
    """
    from sqlalchemy import delete, select

    from inkseal.store.records import ErasureRow

    with store.reading() as session:
        waiting = session.scalars(select(ErasureRow.sha256)).all()
    if not waiting:
        return 0
    num_removed = 0
    for sha256 in waiting:
        with store.transaction() as session:
            if not _named(session, sha256) and sha256 in store.blobs:
                store.blobs.delete(sha256)
                num_removed += 1
    if store.write_back():
        with store.transaction() as session:
            session.execute(delete(ErasureRow).where(ErasureRow.sha256.in_(waiting)))
    return num_removed


def _named(session: "Session", sha256: str) -> bool:
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow

    query = select(ArtifactRow.id).where(ArtifactRow.sha256 == sha256, ArtifactRow.state != "deleted")
    return session.scalar(query.limit(1)) is not None
