"""Reads from exam.db what every room owes: facts for `exam.recording_schedule` and `recording_decision`."""

from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.courses import load_course
from evidence.day import load_rooms, load_sessions
from evidence.recording_orders import load_room_orders
from exam.clock import MINUTE_US
from exam.day import Session
from exam.procedure import Procedure
from exam.recording_decision import (
    Owed,
    RoomOrders,
    owed_by_room,
    owed_for_exam_day,
    owed_for_session,
    owed_for_whole_days,
)
from exam.recording_schedule import Schedule, schedules

DAY_US: Final = 24 * 60 * MINUTE_US
# Sessions this far away in either direction matter to what cameras do now.
NEAR_US: Final = 2 * DAY_US


@dataclass(frozen=True, slots=True)
class PlannedCamera:
    """A camera of the site plan, in service or retired; `added_at_us` is None when nobody kept it."""

    uuid: str
    room_id: int
    retired_at_us: int | None
    added_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What every room owes, and which cameras look at it; `unknown` are sessions without their procedure."""

    owed: Mapping[int, tuple[Owed, ...]]
    cameras: tuple[PlannedCamera, ...]
    unknown: tuple[Session, ...] = ()

    def owed_by(self, camera: PlannedCamera) -> tuple[Owed, ...]:
        """What the camera's room owes."""
        return self.owed.get(camera.room_id, ())


def load_schedules(
    connection: Connection, procedures: Mapping[str, Procedure], now_us: int, back_us: int = NEAR_US
) -> list[Schedule]:
    """What the rooms of all sessions near now owe because of them; `back_us` is how far back near is.

    A session whose procedure file has gone has no schedule; see `load_unknown`.
    """
    return [
        one
        for session in _near(connection, now_us, back_us)
        if session.procedure_code in procedures
        for one in schedules(load_course(connection, session, procedures), now_us)
    ]


def load_unknown(
    connection: Connection, procedures: Mapping[str, Procedure], now_us: int, back_us: int = NEAR_US
) -> tuple[Session, ...]:
    """The sessions near now of which nobody knows what they owe: their procedure file has gone."""
    return tuple(
        session
        for session in _near(connection, now_us, back_us)
        if session.procedure_code not in procedures and session.cancelled_at_us is None
    )


def owed_for_unknown(session: Session) -> Owed:
    """Rather too much footage than too little: every room of the site, all of the session's exam day."""
    return owed_for_whole_days(session.planned_start_us, session.planned_start_us + session.duration_us)


def load_plan(
    connection: Connection, procedures: Mapping[str, Procedure], now_us: int, back_us: int = NEAR_US
) -> RecordingPlan:
    """What every room of the site owes near now, for whatever reason."""
    unknown = load_unknown(connection, procedures, now_us, back_us)
    everywhere = sorted({owed_for_unknown(session) for session in unknown}, key=lambda one: one.from_us)
    near = load_schedules(connection, procedures, now_us, back_us)
    owed = [(one.room_id, owed_for_session(one)) for one in near]
    all_sessions = [one for _, one in owed]
    orders = load_room_orders(connection)
    by_room = {
        room.id: owed_by_room(
            [
                *everywhere,
                *(one for room_id, one in owed if room_id == room.id),
                *owed_for_exam_day(room.kind, all_sessions),
            ],
            orders.get(room.id, RoomOrders()),
        )
        for room in load_rooms(connection).values()
    }
    rows = connection.execute("select uuid, room_id, retired_at_us, added_at_us from camera order by id")
    return RecordingPlan(by_room, tuple(PlannedCamera(*row) for row in rows), unknown)


def _near(connection: Connection, now_us: int, back_us: int) -> list[Session]:
    return [
        session
        for session in load_sessions(connection)
        if now_us - back_us <= session.planned_start_us <= now_us + NEAR_US
    ]
