"""Room set aside beside a database, given up when its disk is full, so that the next write succeeds.

A file of real blocks that nobody reads. Giving it up means cutting it to nothing: check-ins, signals
and rows of footage can be written on while people make room. Nothing else is ever cut or deleted for room.
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, Final

import structlog

from exam.clock import Clock

if TYPE_CHECKING:
    from evidence.database import WriterDatabase

# What SQLite says when a write finds no room: for the file or its log, or for the log's index.
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
# Room is set aside again only when this many times as much is free: else it would go to and fro.
ROOM_TO_RESTORE: Final = 3
# With less than this free the next write may fail.
LEAST_BYTES: Final = 4 * 1024 * 1024
TEND_S: Final = 2.0

_log: Final = structlog.get_logger("evidence")


def free_bytes(folder: Path) -> int:
    """How much room the folder's disk has. Raises OSError."""
    numbers = os.statvfs(folder)
    return numbers.f_bavail * numbers.f_frsize


def is_for_room(error: BaseException) -> bool:
    """Whether a write failed because the disk is full."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) in _FULL


@dataclass(slots=True)
class Reserve:
    """The file beside one database. Of size 0 the reserve is switched off."""

    database: Path
    size_bytes: int
    free: Callable[[Path], int] = free_bytes

    @property
    def path(self) -> Path:
        """Where the room lies."""
        return self.database.with_name(self.database.name + ".reserve")

    @property
    def is_there(self) -> bool:
        """Whether the room is set aside; also when none is wanted."""
        return self.size_bytes == 0 or self._stored_bytes() >= self.size_bytes

    def restore(self) -> bool:
        """Set the room aside when there is plenty. False when there is not."""
        if self.is_there:
            return True
        if self.free(self.database.parent) < ROOM_TO_RESTORE * self.size_bytes + LEAST_BYTES:
            return False
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self.size_bytes)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return True

    def make_room(self) -> None:
        """Give the room up before a write would fail: then nobody has to ask for it twice."""
        try:
            if self.size_bytes and self.free(self.database.parent) < LEAST_BYTES:
                self.release()
        except OSError as error:  # the write itself will tell, in words that its caller knows
            _log.exception("database_room_unknown", database=self.database.name, error=str(error))

    def release(self) -> bool:
        """Give the room up. False when there was none."""
        try:
            if self.size_bytes == 0 or self._stored_bytes() == 0:
                return False
            os.truncate(self.path, 0)
        except OSError as error:  # must not hide the fault of the write that asked for room
            _log.exception("database_reserve_not_released", database=self.database.name, error=str(error))
            return False
        _log.error("database_reserve_released", database=self.database.name, size_bytes=self.size_bytes)
        return True

    def _stored_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


@dataclass(slots=True)
class ReserveKeeper:
    """Looks after a writer's reserve in a thread of its own, from construction until `close`."""

    database: "WriterDatabase"
    clock: Clock
    every_s: float = TEND_S
    _is_over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._keep, name="database-reserve", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._is_over.set()
        self._thread.join()

    def tend(self) -> None:
        """Record that the room was given up, and set it aside again when there is plenty."""
        try:
            is_there = self.database.reserve.restore()
            with self.database.read() as connection:
                is_told = released_at_us(connection) is not None
            if is_there == is_told:
                tell = _tell_restored if is_there else _tell_released
                with self.database.write() as connection:
                    tell(connection, self.clock.wall_us())
        except (OSError, sqlite3.Error) as error:  # the next turn tries again
            _log.exception("database_reserve_not_tended", error=str(error))

    def _keep(self) -> None:
        while not self._is_over.is_set():
            self.tend()
            self._is_over.wait(self.every_s)


def released_at_us(connection: Connection) -> int | None:
    """Since when the database lives without its reserve; None when it has it."""
    row = connection.execute(
        "select released_at_us from reserve_release where restored_at_us is null"
    ).fetchone()
    return None if row is None else int(row[0])


def _tell_released(connection: Connection, now_us: int) -> None:
    connection.execute("insert into reserve_release (released_at_us) values (?)", (now_us,))


def _tell_restored(connection: Connection, now_us: int) -> None:
    connection.execute(
        "update reserve_release set restored_at_us = max(released_at_us, ?) where restored_at_us is null",
        (now_us,),
    )
