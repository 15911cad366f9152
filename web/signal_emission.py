"""Emitting what is due now, inside a write transaction: used by the ticker and when a room reports.

Deciding and recording happen under the same lock, so no two callers can emit the same cue.
"""

from collections.abc import Iterable, Mapping
from sqlite3 import Connection
from typing import Final

from evidence.announcements import record_emitted
from evidence.courses import load_course
from evidence.plan_changes import load_armed
from exam.clock import MINUTE_US
from exam.cues import Due, RoomCue, Verdict, due, session_cues
from exam.procedure import Procedure

# Sessions planned this far around now are looked at; longer exams do not exist.
WINDOW_US: Final = 24 * 60 * MINUTE_US

# The cues of one armed session, and since when it is.
ArmedCues = tuple[int, list[RoomCue]]


def armed_cues(connection: Connection, procedures: Mapping[str, Procedure], now_us: int) -> list[ArmedCues]:
    """Every cue of all armed sessions near now.

    A session whose procedure file has gone must not silence the others; its pages say what is wrong.
    """
    return [
        (session.armed_at_us or 0, session_cues(load_course(connection, session, procedures)))
        for session in load_armed(connection, now_us - WINDOW_US, now_us + WINDOW_US)
        if session.procedure_code in procedures
    ]


def due_among(armed: Iterable[ArmedCues], now_us: int) -> list[Due]:
    """What of these is due at this moment."""
    return [one for after_us, cues in armed for one in due(cues, after_us, now_us)]


def due_now(connection: Connection, procedures: Mapping[str, Procedure], now_us: int) -> list[Due]:
    """Everything due at this moment in all armed sessions."""
    return due_among(armed_cues(connection, procedures, now_us), now_us)


def emit(connection: Connection, found: Iterable[Due], now_us: int) -> list[RoomCue]:
    """Record what may still sound as emitted now; returns what this call was the first to record."""
    return [
        one.room_cue
        for one in found
        if one.verdict is Verdict.EMIT and record_emitted(connection, one.room_cue, now_us)
    ]
