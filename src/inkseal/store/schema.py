"""Brings the database to the schema of this code, or says why it cannot; plain sqlite3 unless it must migrate."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from inkseal.core.errors import InUse, NotEnoughSpace, StoreError
from inkseal.core.language import say
from inkseal.core.types import now
from inkseal.store.durable import disk_errors, make_folder, sync_file, sync_folder

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 10.0
_THOROUGH_BYTES = 64 << 20
"""Up to this size an open compares the indexes with their tables too; beyond it only the page structure."""


def revisions() -> list[str]:
    """Returns the schema versions that this code knows, oldest first."""
    return sorted(path.stem.split("_")[0] for path in (_MIGRATIONS / "versions").glob("v[0-9]*.py"))


def connect(database: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Returns a plain connection without automatic transactions."""
    mode = "ro" if read_only else "rwc"
    uri = f"{database.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    configure(connection)
    return connection


def configure(connection: sqlite3.Connection) -> None:
    """Sets what every connection needs.

    The ledger's word must be on the disk when a commit returns, and what was deleted must not be read from free pages.
    """
    for pragma in ("foreign_keys = ON", "synchronous = FULL", "recursive_triggers = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


@contextlib.contextmanager
def database_errors(database: Path) -> Iterator[None]:
    """Turns SQLite's faults inside the block into ours.

    Raises:
        NotEnoughSpace, InUse, StoreError: the disk is full, somebody holds the database, or it is damaged.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise (translate(error, database) or error) from error


def held(by: str) -> InUse:
    """Returns what is said when a transaction did not get its turn."""
    return InUse(
        say(f"The records are held by another transaction: {by}.", f"记录正被另一事务占用：{by}。"),
        fix=say("Try again.", "请重试。"),
    )


def translate(error: BaseException | None, database: Path) -> NotEnoughSpace | InUse | StoreError | None:
    """Returns our error for SQLite's, or None when it is the caller's (a constraint, a wrong statement)."""
    name = getattr(error, "sqlite_errorname", "") or ""
    text = str(error)
    if name.startswith("SQLITE_FULL") or name in (
        "SQLITE_IOERR_WRITE",
        "SQLITE_IOERR_TRUNCATE",
        "SQLITE_IOERR_SHMSIZE",
    ):
        return NotEnoughSpace(
            say(f"The disk cannot take more records: {text}.", f"磁盘写不下更多记录：{text}。"),
            fix=say(f"Free space under {database.parent}.", f"请在 {database.parent} 所在磁盘腾出空间。"),
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return held(text)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(database, text)
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
        return StoreError(
            say(f"The records cannot be read or written: {text}.", f"无法读写记录：{text}。"),
            fix=say(f"Check the disk and the permissions of {database}.", f"请检查磁盘与 {database} 的权限。"),
        )
    return None


def damaged(database: Path, detail: str) -> StoreError:
    """Returns the refusal of a damaged database, with the way to repair it."""
    copies = sorted((database.parent / "backups").glob("*.sqlite"))
    newest = say(f" The newest copy is {copies[-1]}.", f" 最新副本是 {copies[-1]}。") if copies else ""
    return StoreError(
        say(f"The records in {database} are damaged: {detail}.", f"{database} 中的记录已损坏：{detail}。"),
        fix=say(
            "Nothing was changed. Restore a backup into an empty data folder: inkseal restore.",
            "未作任何改动。请把备份恢复到空的数据文件夹：inkseal restore。",
        )
        + newest,
    )


def version(connection: sqlite3.Connection) -> str | None:
    """Returns the schema version of the database, or None when it is empty.

    Raises:
        StoreError: the tables are not ours.
    """
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    found = (
        connection.execute("SELECT version_num FROM alembic_version").fetchall() if "alembic_version" in tables else []
    )
    if len(found) == 1:
        return str(found[0][0])
    if not found and tables == {"alembic_version"}:  # killed between the two steps of the first migration
        return None
    raise StoreError(say("The database holds no records of Inkseal.", "该数据库不含墨印的记录。"))


def check_known(found: str | None) -> None:
    """Refuses a schema that a newer Inkseal made.

    Raises:
        StoreError: naming both versions.
    """
    known = revisions()
    if found is not None and found not in known:
        raise StoreError(
            say(
                f"The records are of schema {found}; this Inkseal knows {known[0]} to {known[-1]}.",
                f"记录的模式版本为 {found}；此版墨印只认识 {known[0]} 至 {known[-1]}。",
            ),
            fix=say("Install the Inkseal that wrote them, or a newer one.", "请安装写入它们的墨印版本或更新版本。"),
        )


def check_whole(connection: sqlite3.Connection, database: Path) -> None:
    """Refuses a database whose pages or indexes are damaged.

    Raises:
        StoreError: with the first finding.
    """
    size_bytes = database.stat().st_size
    pragma = "integrity_check(1)" if size_bytes <= _THOROUGH_BYTES else "quick_check(1)"
    finding = str(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
    if finding != "ok":
        raise damaged(database, " ".join(finding.split())[:200])


def copy(connection: sqlite3.Connection, target: Path) -> None:
    """Writes a consistent copy of the database while others may go on writing.

    Without what is kept for a while only: it may hold words of prompts, and a copy outlives it.
    """
    with disk_errors(target), database_errors(target):
        try:
            with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copied:
                connection.backup(copied)
                copied.execute("PRAGMA secure_delete = ON")
                if copied.execute("SELECT 1 FROM sqlite_master WHERE name = 'kept'").fetchone():
                    copied.execute("DELETE FROM kept")
                copied.execute("PRAGMA journal_mode = DELETE")
            target.chmod(0o600)
            sync_file(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def keep_copy(connection: sqlite3.Connection, database: Path, found: str) -> Path:
    """Puts a copy into `backups/` before a migration; returns its path."""
    folder = database.parent / "backups"
    make_folder(folder)
    final = folder / f"records-{found}-{now():%Y%m%dT%H%M%S%f}.sqlite"
    temporary = final.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    copy(connection, temporary)
    temporary.replace(final)
    sync_folder(folder)
    return final


def migrate(database: Path) -> None:
    """Runs the missing migrations, each in one transaction: a kill leaves the schema before or after it."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, event, pool
    from sqlalchemy.exc import DBAPIError

    engine = create_engine("sqlite://", creator=lambda: connect(database), poolclass=pool.NullPool)
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # tables may be rebuilt; checked below
            connection.rollback()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise damaged(database, f"foreign key of {broken[0]}")
    except DBAPIError as error:
        raise (translate(error.orig, database) or error) from error
    finally:
        engine.dispose()
