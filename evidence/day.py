"""Reading the day back: rooms, places, sessions and announcements as `exam.day` values."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from sqlite3 import Connection, Row

from exam.day import Announced, Place, PlaceKind, Room, RoomKind, Session, SessionKind


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


def load_announced(connection: Connection, session_id: int) -> list[Announced]:
    """Everything announced or missed in the session so far, in the order recorded."""
    rows = connection.execute(
        "select session_id, room_id, cue_code, planned_at_us, emitted_at_us, occurrence from announcement"
        " where session_id = ? order by id",
        (session_id,),
    )
    return [Announced(*row) for row in rows]


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
