"""What chores work with: the settings, the store, and exam.db for reading."""

from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from evidence.database import ReaderDatabase
from evidence.ingest import Store
from evidence.work_orders import Order, OrderKind, unfinished


@dataclass(slots=True)
class ExamReader:
    """exam.db, read-only, as soon as the console has made it. For one thread."""

    path: Path
    _database: ReaderDatabase | None = None

    def database(self) -> ReaderDatabase | None:
        """The database; None while there is none that can be read."""
        if self._database is None and self.path.exists():
            self._database = ReaderDatabase(self.path)
        return self._database

    def close(self) -> None:
        """Close the connection."""
        if self._database is not None:
            self._database.close()


def open_orders(exam: ReaderDatabase, store: Store, kind: OrderKind) -> list[Order]:
    """The orders of a kind that have no final report, oldest first."""
    with exam.read() as connection, store.database.read() as footage:
        return unfinished(connection, footage, kind)


@dataclass(frozen=True, slots=True)
class ChoreTools:
    """What chores may use: footage.db and the disks by `store`, exam.db by an `ExamReader` each."""

    settings: Settings
    store: Store
