"""Deletes an artifact and gives an honest account: what goes, what stays, and why.

The note in the ledger, the new state and the removal of all words, fingerprints and vectors are one transaction; the
content's file goes right after it, and the next start finishes what a kill broke off. See docs/decisions/0021.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from inkseal.core.errors import NotEnoughSpace, StoreError
from inkseal.core.language import say
from inkseal.core.types import Closed
from inkseal.store import artifacts, descent, erasure
from inkseal.studio.provenance.sealer import Sealer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

Thing = Literal[
    "content", "title", "words", "fingerprints", "vectors", "collections",
    "ledger", "manifest", "run", "conversation", "children", "same_content", "exports", "copies",
]  # fmt: skip


class Item(Closed):
    """One thing that goes or stays: its stable name, what it is, and for what stays, why."""

    thing: Thing
    text: str


class Deletion(Closed):
    """The account of a deletion, or of one that would be.

    Attributes:
        deleted_at: when; None as long as nothing was deleted.
        ledger_seq: the ledger's entry that notes it.
        removed: what is gone, or would go.
        remains: what stays, and why.
    """

    artifact_id: str
    deleted_at: datetime | None
    ledger_seq: int | None
    removed: tuple[Item, ...]
    remains: tuple[Item, ...]


class Deleter:
    """Deletes artifacts of one installation."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._store = sealer.store

    def delete(self, artifact_id: str, *, owner: str | None = None, by: str = "") -> Deletion:
        """Deletes an artifact; of one that is deleted already, gives the account again.

        Args:
            artifact_id: which one.
            owner: only one of theirs.
            by: the public id of the key that asked; goes into the ledger.

        Raises:
            UnknownName: there is none.
            NotEnoughSpace, StoreError, InUse: nothing was changed.
        """
        with self._store.transaction() as session:
            row = artifacts.row(session, artifact_id, owner=owner)
            is_new = row.state != "deleted"
            if is_new:
                facts = {"artifact_id": artifact_id, "content_sha256": row.sha256}
                self._sealer.ledger.append(session, "artifact_deleted", facts | ({"by": by} if by else {}))
                erasure.erase(session, artifact_id)
        if is_new:
            self._clear_away()
        return self.account(artifact_id, owner=owner)

    def finish(self) -> int:
        """Ends what a kill broke off; returns how many files went."""
        return erasure.finish(self._store)

    def account(self, artifact_id: str, *, owner: str | None = None) -> Deletion:
        """Says what a deletion removes and what stays, before it or after it.

        Raises:
            UnknownName: there is none.
        """
        with self._store.reading() as session:
            row = artifacts.row(session, artifact_id, owner=owner)
            note = next(
                (entry for entry in self._sealer.ledger.of(session, artifact_id) if entry.kind == "artifact_deleted"),
                None,
            )
            same = [found.id for found in artifacts.by_content(session, row.sha256, owner=owner, state="active")]
            same = [found for found in same if found != artifact_id]
            return Deletion(
                artifact_id=artifact_id,
                deleted_at=datetime.fromisoformat(note.created_at) if note else None,
                ledger_seq=note.seq if note else None,
                removed=_removed(has_content=row.size_bytes > 0 and not same),
                remains=tuple(self._remains(session, artifact_id, same, owner)),
            )

    def _clear_away(self) -> None:
        try:
            self.finish()
            self._sealer.committed()
        except (NotEnoughSpace, StoreError) as error:
            # The deletion itself is on the disk: what is left to do is noted there, and the next start does it.
            log.warning("a deletion is finished at the next start: %s", error.code)

    def _remains(self, session: "Session", artifact_id: str, same: list[str], owner: str | None) -> list[Item]:
        entries = list(self._sealer.ledger.of(session, artifact_id))
        exports = [entry for entry in entries if entry.kind in ("exported", "unlabelled_export")]
        numbers = ", ".join(f"#{entry.seq}" for entry in entries)
        num_children = len(descent.children(session, [artifact_id], owner=owner))
        copies = sorted(path.name for path in (self._store.data_dir / "backups").glob("*.sqlite"))
        found = [_ledger(numbers), _manifest(), _run()]
        if _num_asking(session, artifact_id):
            found.append(_conversation())
        if exports:
            found.append(_exports(len(exports)))
        if num_children:
            found.append(_children(num_children))
        if same:
            found.append(_same(same))
        return [*found, _copies(copies)]


def _removed(*, has_content: bool) -> tuple[Item, ...]:
    rows: list[tuple[Thing, str]] = [
        ("title", say("its title", "标题")),
        ("words", say("its words in the search index", "检索索引中的词")),
        ("fingerprints", say("its fingerprints, by which edited copies are recognised", "用于识别改动副本的指纹")),
        ("vectors", say("the vector of its meaning", "语义向量")),
        ("collections", say("its places in collections", "在收藏夹中的位置")),
    ]
    if has_content:
        rows.insert(0, ("content", say("the content itself", "内容本身")))
    return tuple(Item(thing=thing, text=text) for thing, text in rows)


def _ledger(numbers: str) -> Item:
    return Item(
        thing="ledger",
        text=say(
            f"Ledger entries {numbers}: that it was made, exported and deleted, when, and the SHA-256 of its "
            "content. The ledger is append-only: an entry that could be removed would prove nothing. No words are in "
            "it, but whoever has the exact content can still confirm that it was made here, and very short contents "
            "could be guessed.",
            f"账本条目 {numbers}：何时生成、导出、删除，以及内容的 SHA-256。账本只增不改：能被删去的条目"
            "什么也证明不了。其中没有任何文字；但持有完全相同内容的人仍可确认它由本机生成，极短的内容也可能被猜中。",
        ),
    )


def _manifest() -> Item:
    return Item(
        thing="manifest",
        text=say(
            "The signed manifest: model, seed, settings, verdicts, times and hashes, so that the ledger's entry can be "
            "checked and the descent of what was made from it stays whole. It holds no words.",
            "签名清单：模型、种子、参数、检查结论、时间与哈希，使账本条目可核验、由它派生的作品来源完整。其中没有任何文字。",
        ),
    )


def _run() -> Item:
    return Item(
        thing="run",
        text=say(
            "The run's record and the audit log: when, how long, how many tokens, which key. No words.",
            "运行记录与审计日志：时间、时长、词元数、所用密钥。其中没有任何文字。",
        ),
    )


def _num_asking(session: "Session", artifact_id: str) -> int:
    from sqlalchemy import text

    query = text("SELECT count(*) FROM turns WHERE instr(body, :id)")
    return int(session.scalar(query, {"id": artifact_id}) or 0)


def _conversation() -> Item:
    return Item(
        thing="conversation",
        text=say(
            "The conversation in which it was asked for: your own words stay in it until you delete it.",
            "提出该请求的对话：您自己的话仍在其中，直到您删除该对话。",
        ),
    )


def _exports(num: int) -> Item:
    return Item(
        thing="exports",
        text=say(
            f"Files that were exported ({num}): they are wherever they were put, and still verify as made here.",
            f"已导出的文件（{num} 份）：仍在您存放之处，并且仍可验证为由本机生成。",
        ),
    )


def _children(num: int) -> Item:
    return Item(
        thing="children",
        text=say(
            f"What was made from it ({num}): delete those as well if they repeat its words.",
            f"由它派生的作品（{num} 个）：若其中重复了它的文字，请一并删除。",
        ),
    )


def _same(ids: list[str]) -> Item:
    return Item(
        thing="same_content",
        text=say(
            f"The same content, because other artifacts have it: {', '.join(ids[:5])}.",
            f"相同的内容仍在，因为其他作品也是这一内容：{'、'.join(ids[:5])}。",
        ),
    )


def _copies(names: list[str]) -> Item:
    here = (
        say(f" In the folder `backups` there are {len(names)}.", f" `backups` 文件夹中有 {len(names)} 份。")
        if names
        else ""
    )
    return Item(
        thing="copies",
        text=say(
            "Backups made before, until you remove them; and, while the server runs, answers it keeps in memory for "
            "repeated or continued requests.",
            "此前的备份，直到您将其删除；以及服务器运行期间为重复或续接请求保留在内存中的回答。",
        )
        + here,
    )
