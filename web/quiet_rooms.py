"""Whether a test tone would disturb anybody in a room now; the rule is `exam.players.may_test`."""

from sqlite3 import Connection
from typing import Final

from evidence.courses import load_course
from evidence.day import load_sessions
from exam.clock import MINUTE_US
from exam.day import Session
from exam.players import RoomSitting, may_test
from exam.room_times import room_times
from web.services import services

# Sessions this far around now keep a room quiet.
NEAR_US: Final = 24 * 60 * MINUTE_US


def room_may_test(connection: Connection, room_id: int, now_us: int) -> bool:
    """Whether a test tone may sound in the room."""
    sittings = [
        _sitting(connection, session, room_id)
        for session in load_sessions(connection)
        if room_id in session.room_ids and abs(now_us - session.planned_start_us) <= NEAR_US
    ]
    return may_test(sittings, now_us)


def _sitting(connection: Connection, session: Session, room_id: int) -> RoomSitting:
    started_us = stopped_us = None
    if session.procedure_code in services().procedures:  # without its procedure only the plan is known
        times = room_times(load_course(connection, session, services().procedures), room_id)
        started_us, stopped_us = times.started_at_us, times.stopped_at_us
    return RoomSitting(
        session.planned_start_us,
        session.duration_us,
        started_us,
        stopped_us,
        session.cancelled_at_us is not None,
    )
