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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from evidence.database_reserve import Reserve, is_for_room
from evidence.standing_tables import changed_behind, has_sums, record_anew, record_changed, watch
from exam.clock import Clock

SCHEMA_FOLDER: Final = Path(__file__).parent / "schema"
LEDGER_SCRIPT: Final = "ledger_0001.sql"
WITH_LEDGER: Final = frozenset({"exam", "footage"})
CHECKPOINT_PAGES: Final = 1000
CLOSE_PATIENCE_S: Final = 5.0
_WRITER_SETTINGS: Final = (
    "journal_mode = wal",
    "synchronous = full",
    "foreign_keys = on",
    "busy_timeout = 5000",
    f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
    "temp_store = memory",
)


_log: Final = structlog.get_logger("database")


class DatabaseError(Exception):
    """A database cannot be used; the message names the file and what to do."""


class WriterBusyError(DatabaseError):
    """Another process already writes this file."""


class SchemaError(DatabaseError):
    """The file is missing, or a newer program made it."""


def migrations(name: str) -> Migrations:
    """All schema steps of one database (`exam` or `footage`), oldest first."""
    steps = Migrations(f"kaochang.{name}")
    for script in _scripts(name):
        _register(steps, script)
    return steps


def _scripts(name: str) -> list[Path]:
    """The first step of a database with a ledger is followed by the ledger's own."""
    own = sorted(SCHEMA_FOLDER.glob(f"{name}_*.sql"))
    return [*own[:1], SCHEMA_FOLDER / LEDGER_SCRIPT, *own[1:]] if name in WITH_LEDGER else own


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

    def __init__(
        self, path: Path, name: str, reserve_bytes: int = 0, held: "WriterLock | None" = None
    ) -> None:
        """Create or migrate the file; `reserve_bytes` are given up when its disk is full.

        `held`: the writer's lock, where the caller has it already and keeps it for longer.

        Raises WriterBusyError when another process writes it, SchemaError when a newer program made it,
        and DatabaseError when it cannot be used.
        """
        self.path = path
        self.reserve = Reserve(path, reserve_bytes)
        self._mutex = threading.RLock()
        # Set while the sums of tables that are changed in place are kept in the ledger.
        self._standing_clock: Clock | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = _take_writer_lock(path) if held is None else held.shared()
        except OSError as error:
            raise DatabaseError(f"database {path} cannot be used: {error.strerror}") from error
        try:
            self._connection, self._is_migrated = _writing_connection(path, name)
        except BaseException:
            self._lock_file.close()
            raise
        self._readers = ReaderDatabase(path)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed and durable on return, undone on any exception."""
        with self._mutex:
            self.reserve.make_room()
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                if self._standing_clock is not None:
                    record_changed(self._connection, self._standing_clock.wall_us())
                self._connection.execute("commit")
            except BaseException as error:
                # A full disk can end the transaction by itself, or leave one whose commit failed.
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                if is_for_room(error):  # what asked for this write tries again, and finds room
                    self.reserve.release()
                raise

    def watch_standing(self, clock: Clock) -> None:
        """From here on keep the sums of tables that are changed in place: for who signs the ledger."""
        if self._standing_clock is not None:
            return
        with self.write() as connection:
            watch(connection)
            if self._is_migrated or not has_sums(connection):
                record_anew(connection, clock.wall_us())
            else:
                for table in changed_behind(connection):
                    _log.error("table_changed_behind_our_back", table=table)
        self._standing_clock = clock

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
    """Read-only view of a file that another process (or this one) writes.

    A tolerant one reads text of which bytes were changed, and shows what is no UTF-8 as escapes.
    """

    def __init__(self, path: Path, *, is_tolerant: bool = False) -> None:
        """Raises SchemaError when the file does not exist yet."""
        if not path.exists():
            raise SchemaError(f"database {path} does not exist yet: start the service that writes it first")
        self.path, self._is_tolerant = path, is_tolerant
        self._local = threading.local()
        self._all: list[_ThreadReader] = []
        self._mutex = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent snapshot: two questions inside see the same moment."""
        reader = self._reader()
        with reader.in_use:
            if reader.connection.in_transaction:  # nested read: the outer snapshot serves both
                yield reader.connection
                return
            reader.connection.execute("begin")
            try:
                yield reader.connection
            finally:
                reader.connection.execute("rollback")

    def _reader(self) -> "_ThreadReader":
        reader: _ThreadReader | None = getattr(self._local, "reader", None)
        if reader is None:
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.row_factory = sqlite3.Row
            if self._is_tolerant:
                connection.text_factory = _escaped
            connection.execute("pragma query_only = on")
            connection.execute("pragma busy_timeout = 5000")
            connection.execute("pragma wal_autocheckpoint = 0")
            reader = self._local.reader = _ThreadReader(connection)
            with self._mutex:
                self._all.append(reader)
        return reader

    def close(self, patience_s: float = CLOSE_PATIENCE_S) -> None:
        """Close the connections of all threads, each once its thread has finished reading.

        SQLite crashes the process when a connection is closed under a running question. A thread that
        reads on for too long keeps its connection; the process is about to end anyway.
        """
        self._local = threading.local()
        with self._mutex:
            readers, self._all = self._all, []
        for reader in readers:
            if reader.in_use.acquire(timeout=patience_s):
                reader.connection.close()
                reader.in_use.release()


def _escaped(text: bytes) -> str:
    return text.decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class _ThreadReader:
    """One thread's connection, and the lock it holds while it reads."""

    connection: sqlite3.Connection
    in_use: threading.RLock = field(default_factory=threading.RLock)


def _writing_connection(path: Path, name: str) -> tuple[sqlite3.Connection, bool]:
    """The connection, and whether schema steps were made."""
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
            is_migrated = _migrate(connection, path, name)
            undo.pop_all()
            return connection, is_migrated
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:  # an error's words can be damaged too
        raise DatabaseError(f"database {path} cannot be used: {error}") from error


def _migrate(connection: sqlite3.Connection, path: Path, name: str) -> bool:
    """Bring the file to this program's schema; whether there was anything to do."""
    steps, database = migrations(name), Database(connection, execute_plugins=False)
    known = {script.stem for script in _scripts(name)}
    newer = [step.name for step in steps.applied(database) if step.name not in known]
    if newer:
        raise SchemaError(
            f"database {path} was written by a newer Kaochang (schema step {newer[-1]}): use that version"
        )
    is_due = bool(steps.pending(database))
    steps.apply(database)
    return is_due


@contextmanager
def writer_lock(path: Path) -> Iterator["WriterLock"]:
    """Keep every writer of the file away without opening it. Raises WriterBusyError when there is one."""
    lock = _take_writer_lock(path)
    try:
        yield lock
    finally:
        lock.close()


def _take_writer_lock(path: Path) -> "WriterLock":
    beside = path.with_name(path.name + ".writer")
    lock = WriterLock.taken(beside)
    if lock is None:
        owner = beside.read_text(encoding="ascii", errors="replace")[:64].strip() or "owner unknown"
        raise WriterBusyError(
            f"{path.name} is already being written by another process ({owner}): stop it first"
        )
    return lock


@dataclass(frozen=True, slots=True)
class WriterLock:
    """The writer's lock of one file, from `writer_lock`. Given back when all who share it have closed it."""

    descriptor: int

    @classmethod
    def taken(cls, path: Path) -> "WriterLock | None":
        """None: another process has it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}\n".encode("ascii"), 0)
        return cls(descriptor)

    def shared(self) -> "WriterLock":
        """The same lock once more, closed on its own."""
        return WriterLock(os.dup(self.descriptor))

    def close(self) -> None:
        """Give it back."""
        os.close(self.descriptor)
