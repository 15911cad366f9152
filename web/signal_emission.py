"""Emitting what is due now, inside a write transaction: used by the ticker and when a room reports.

Deciding and recording happen under the same lock, so no two callers can emit the same cue.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

from evidence.announcements import record_emitted, record_press
from evidence.courses import Stamp, course_stamp, load_course
from evidence.day import load_session
from evidence.plan_changes import load_armed
from evidence.players import load_players
from exam.clock import MINUTE_US, SECOND_US
from exam.cues import PUNCTUAL_US, Due, RoomCue, Verdict, await_rooms, due, session_cues
from exam.players import may_ring_alone
from exam.presses import PressedRoom, PressVerdict, judge_press
from exam.procedure import Procedure

# Sessions planned this far around now are looked at; longer exams do not exist.
WINDOW_US: Final = 24 * 60 * MINUTE_US

# A pressed signal sounds this much later, so that every room has heard of it and all ring together.
PRESS_LEAD_US: Final = SECOND_US // 2

# The cues of one armed session, and since when it is.
ArmedCues = tuple[int, list[RoomCue]]


def armed_cues(connection: Connection, procedures: Mapping[str, Procedure], now_us: int) -> list[ArmedCues]:
    """Every cue of all armed sessions near now.

    A session whose procedure file has gone must not silence the others; its pages say what is wrong.
    """
    return ArmedBook(procedures).read(connection, now_us)


@dataclass(slots=True)
class ArmedBook:
    """The cues of all armed sessions, computed anew only for those that anything became of."""

    procedures: Mapping[str, Procedure]
    _known: dict[int, tuple[Stamp, ArmedCues]] = field(default_factory=dict)

    def read(self, connection: Connection, now_us: int) -> list[ArmedCues]:
        """The cues as the connection sees the facts."""
        ids = [
            session_id
            for session_id, code in load_armed(connection, now_us - WINDOW_US, now_us + WINDOW_US)
            if code in self.procedures
        ]
        self._known = {session_id: self._cues(connection, session_id) for session_id in ids}
        return [cues for _, cues in self._known.values()]

    def _cues(self, connection: Connection, session_id: int) -> tuple[Stamp, ArmedCues]:
        stamp = course_stamp(connection, session_id)
        known = self._known.get(session_id)
        if known is not None and known[0] == stamp:
            return known
        session = load_session(connection, session_id)
        assert session is not None
        cues = session_cues(load_course(connection, session, self.procedures))
        return stamp, (session.armed_at_us or 0, cues)


def due_among(connection: Connection, armed: Iterable[ArmedCues], now_us: int) -> list[Due]:
    """What of these is due at this moment; what rooms may have rung while nobody looked is awaited."""
    found = [one for after_us, cues in armed for one in due(cues, after_us, now_us)]
    if all(now_us - one.room_cue.planned_at_us <= PUNCTUAL_US for one in found):
        return found
    alone = {state.room_id for state in load_players(connection, now_us) if may_ring_alone(state, now_us)}
    return await_rooms(found, alone, now_us)


def due_now(connection: Connection, procedures: Mapping[str, Procedure], now_us: int) -> list[Due]:
    """Everything due at this moment in all armed sessions."""
    return due_among(connection, armed_cues(connection, procedures, now_us), now_us)


def give(
    connection: Connection, pressed: PressedRoom, cue_code: str, account_id: int, now_us: int
) -> PressVerdict:
    """A person presses the cue in the room: judged and recorded in the same transaction."""
    verdict = judge_press(pressed, cue_code, now_us)
    if verdict.press is not None:
        record_press(connection, verdict.press, now_us + PRESS_LEAD_US, account_id)
    return verdict


def emit(connection: Connection, found: Iterable[Due], now_us: int) -> list[RoomCue]:
    """Record what may still sound as emitted now; returns what this call was the first to record."""
    return [
        one.room_cue
        for one in found
        if one.verdict is Verdict.EMIT and record_emitted(connection, one.room_cue, now_us)
    ]
