"""Opens the data folder: one writer at a time, records and contents together, nothing lost by an upgrade."""

import contextlib
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from inkseal.core.errors import StoreError
from inkseal.core.language import say
from inkseal.store import schema
from inkseal.store.blobs import Blobs
from inkseal.store.durable import disk_errors, make_folder, refuse_links, sync_folder
from inkseal.store.lock import FileLock

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

DATABASE = "records.sqlite"
ARTIFACTS = "artifacts"
RESTORING = ".restoring"
VERIFIED = ".verified"
"""Lies in `.restoring` from the moment all of it is proven: from then on the restore can only go forward."""
TURN_SECONDS = 60.0
"""Longest wait of a thread for the other threads' transactions."""
BUSY_SECONDS = 10.0
"""Longest wait for another process's."""
OWN_FOLDERS = (ARTIFACTS, "apps", "backups", "cards", "models", "trust", RESTORING, DATABASE)


class Store:
    """The artifacts and records of one data folder. Safe for several threads."""

    def __init__(self, data_dir: Path, lock: FileLock | None) -> None:
        """Prefer `Store.open`."""
        self.data_dir = data_dir
        self.database = data_dir / DATABASE
        self.blobs = Blobs(data_dir / ARTIFACTS)
        self._lock = lock
        self._engine: Engine | None = None
        self._keeper: sqlite3.Connection | None = None
        self._engine_guard = threading.Lock()
        self._writing = threading.RLock()
        self._keeper_guard = threading.Lock()

    @classmethod
    def open(cls, data_dir: Path, *, read_only: bool = False) -> Self:
        """Opens the folder, making or migrating what is missing, with a copy of the records before a migration.

        Read-only stores may be open beside another instance; they can list and verify, not write.

        Raises:
            InUse: another instance may write here; names its process.
            StoreError: the records are damaged, of a newer Inkseal, or a restore was broken off.
            NotEnoughSpace: there is no room to create or migrate the records.
        """
        data_dir = data_dir.expanduser().absolute()
        make_folder(data_dir)
        refuse_links(data_dir, *OWN_FOLDERS)
        if read_only:
            if not _up_to_date(data_dir):
                cls.open(data_dir).close()
            return cls(data_dir, None)
        lock = folder_lock(data_dir)
        lock.acquire()
        try:
            store = cls(data_dir, lock)
            finish_restore(data_dir)
            _refuse_half_restored(data_dir)
            _prepare(data_dir)
            store.blobs.clear_incoming()
            store._keep_open()
        except BaseException:
            lock.release()
            raise
        return store

    def _keep_open(self) -> None:
        # The log's shared memory then stays allocated, so that a disk that fills up can still be read and tidied.
        with schema.database_errors(self.database):
            self._keeper = schema.connect(self.database)
            self._keeper.execute("SELECT 1 FROM alembic_version").fetchall()

    @property
    def read_only(self) -> bool:
        return self._lock is None

    def transaction(self) -> "AbstractContextManager[Session]":
        """Opens a session whose changes are on the disk when the block ends, or none of them if it raises.

        Raises:
            StoreError: the store is read-only, or the records are damaged.
            NotEnoughSpace, InUse: nothing was changed.
        """
        if self.read_only:
            raise StoreError(say("The records are open for reading only.", "记录以只读方式打开。"))
        return self._session(reading=False)

    def shared_transaction(self) -> "AbstractContextManager[Session]":
        """Opens a transaction that also a read-only store may make, beside the instance that holds the folder.

        Only for tables that each statement leaves whole and that nothing lies beside: keys, sessions, audit.

        Raises:
            StoreError, NotEnoughSpace, InUse: as `transaction`.
        """
        return self._session(reading=False)

    def reading(self) -> "AbstractContextManager[Session]":
        """Opens a session that sees one state of the records and changes nothing."""
        return self._session(reading=True)

    @contextlib.contextmanager
    def _session(self, *, reading: bool) -> "Iterator[Session]":
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.orm import Session

        engine = self._connected().execution_options(reading=reading)
        try:
            with self._turn(reading), Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except DBAPIError as error:
            raise (schema.translate(error.orig, self.database) or error) from error

    @contextlib.contextmanager
    def _turn(self, reading: bool) -> "Iterator[None]":
        """Lets the threads of this process write one after the other.

        SQLite would let them ask again and again until one of them has had no luck for too long.
        """
        if reading:
            yield
            return
        if not self._writing.acquire(timeout=TURN_SECONDS):
            raise schema.held(say("by this program", "本程序"))
        try:
            yield
        finally:
            self._writing.release()

    def _connected(self) -> "Engine":
        with self._engine_guard:
            if self._engine is None:
                self._engine = _engine(self.database)
            return self._engine

    def sweep(self, min_age_seconds: float = 3600) -> int:
        """Removes contents that no living artifact names; returns how many.

        The age protects contents that are stored but whose record is not committed yet.
        """
        from sqlalchemy import select

        from inkseal.store.records import ArtifactRow

        with self.transaction() as session:
            living = session.scalars(select(ArtifactRow.sha256).where(ArtifactRow.state != "deleted")).all()
            return self.blobs.sweep(living, min_age_seconds)

    def write_back(self) -> bool:
        """Puts the log into the database, so that no old page lies in it; returns False when a reader is at it."""
        with schema.database_errors(self.database), self._keeper_guard:
            if self._keeper is None:
                return False
            busy, _, _ = self._keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def close(self) -> None:
        """Writes the log back into the database and lets go of the folder."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def folder_lock(data_dir: Path) -> FileLock:
    """Returns the lock that the one writer of a data folder holds."""
    return FileLock(data_dir / ".lock", str(data_dir))


def _engine(database: Path) -> "Engine":
    from sqlalchemy import Connection, create_engine, event
    from sqlalchemy.engine import URL

    engine = create_engine(URL.create("sqlite", database=str(database)), connect_args={"timeout": BUSY_SECONDS})

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for one view of the records
        schema.configure(connection)

    def begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _up_to_date(data_dir: Path) -> bool:
    """True when a reader can use the records as they are.

    Raises:
        StoreError: they are damaged or of a newer Inkseal.
    """
    database = data_dir / DATABASE
    if not database.exists() or (data_dir / RESTORING).exists():
        return False
    with schema.database_errors(database), contextlib.closing(schema.connect(database)) as connection:
        connection.execute("PRAGMA query_only = ON")
        found = schema.version(connection)
        schema.check_known(found)
        schema.check_whole(connection, database)
        return found == schema.revisions()[-1]


def _prepare(data_dir: Path) -> None:
    database = data_dir / DATABASE
    has_contents = any(Blobs(data_dir / ARTIFACTS))
    if not database.exists() and has_contents:
        raise schema.damaged(database, say("the file is missing, but artifacts are there", "文件缺失，但存在作品"))
    with disk_errors(database), schema.database_errors(database):
        is_new = not database.exists()
        with contextlib.closing(schema.connect(database)) as connection:
            if is_new:
                database.chmod(0o600)
                sync_folder(data_dir)
            found = schema.version(connection)
            schema.check_known(found)
            schema.check_whole(connection, database)
            if found == schema.revisions()[-1]:
                return
            if found is None and has_contents:
                raise schema.damaged(database, say("it is empty, but artifacts are there", "内容为空，但存在作品"))
            if found is not None:
                schema.keep_copy(connection, database, found)
            connection.execute("PRAGMA journal_mode = WAL")
        schema.migrate(database)


def finish_restore(data_dir: Path) -> None:
    """Moves a proven restore into place, also one that was broken off while moving."""
    staging = data_dir / RESTORING
    if not staging.exists():
        return
    with disk_errors(staging):
        if (staging / VERIFIED).exists():
            for path in list(staging.iterdir()):
                if not path.name.startswith("."):
                    path.rename(data_dir / path.name)
            sync_folder(data_dir)
        if (data_dir / DATABASE).exists():  # all is in place; what is left of the staging folder is rubbish
            shutil.rmtree(staging)
            sync_folder(data_dir)


def _refuse_half_restored(data_dir: Path) -> None:
    if (data_dir / RESTORING).exists():
        raise StoreError(
            say(f"A restore into {data_dir} was broken off.", f"向 {data_dir} 的恢复曾被中断。"),
            fix=say(
                "Run the same `inkseal restore` again; it goes on.",
                "请再次运行同一条 `inkseal restore` 命令，它会继续。",
            ),
        )
