"""What a room player needs to know beforehand: every cue of its room, with moment, audio and key.

The contract is written down in docs/design/signals.md; a page, a speaker program and a simulated player
read the same JSON.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from evidence.announcements import last_heard
from evidence.courses import load_course
from evidence.day import load_sessions, sessions_in
from evidence.players import TEST_TOLERANCE_US, SoundTest
from exam.clock import MINUTE_US, site_time
from exam.course import SessionCourse, room_at
from exam.cues import SAME_PLAN_US, RoomCue, room_cues
from exam.day import Announced, Room, Session, Source
from exam.procedure import Anchor, Cue, Procedure, Signal, Trigger
from exam.room_times import room_times
from web.audio import AudioLibrary, CueAudio

# A session belongs to the day of a room page this long before and after its planned start.
BEFORE_US: Final = 12 * 60 * MINUTE_US
AFTER_US: Final = 12 * 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class RoomCourse:
    """A session that sits in a room at some time of the day; `origin_id`: its room as planned (R21)."""

    course: SessionCourse
    origin_id: int

    def is_in(self, room_id: int, moment_us: int) -> bool:
        """Whether its people are in that room then."""
        return room_at(self.course, self.origin_id, moment_us) == room_id


@dataclass(frozen=True, slots=True)
class RoomDay:
    """One room with the sessions that sit in it around now, earliest first."""

    room: Room
    courses: tuple[RoomCourse, ...]

    def current(self, now_us: int) -> RoomCourse | None:
        """The first session here that has not stopped; after the last, the last one."""
        here = [one for one in self.courses if one.is_in(self.room.id, now_us)]
        going = [one for one in here if room_times(one.course, one.origin_id).stopped_at_us is None]
        return going[0] if going else next(reversed(here), None)


def load_room_day(
    connection: Connection, room: Room, procedures: Mapping[str, Procedure], now_us: int
) -> RoomDay:
    """The sessions of today that are not cancelled and sit in the room, or move into it."""
    here = sessions_in(connection, room.id)
    courses = [
        load_course(connection, session, procedures)
        for session in load_sessions(connection)
        if session.id in here
        and session.cancelled_at_us is None
        and session.procedure_code in procedures
        and -BEFORE_US <= now_us - session.planned_start_us <= AFTER_US
    ]
    return RoomDay(
        room,
        tuple(
            RoomCourse(course, origin_id)
            for course in courses
            for origin_id in course.session.room_ids
            if room.id in _whereabouts(course, origin_id)
        ),
    )


def cue_key(session: Session, cue_code: str, occurrence: int) -> str:
    """The name under which a player remembers that it played this.

    The planned start tells today's session 1 from the one of a rehearsal on the same address.
    """
    return f"{session.id}@{session.planned_start_us}:{cue_code}:{occurrence}"


def schedule(day: RoomDay, library: AudioLibrary, now_us: int) -> dict[str, Any]:
    """The schedule of the room as JSON."""
    current = day.current(now_us)
    return {
        "server_now_us": now_us,
        "room": {"code": day.room.code, "label": day.room.label},
        "session": _session_json(current) if current else None,
        "cues": [cue for one in day.courses for cue in _cues_json(one, day.room.id, library)],
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


def spoken_text(cue: Cue, ends_at_us: int | None) -> str:
    """What rooms and tablets show of a cue: a resumption names the end that counts from now on."""
    if cue.signal is not Signal.RESUME or ends_at_us is None:
        return cue.text
    return f"{cue.text}（本考场结束时间：{site_time(ends_at_us):%H:%M}）"


def _whereabouts(course: SessionCourse, origin_id: int) -> set[int]:
    return {origin_id} | {room_at(course, origin_id, move.counts_from_us) for move in course.moves}


def _session_json(one: RoomCourse) -> dict[str, Any]:
    session, procedure = one.course.session, one.course.procedure
    times = room_times(one.course, one.origin_id)
    heard = last_heard([each for each in one.course.announced if _is_audible(procedure, each)], one.origin_id)
    cue = procedure.cue(heard.cue_code) if heard else None
    last = (
        {"cue": cue.code, "title": cue.title, "text": spoken_text(cue, times.ends_at_us)}
        if cue and heard
        else None
    )
    return {
        "id": session.id,
        "code": session.code,
        "kind": session.kind,
        "title": procedure.title,
        "subject": session.subject,
        "planned_start_us": session.planned_start_us,
        "ends_at_us": times.ends_at_us,
        "is_held": times.is_held,
        "armed": session.armed_at_us is not None,
        "last": last and heard and {**last, "emitted_at_us": heard.emitted_at_us},
    }


def _is_audible(procedure: Procedure, one: Announced) -> bool:
    cue = procedure.cue(one.cue_code)
    return cue is not None and cue.is_audible and one.source is not Source.BY_HAND


def _cues_json(one: RoomCourse, room_id: int, library: AudioLibrary) -> Iterator[dict[str, Any]]:
    """The audible cues that sound while the session is in the room: scheduled ones, then those pressed."""
    session, procedure = one.course.session, one.course.procedure
    cues = room_cues(one.course, one.origin_id)
    [start_key] = [
        _key(one, room_id, each.cue, each.occurrence)
        for each in cues
        if each.cue.signal is Signal.START_SIGNAL
    ]
    for each in cues:
        if each.cue.is_audible and one.is_in(room_id, sounds_at_us(each)):
            yield _cue_json(each.cue, library, procedure.code) | {
                "key": _key(one, room_id, each.cue, each.occurrence),
                "session_id": session.id,
                "occurrence": each.occurrence,
                "sounds_at_us": sounds_at_us(each),
                "after": start_key if each.is_projected else None,
                "may_sound": _may_sound(each, session),
                "outcome": each.outcome and ("missed" if each.outcome.is_missed else "emitted"),
            }
    yield from _on_demand_json(one, room_id, library)


def _on_demand_json(one: RoomCourse, room_id: int, library: AudioLibrary) -> Iterator[dict[str, Any]]:
    ends_at_us = room_times(one.course, one.origin_id).ends_at_us
    for each in one.course.announced_in(one.origin_id):
        cue = one.course.procedure.cue(each.cue_code)
        if cue and not cue.is_scheduled and one.is_in(room_id, each.emitted_at_us or 0):
            yield _cue_json(cue, library, one.course.procedure.code) | {
                "text": spoken_text(cue, ends_at_us),
                "key": _key(one, room_id, cue, each.occurrence),
                "session_id": one.course.session.id,
                "occurrence": each.occurrence,
                "sounds_at_us": each.emitted_at_us,
                "after": None,
                "may_sound": True,
                "outcome": "emitted",
            }


def _key(one: RoomCourse, room_id: int, cue: Cue, occurrence: int) -> str:
    key = cue_key(one.course.session, cue.code, occurrence)
    # Two rooms that moved into one keep their own signals there.
    return key if one.origin_id == room_id else f"{key}:{one.origin_id}"


def _cue_json(cue: Cue, library: AudioLibrary, procedure_code: str) -> dict[str, Any]:
    audio = library.get((procedure_code, cue.code))
    return {
        "cue": cue.code,
        "title": cue.title,
        "text": cue.text,
        "kind": cue.kind,
        "signal": cue.signal,
        "audience": sorted(cue.audience),
        "tolerance_us": cue.tolerance_us,
        "audio": f"/audio/{audio.name}" if audio else None,
        "duration_us": audio.duration_us if audio else None,
    }


def sounds_at_us(one: RoomCue) -> int:
    """When rooms play it, all together: the plan if the server kept to it, else when it was given."""
    emitted_at_us = one.outcome.emitted_at_us if one.outcome else None
    kept = (
        one.cue.trigger is Trigger.AUTOMATIC and one.planned_at_us <= (emitted_at_us or 0) <= one.closes_at_us
    )
    return one.planned_at_us if emitted_at_us is None or kept else emitted_at_us


def _is_of_another_plan(one: RoomCue, outcome: Announced) -> bool:
    """Whether it sounded by itself and the start was moved since: to a player it has another key now.

    Whoever has not sounded it yet stays silent, and people are asked: a second sound would be worse.
    """
    is_by_itself = outcome.source in {Source.SCHEDULE, Source.ROOM_REPORT}
    is_moved = abs(one.planned_at_us - outcome.planned_at_us) > SAME_PLAN_US
    return one.cue.anchor is Anchor.PLANNED_START and is_by_itself and is_moved


def _may_sound(one: RoomCue, session: Session) -> bool:
    """Whether a player may let it sound at its moment without asking again."""
    if one.outcome is not None:
        # What a person recorded of a hand bell has been heard; ringing it again would be a second signal.
        is_heard = one.outcome.source is Source.BY_HAND or _is_of_another_plan(one, one.outcome)
        return not one.outcome.is_missed and not is_heard
    is_armed = session.armed_at_us is not None and session.armed_at_us < one.planned_at_us
    return (
        is_armed
        and one.cue.trigger is Trigger.AUTOMATIC
        and not (one.is_void or one.is_held or one.is_taken_back)
    )
