"""Opening the databases: one writer per file, readers beside it.

The writer takes an exclusive lock file for its whole life, so a second writer is refused, and is
the only connection that checkpoints (SQLite before 3.51.3 can lose a WAL reset otherwise).
Durability: a committed write survives power loss (`synchronous=FULL`).
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

SCHEMA_FOLDER: Final = Path(__file__).parent / "schema"
CHECKPOINT_PAGES: Final = 1000
_WRITER_SETTINGS: Final = (
    "journal_mode = wal",
    "synchronous = full",
    "foreign_keys = on",
    "busy_timeout = 5000",
    f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
)


class DatabaseError(Exception):
    """A database cannot be used; the message names the file and what to do."""


class WriterBusyError(DatabaseError):
    """Another process already writes this file."""


class SchemaError(DatabaseError):
    """The file is missing, or a newer program made it."""


def migrations(name: str) -> Migrations:
    """All schema steps of one database (`exam` or `footage`), oldest first."""
    steps = Migrations(f"kaochang.{name}")
    for script in sorted(SCHEMA_FOLDER.glob(f"{name}_*.sql")):
        _register(steps, script)
    return steps


def _register(steps: Migrations, script: Path) -> None:
    def apply(database: Database) -> None:
        for statement in _statements(script.read_text(encoding="utf-8")):
            database.conn.execute(statement)

    steps(name=script.stem)(apply)


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the migration's transaction half way.
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


class WriterDatabase:
    """The one connection of this machine that may write the file.

    Safe for many threads: `write` holds a lock for the length of its transaction, `read` gives
    each thread its own read-only connection.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Create or migrate the file.

        Raises WriterBusyError when another process writes it, SchemaError when a newer program made it,
        and DatabaseError when it cannot be used.
        """
        self.path = path
        self._mutex = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = _take_writer_lock(path)
        except OSError as error:
            raise DatabaseError(f"database {path} cannot be used: {error.strerror}") from error
        try:
            self._connection = _writing_connection(path, name)
        except BaseException:
            self._lock_file.close()
            raise
        self._readers = ReaderDatabase(path)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed and durable on return, undone on any exception."""
        with self._mutex:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                self._connection.execute("commit")
            except BaseException:
                # A full disk can end the transaction by itself, or leave one whose commit failed.
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent snapshot for reading."""
        with self._readers.read() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection and give the writer's lock back."""
        self._readers.close()
        with self._mutex:
            self._connection.close()
        self._lock_file.close()


class ReaderDatabase:
    """Read-only view of a file that another process (or this one) writes."""

    def __init__(self, path: Path) -> None:
        """Raises SchemaError when the file does not exist yet."""
        if not path.exists():
            raise SchemaError(f"database {path} does not exist yet: start the service that writes it first")
        self.path = path
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._mutex = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent snapshot: two questions inside see the same moment."""
        connection = self._connection()
        if connection.in_transaction:  # nested read: the outer snapshot serves both
            yield connection
            return
        connection.execute("begin")
        try:
            yield connection
        finally:
            connection.execute("rollback")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.row_factory = sqlite3.Row
            connection.execute("pragma query_only = on")
            connection.execute("pragma busy_timeout = 5000")
            connection.execute("pragma wal_autocheckpoint = 0")
            self._local.connection = connection
            with self._mutex:
                self._all.append(connection)
        return connection

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._mutex:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()


def _writing_connection(path: Path, name: str) -> sqlite3.Connection:
    try:
        # Made before SQLite opens it: the files beside it (-wal, -shm) get the rights of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
        with ExitStack() as undo:
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            undo.callback(connection.close)
            connection.row_factory = sqlite3.Row
            for setting in _WRITER_SETTINGS:
                connection.execute(f"pragma {setting}")
            _migrate(connection, path, name)
            undo.pop_all()
            return connection
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"database {path} cannot be used: {error}") from error


def _migrate(connection: sqlite3.Connection, path: Path, name: str) -> None:
    steps, database = migrations(name), Database(connection, execute_plugins=False)
    known = {script.stem for script in SCHEMA_FOLDER.glob(f"{name}_*.sql")}
    newer = [step.name for step in steps.applied(database) if step.name not in known]
    if newer:
        raise SchemaError(
            f"database {path} was written by a newer Kaochang (schema step {newer[-1]}): use that version"
        )
    steps.apply(database)


def _take_writer_lock(path: Path) -> "_LockFile":
    lock = _LockFile(path.with_name(path.name + ".writer"))
    if not lock.acquired:
        raise WriterBusyError(
            f"{path.name} is already being written by another process ({lock.owner}): stop it first"
        )
    return lock


class _LockFile:
    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.owner = ""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.acquired = True
        except BlockingIOError:
            self.acquired = False
            self.owner = (
                os.pread(self._descriptor, 64, 0).decode("ascii", "replace").strip() or "owner unknown"
            )
            os.close(self._descriptor)
            return
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"process {os.getpid()}\n".encode("ascii"), 0)

    def close(self) -> None:
        os.close(self._descriptor)
