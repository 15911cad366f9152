"""Where a room stands on the day, in one word for people who watch thirty rooms at once.

Pure. What counts is the signals really given in the room (R9); the plan only speaks before them.
"""

from enum import StrEnum

from exam.clock import MINUTE_US
from exam.day import Session
from exam.procedure import Procedure
from exam.room_times import RoomTimes

# A session that is not armed this short before its start needs a decision now.
ARMING_URGENT_US = 30 * MINUTE_US


class RoomPhase(StrEnum):
    """The phase of one session in one room."""

    CANCELLED = "cancelled"
    # Before check-in opens.
    PREPARING = "preparing"
    CHECK_IN = "check_in"
    # The planned start has passed and no start signal was given.
    AWAITS_START = "awaits_start"
    RUNNING = "running"
    # Evacuated, or delayed as a whole: the clock of the room stands still.
    INTERRUPTED = "interrupted"
    # The working time has passed and no stop signal was given.
    AWAITS_STOP = "awaits_stop"
    # The room has stopped, single stations go on (14(4)).
    EXTENDED = "extended"
    STOPPED = "stopped"


def room_phase(procedure: Procedure, session: Session, times: RoomTimes, now_us: int) -> RoomPhase:
    """The phase of the room at this moment."""
    if session.cancelled_at_us is not None:
        return RoomPhase.CANCELLED
    if times.stopped_at_us is not None:
        return RoomPhase.EXTENDED if times.going_on else RoomPhase.STOPPED
    if times.is_held:
        return RoomPhase.INTERRUPTED
    if times.started_at_us is not None:
        is_over = now_us > (times.ends_at_us or times.started_at_us + session.duration_us)
        return RoomPhase.AWAITS_STOP if is_over else RoomPhase.RUNNING
    if now_us > session.planned_start_us:
        return RoomPhase.AWAITS_START
    is_open = now_us >= session.planned_start_us - procedure.check_in_opens_us
    return RoomPhase.CHECK_IN if is_open else RoomPhase.PREPARING


def needs_arming(session: Session, now_us: int) -> bool:
    """Whether the site lead must arm the session now, or say that people will ring."""
    is_open = session.armed_at_us is None and session.cancelled_at_us is None
    return is_open and session.planned_start_us - ARMING_URGENT_US <= now_us < (
        session.planned_start_us + session.duration_us
    )
