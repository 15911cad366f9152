"""Reading the day back: rooms, places, sessions and announcements as `exam.day` values."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from sqlite3 import Connection, Row
from typing import Final

from exam.day import Announced, Place, PlaceKind, Room, RoomKind, Session, SessionKind, Source


def load_rooms(connection: Connection) -> dict[int, Room]:
    """Every room by its id, in the order of their codes."""
    rows = connection.execute("select id, code, label, kind, directions from room order by code")
    return {
        row["id"]: Room(row["id"], row["code"], row["label"], RoomKind(row["kind"]), row["directions"])
        for row in rows
    }


def load_places(connection: Connection, room_id: int) -> list[Place]:
    """The seats or stations of one room, front row first."""
    rows = connection.execute(
        "select id, room_id, kind, label, grid_row, grid_col from place where room_id = ?"
        " order by grid_row, grid_col",
        (room_id,),
    )
    return [
        Place(
            row["id"], row["room_id"], PlaceKind(row["kind"]), row["label"], row["grid_row"], row["grid_col"]
        )
        for row in rows
    ]


def load_sessions(connection: Connection) -> list[Session]:
    """Every session, earliest planned start first; cancelled ones included."""
    rooms: Mapping[int, list[int]] = _rooms_by_session(connection)
    rows = connection.execute("select * from session order by planned_start_us, code")
    return [_session(row, rooms.get(row["id"], [])) for row in rows]


def load_session(connection: Connection, session_id: int) -> Session | None:
    """One session; None when there is none of that id."""
    row = connection.execute("select * from session where id = ?", (session_id,)).fetchone()
    if row is None:
        return None
    rooms = connection.execute(
        "select room_id from session_room join room on room.id = room_id where session_id = ?"
        " order by room.code",
        (session_id,),
    )
    return _session(row, [room["room_id"] for room in rooms])


def clock_epoch(connection: Connection) -> int:
    """By which clock a row that is written now stands: the last clock decision's id, 0 before the first."""
    return int(connection.execute("select coalesce(max(id), 0) from console_clock_decision").fetchone()[0])


def sessions_in(connection: Connection, room_id: int) -> set[int]:
    """Every session that sits in the room, or moves into it at some time (R21)."""
    rows = connection.execute(
        "select session_id from session_room where room_id = ?1"
        " union select session_id from room_move where to_room_id = ?1",
        (room_id,),
    )
    return {row["session_id"] for row in rows}


def shifted(table: str, column: str) -> str:
    """The column of a table that has `clock_epoch`, as read by the clock that counts now.

    When the site lead took over another clock, everything recorded before moved by as much.
    """
    return (
        f"{table}.{column} + (select coalesce(sum(shift_us), 0) from console_clock_decision"  # noqa: S608 - our own names
        f" where console_clock_decision.id > {table}.clock_epoch) as {column}"
    )


_ANNOUNCED: Final = (
    f"select session_id, room_id, cue_code, {shifted('announcement', 'planned_at_us')},"  # noqa: S608 - our own names
    f" {shifted('announcement', 'emitted_at_us')}, occurrence, source, account_id"
    " from announcement where session_id = ? order by announcement.id"
)


def load_announced(connection: Connection, session_id: int) -> list[Announced]:
    """Everything announced or missed in the session so far, in the order recorded."""
    return [
        Announced(row[0], row[1], row[2], row[3], row[4], row[5], Source(row["source"]), row["account_id"])
        for row in connection.execute(_ANNOUNCED, (session_id,))
    ]


def _rooms_by_session(connection: Connection) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for session_id, room_id in connection.execute(
        "select session_id, room_id from session_room join room on room.id = room_id order by room.code"
    ):
        found[session_id].append(room_id)
    return found


def _session(row: Row, room_ids: Sequence[int]) -> Session:
    return Session(
        id=row["id"],
        batch_id=row["batch_id"],
        code=row["code"],
        kind=SessionKind(row["kind"]),
        subject=row["subject"],
        procedure_code=row["procedure_code"],
        planned_start_us=row["planned_start_us"],
        duration_us=row["duration_us"],
        room_ids=tuple(room_ids),
        armed_at_us=row["armed_at_us"],
        cancelled_at_us=row["cancelled_at_us"],
    )
