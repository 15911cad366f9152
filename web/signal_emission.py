"""Emitting what is due now, inside a write transaction: used by the ticker and when a room reports.

Deciding and recording happen under the same lock, so no two callers can emit the same cue.
"""

from collections.abc import Iterable, Mapping
from sqlite3 import Connection
from typing import Final

from evidence.announcements import load_armed, record_emitted
from evidence.day import load_announced
from exam.clock import MINUTE_US
from exam.cues import Due, RoomCue, Verdict, due, session_cues
from exam.procedure import Procedure

# Sessions planned this far around now are looked at; longer exams do not exist.
WINDOW_US: Final = 24 * 60 * MINUTE_US


def due_now(connection: Connection, procedures: Mapping[str, Procedure], now_us: int) -> list[Due]:
    """Everything due at this moment in all armed sessions.

    A session whose procedure file has gone must not silence the others; its pages say what is wrong.
    """
    return [
        one
        for session in load_armed(connection, now_us - WINDOW_US, now_us + WINDOW_US)
        if session.procedure_code in procedures
        for one in due(
            session_cues(procedures[session.procedure_code], session, load_announced(connection, session.id)),
            session.armed_at_us or 0,
            now_us,
        )
    ]


def emit(connection: Connection, found: Iterable[Due], now_us: int) -> list[RoomCue]:
    """Record what may still sound as emitted now; returns what this call was the first to record."""
    return [
        one.room_cue
        for one in found
        if one.verdict is Verdict.EMIT and record_emitted(connection, one.room_cue, now_us)
    ]
