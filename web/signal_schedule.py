"""What a room player needs to know beforehand: every cue of its room, with moment, audio and key.

The contract is written down in docs/design/signals.md; a page, a speaker program and a simulated player
read the same JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from evidence.announcements import last_heard
from evidence.day import load_announced, load_sessions
from evidence.players import TEST_TOLERANCE_US, SoundTest
from exam.clock import MINUTE_US
from exam.cues import RoomCue, announced_in, session_cues
from exam.day import Announced, Room, Session
from exam.procedure import Cue, Procedure, Signal, Trigger
from web.audio import AudioLibrary, CueAudio

# A session belongs to the day of a room page this long before and after its planned start.
BEFORE_US: Final = 12 * 60 * MINUTE_US
AFTER_US: Final = 12 * 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class RoomDay:
    """One room with its sessions around now, earliest first, and what was announced in each."""

    room: Room
    sessions: tuple[tuple[Session, tuple[Announced, ...]], ...]

    def current(self, procedures: Mapping[str, Procedure]) -> tuple[Session, tuple[Announced, ...]] | None:
        """The first session that has not stopped in this room; after the last, the last one."""
        for session, announced in self.sessions:
            stop = procedures[session.procedure_code].signal_cue(Signal.STOP_SIGNAL)
            found = announced_in(announced, self.room.id, stop.code)
            if found is None or found.is_missed:
                return session, announced
        return self.sessions[-1] if self.sessions else None


def load_room_day(connection: Connection, room: Room, now_us: int) -> RoomDay:
    """The room's sessions of today that are not cancelled."""
    return RoomDay(
        room,
        tuple(
            (session, tuple(load_announced(connection, session.id)))
            for session in load_sessions(connection)
            if room.id in session.room_ids
            and session.cancelled_at_us is None
            and -BEFORE_US <= now_us - session.planned_start_us <= AFTER_US
        ),
    )


def cue_key(session: Session, cue_code: str, occurrence: int) -> str:
    """The name under which a player remembers that it played this.

    The planned start tells today's session 1 from the one of a rehearsal on the same address.
    """
    return f"{session.id}@{session.planned_start_us}:{cue_code}:{occurrence}"


def schedule(
    day: RoomDay, procedures: Mapping[str, Procedure], library: AudioLibrary, now_us: int
) -> dict[str, Any]:
    """The schedule of the room as JSON."""
    current = day.current(procedures)
    return {
        "server_now_us": now_us,
        "room": {"code": day.room.code, "label": day.room.label},
        "session": _session_json(*current, day.room.id, procedures) if current else None,
        "cues": [
            cue
            for session, announced in day.sessions
            for cue in _cues_json(
                session, announced, day.room.id, procedures[session.procedure_code], library
            )
        ],
    }


def test_json(test: SoundTest, tone: CueAudio | None) -> dict[str, Any]:
    """The test tone that is asked for now, in the words of the contract."""
    return {
        "key": test.key,
        "sounds_at_us": test.sounds_at_us,
        "tolerance_us": TEST_TOLERANCE_US,
        "audio": f"/audio/{tone.name}" if tone else None,
        "duration_us": tone.duration_us if tone else None,
    }


def _session_json(
    session: Session, announced: Sequence[Announced], room_id: int, procedures: Mapping[str, Procedure]
) -> dict[str, Any]:
    procedure = procedures[session.procedure_code]
    heard = last_heard([one for one in announced if _is_audible(procedure, one.cue_code)], room_id)
    cue = procedure.cue(heard.cue_code) if heard else None
    last = {"cue": cue.code, "title": cue.title, "text": cue.text} if cue and heard else None
    return {
        "id": session.id,
        "code": session.code,
        "kind": session.kind,
        "title": procedure.title,
        "subject": session.subject,
        "planned_start_us": session.planned_start_us,
        "armed": session.armed_at_us is not None,
        "last": last and heard and {**last, "emitted_at_us": heard.emitted_at_us},
    }


def _is_audible(procedure: Procedure, cue_code: str) -> bool:
    cue = procedure.cue(cue_code)
    return cue is not None and cue.is_audible


def _cues_json(
    session: Session,
    announced: Sequence[Announced],
    room_id: int,
    procedure: Procedure,
    library: AudioLibrary,
) -> list[dict[str, Any]]:
    start_code = procedure.signal_cue(Signal.START_SIGNAL).code
    scheduled = [
        _cue_json(one.cue, library, procedure.code)
        | {
            "key": cue_key(session, one.cue.code, _occurrence(one)),
            "session_id": session.id,
            "occurrence": _occurrence(one),
            "sounds_at_us": _sounds_at_us(one),
            "after": cue_key(session, start_code, 1) if one.is_projected else None,
            "may_sound": _may_sound(one, session),
            "outcome": one.outcome and ("missed" if one.outcome.is_missed else "emitted"),
        }
        for one in session_cues(procedure, session, announced)
        if one.room_id == room_id and one.cue.is_audible
    ]
    return scheduled + [
        _cue_json(cue, library, procedure.code)
        | {
            "key": cue_key(session, cue.code, one.occurrence),
            "session_id": session.id,
            "occurrence": one.occurrence,
            "sounds_at_us": one.emitted_at_us,
            "after": None,
            "may_sound": True,
            "outcome": "emitted",
        }
        for one in announced
        for cue in [procedure.cue(one.cue_code)]
        if cue and not cue.is_scheduled and one.room_id == room_id
    ]


def _cue_json(cue: Cue, library: AudioLibrary, procedure_code: str) -> dict[str, Any]:
    audio = library.get((procedure_code, cue.code))
    return {
        "cue": cue.code,
        "title": cue.title,
        "text": cue.text,
        "kind": cue.kind,
        "signal": cue.signal,
        "tolerance_us": cue.tolerance_us,
        "audio": f"/audio/{audio.name}" if audio else None,
        "duration_us": audio.duration_us if audio else None,
    }


def _occurrence(one: RoomCue) -> int:
    return one.outcome.occurrence if one.outcome else 1


def _sounds_at_us(one: RoomCue) -> int:
    """When rooms play it, all together: the plan if the server kept to it, else when it was given."""
    emitted_at_us = one.outcome.emitted_at_us if one.outcome else None
    kept = (
        one.cue.trigger is Trigger.AUTOMATIC and one.planned_at_us <= (emitted_at_us or 0) <= one.closes_at_us
    )
    return one.planned_at_us if emitted_at_us is None or kept else emitted_at_us


def _may_sound(one: RoomCue, session: Session) -> bool:
    """Whether a player may let it sound at its moment without asking again."""
    if one.outcome is not None:
        return not one.outcome.is_missed
    is_armed = session.armed_at_us is not None and session.armed_at_us < one.planned_at_us
    return one.cue.trigger is Trigger.AUTOMATIC and is_armed and not one.is_void
