"""What people decided about recording: modes, starts and stops by hand, sessions that changed rooms.

Rows of exam.db, written by web, each with its reason and its ledger leaf; the recorder reads them. What
they mean is decided in `exam.recording_decision` and `exam.recording_schedule`.
"""

from collections import defaultdict
from dataclasses import dataclass
from sqlite3 import Connection

from evidence.day import clock_epoch, shifted
from evidence.ledger import LeafKind, append_fact
from exam.course import Move
from exam.recording_decision import HandAct, HandOrder, ModeChange, RecordingMode, RoomOrders


class RecordingOrderError(Exception):
    """The order contradicts the day plan, such as a session moving out of a room it is not in."""


@dataclass(frozen=True, slots=True)
class Who:
    """Whose decision it is, and why. `agreed_by`: the second person, where one is needed."""

    account_id: int
    reason: str
    agreed_by: int | None = None


@dataclass(frozen=True, slots=True)
class NewMove:
    """A session about to go on elsewhere."""

    session_id: int
    from_room_id: int
    to_room_id: int
    moves_at_us: int


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as people read it: `room_label` is empty for the whole site."""

    room_label: str
    act: str
    detail: str
    reason: str
    by: str
    agreed_by: str | None
    at_us: int


def change_mode(
    connection: Connection, room_id: int | None, mode: RecordingMode | None, who: Who, now_us: int
) -> None:
    """Set the mode of a room, or of the site when no room is given, from now on."""
    row = connection.execute(
        "insert into recording_mode (room_id, mode, reason, changed_by, changed_at_us)"
        " values (?, ?, ?, ?, ?) returning id as recording_mode_id, room_id, mode, reason, salt,"
        " changed_by as account_id, changed_at_us",
        (room_id, mode, who.reason, who.account_id, now_us),
    ).fetchone()
    append_fact(connection, LeafKind.RECORDING_MODE, row, now_us, "reason")


def order_by_hand(connection: Connection, room_id: int, act: HandAct, who: Who, now_us: int) -> None:
    """Start or stop the recording of a room from now on."""
    row = connection.execute(
        "insert into recording_order (room_id, act, reason, ordered_by, agreed_by, ordered_at_us)"
        " values (?, ?, ?, ?, ?, ?) returning id as recording_order_id, room_id, act, reason, salt,"
        " ordered_by as account_id, agreed_by as agreed_by_account_id, ordered_at_us",
        (room_id, act, who.reason, who.account_id, who.agreed_by, now_us),
    ).fetchone()
    append_fact(connection, LeafKind.RECORDING_ORDER, row, now_us, "reason")


def move_session(connection: Connection, move: NewMove, who: Who, now_us: int) -> None:
    """Let the session go on in another room. Raises RecordingOrderError when it is not in the first one."""
    if move.from_room_id not in rooms_of(connection, move.session_id):
        raise RecordingOrderError("the session is not in this room")
    if move.to_room_id == move.from_room_id:
        raise RecordingOrderError("the session is in this room already")
    row = connection.execute(
        "insert into room_move (session_id, from_room_id, to_room_id, moves_at_us, reason, decided_by,"
        " recorded_at_us, clock_epoch) values (?, ?, ?, ?, ?, ?, ?, ?) returning id as room_move_id,"
        " session_id, from_room_id, to_room_id, moves_at_us, reason, salt, decided_by as account_id",
        (
            move.session_id,
            move.from_room_id,
            move.to_room_id,
            move.moves_at_us,
            who.reason,
            who.account_id,
            now_us,
            clock_epoch(connection),
        ),
    ).fetchone()
    append_fact(connection, LeafKind.ROOM_MOVE, row, now_us, "reason")


def rooms_of(connection: Connection, session_id: int) -> list[int]:
    """Where the session sits after all its moves."""
    rows = connection.execute("select room_id from session_room where session_id = ?", (session_id,))
    rooms = [int(row["room_id"]) for row in rows]
    for move in load_moves(connection, session_id):
        rooms = [move.to_room_id if room == move.from_room_id else room for room in rooms]
    return rooms


def load_moves(connection: Connection, session_id: int) -> list[Move]:
    """The session's moves, in the order in which people moved."""
    rows = connection.execute(
        f"select from_room_id, to_room_id, {shifted('room_move', 'moves_at_us')},"  # noqa: S608 - our own names
        f" {shifted('room_move', 'recorded_at_us')} from room_move where session_id = ?"
        " order by moves_at_us, id",
        (session_id,),
    )
    return [Move(*row) for row in rows]


def load_room_orders(connection: Connection) -> dict[int, RoomOrders]:
    """What people decided about each room, by its id; rooms nobody decided about follow the site."""
    modes: dict[int | None, list[ModeChange]] = defaultdict(list)
    for row in connection.execute("select room_id, mode, changed_at_us from recording_mode order by id"):
        mode = None if row["mode"] is None else RecordingMode(row["mode"])
        modes[row["room_id"]].append(ModeChange(mode, row["changed_at_us"]))
    by_hand: dict[int, list[HandOrder]] = defaultdict(list)
    for row in connection.execute("select room_id, act, ordered_at_us from recording_order order by id"):
        by_hand[row["room_id"]].append(HandOrder(HandAct(row["act"]), row["ordered_at_us"]))
    rooms = [row["id"] for row in connection.execute("select id from room")]
    return {room: RoomOrders(modes[None], modes[room], by_hand[room]) for room in rooms}


def latest_decisions(connection: Connection, limit: int) -> list[Decided]:
    """The latest decisions of all kinds, newest first, for people."""
    rows = connection.execute(
        "select coalesce(room.label, '') as room_label, act, detail, reason, one.display_name as by,"
        " other.display_name as agreed_by, at_us from ("
        "  select room_id, 'mode' as act, coalesce(mode, 'as_site') as detail, reason, changed_by as by_id,"
        "   null as agreed_id, changed_at_us as at_us from recording_mode"
        "  union all select room_id, act, '', reason, ordered_by, agreed_by, ordered_at_us"
        "   from recording_order"
        "  union all select from_room_id, 'move', target.label, reason, decided_by, null, recorded_at_us"
        "   from room_move join room target on target.id = to_room_id"
        " ) left join room on room.id = room_id join account one on one.id = by_id"
        " left join account other on other.id = agreed_id order by at_us desc limit ?",
        (limit,),
    )
    return [Decided(*row) for row in rows]
