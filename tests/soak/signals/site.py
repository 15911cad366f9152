"""A small site for simulated signal days: six rooms, a lead, an assessor, a chair; copied every day."""

import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evidence.database import WriterDatabase
from exam.clock import MINUTE_US

PLACES = 4
# Where a day's database lies: memory, so that a durable commit costs nothing.
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
ROOMS = {
    "R01": "theory",
    "R02": "theory",
    "P01": "practical",
    "V01": "viva_room",
    "S01": "contingency_hall",
    "S02": "contingency_hall",
}
ACCOUNTS = ("lead", "second", "proctor", "assessor", "chair")


@dataclass(frozen=True, slots=True)
class Site:
    """The laid database as a file, and the ids of everything in it."""

    file: Path
    rooms: Mapping[str, int]
    accounts: Mapping[str, int]
    places: Mapping[int, tuple[int, ...]]
    batch_id: int


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One session of a simulated day."""

    code: str
    kind: str
    rooms: tuple[str, ...]
    start_us: int
    duration_us: int


@cache
def site() -> Site:
    """The site of this process."""
    folder = Path(tempfile.mkdtemp(prefix=".kaochang-signals-", dir=MEMORY))
    database = WriterDatabase(folder / "exam.db", "exam")
    with database.write() as connection:
        laid = _lay(connection, folder / "exam.db")
    database.close()
    with sqlite3.connect(folder / "exam.db") as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    return laid


def open_day(name: str, sessions: list[PlannedSession]) -> tuple[WriterDatabase, list[int]]:
    """A database of its own for one day, with its sessions; their ids in order."""
    folder = site().file.parent / name
    folder.mkdir()
    shutil.copy(site().file, folder / "exam.db")
    database = WriterDatabase(folder / "exam.db", "exam")
    with database.write() as connection:
        ids = [_plan(connection, one) for one in sessions]
    return database, ids


def close_day(database: WriterDatabase) -> None:
    """Nothing is kept of a day: its seed makes it again."""
    database.close()
    shutil.rmtree(database.path.parent)


def leave() -> None:
    """Take the site of this process away."""
    shutil.rmtree(site().file.parent, ignore_errors=True)
    site.cache_clear()


def _lay(connection: sqlite3.Connection, file: Path) -> Site:
    rooms = {
        code: _insert(connection, "room", code=code, label=f"考场{code}", kind=kind)
        for code, kind in ROOMS.items()
    }
    places = {
        room_id: tuple(
            _insert(
                connection,
                "place",
                room_id=room_id,
                kind="station",
                label=str(number),
                grid_row=1,
                grid_col=number,
            )
            for number in range(1, PLACES + 1)
        )
        for room_id in rooms.values()
    }
    accounts = {
        name: _insert(
            connection,
            "account",
            login_name=name,
            display_name=name,
            password_hash="$argon2id$none",
            created_at_us=1,
        )
        for name in ACCOUNTS
    }
    batch = _insert(connection, "batch", code="B1", name="批次", occupation="电工", level="三级")
    _insert(connection, "site", id=1, uuid=str(uuid.uuid4()), code="S", name="考点", created_at_us=1)
    return Site(file, rooms, accounts, places, batch)


def _plan(connection: sqlite3.Connection, one: PlannedSession) -> int:
    session_id = _insert(
        connection,
        "session",
        batch_id=site().batch_id,
        code=one.code,
        kind=one.kind,
        subject=one.kind,
        procedure_code=one.kind,
        planned_start_us=one.start_us,
        duration_us=one.duration_us,
    )
    for code in one.rooms:
        _insert(connection, "session_room", session_id=session_id, room_id=site().rooms[code])
    return session_id


def _insert(connection: sqlite3.Connection, table: str, **values: object) -> int:
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    cursor = connection.execute(f"insert into {table} ({names}) values ({marks})", tuple(values.values()))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def usual_sessions(start_us: int) -> list[PlannedSession]:
    """One session of each kind, overlapping."""
    return [
        PlannedSession("T1", "theory", ("R01", "R02"), start_us, 60 * MINUTE_US),
        PlannedSession("P1", "practical", ("P01",), start_us + 20 * MINUTE_US, 90 * MINUTE_US),
        PlannedSession("V1", "review", ("V01",), start_us + 40 * MINUTE_US, 60 * MINUTE_US),
    ]
