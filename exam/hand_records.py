"""Whether a person may record when a start or stop was really given, by hand bell or voice (rule A-6).

Pure. The fallback ladder ends with a hand bell; one tap then records the real time as T0 or TE, and what
people recorded last is believed. It never rings, so nothing can come early or stale of it by itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.course import SessionCourse
from exam.cues import RoomCue, room_cues
from exam.presses import next_occurrence, opening_us
from exam.procedure import Signal
from exam.room_times import room_times

# Staff of the room record at once, or correct what was given just now; later only the site lead does.
AT_ONCE_US: Final = 10 * MINUTE_US
# Two clocks that agree to within this tell the same moment.
SAME_MOMENT_US: Final = SECOND_US
AHEAD_US: Final = 5 * SECOND_US


class RecordRefusal(StrEnum):
    """Why the moment is not taken down."""

    CANCELLED = "cancelled"
    NO_SIGNAL = "no_signal"
    FUTURE = "future"
    TOO_OLD = "too_old"
    # It may still sound by itself: wait until it has or is missed.
    AUTOMATIC = "automatic"
    BEFORE_OPENING = "before_opening"
    NOT_STARTED = "not_started"
    BEFORE_START = "before_start"
    # Before its plan: then the bell would not sound at all, which only the site lead may want.
    BEFORE_PLAN = "before_plan"
    ALREADY = "already"


@dataclass(frozen=True, slots=True)
class HandRecord:
    """A signal given by hand, to be recorded as this occurrence of its cue."""

    session_id: int
    room_id: int
    cue_code: str
    occurrence: int
    planned_at_us: int
    happened_at_us: int


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says: the signal of this cue was given in the room at this moment."""

    room_id: int
    cue_code: str
    happened_at_us: int
    # The site lead may record and correct at any time.
    is_lead: bool


def judge_record(course: SessionCourse, told: Told, now_us: int) -> HandRecord | RecordRefusal:
    """Decide whether what somebody says is recorded."""
    room_cue = next((one for one in room_cues(course, told.room_id) if one.cue.code == told.cue_code), None)
    if room_cue is None or room_cue.cue.signal not in {Signal.START_SIGNAL, Signal.STOP_SIGNAL}:
        return RecordRefusal.NO_SIGNAL
    refusal = _refusal(course, room_cue, told, now_us) or _place_refusal(course, room_cue, told)
    if refusal is not None:
        return refusal
    return HandRecord(
        course.session.id,
        told.room_id,
        told.cue_code,
        next_occurrence(course.announced_in(told.room_id), told.cue_code),
        room_cue.planned_at_us,
        told.happened_at_us,
    )


def _refusal(course: SessionCourse, room_cue: RoomCue, told: Told, now_us: int) -> RecordRefusal | None:
    if course.session.cancelled_at_us is not None:
        return RecordRefusal.CANCELLED
    if told.happened_at_us > now_us + AHEAD_US:
        return RecordRefusal.FUTURE
    if not told.is_lead and now_us - told.happened_at_us > AT_ONCE_US:
        return RecordRefusal.TOO_OLD
    if _sounds_soon(course, room_cue, now_us):
        return RecordRefusal.AUTOMATIC
    if not told.is_lead and told.happened_at_us < room_cue.planned_at_us - SAME_MOMENT_US:
        return RecordRefusal.BEFORE_PLAN
    return _given_refusal(room_cue, told, now_us)


def _given_refusal(room_cue: RoomCue, told: Told, now_us: int) -> RecordRefusal | None:
    given_us = room_cue.outcome.emitted_at_us if room_cue.outcome else None
    if given_us is None:
        return None
    if abs(given_us - told.happened_at_us) < SAME_MOMENT_US:
        return RecordRefusal.ALREADY
    return RecordRefusal.TOO_OLD if not told.is_lead and now_us - given_us > AT_ONCE_US else None


def _sounds_soon(course: SessionCourse, room_cue: RoomCue, now_us: int) -> bool:
    """Whether players may be ringing it by themselves at this very moment."""
    armed_at_us = course.session.armed_at_us
    is_armed = armed_at_us is not None and armed_at_us < room_cue.planned_at_us
    is_near = room_cue.planned_at_us - AHEAD_US <= now_us <= room_cue.closes_at_us
    return room_cue.is_automatic and is_armed and is_near


def _place_refusal(course: SessionCourse, room_cue: RoomCue, told: Told) -> RecordRefusal | None:
    if room_cue.cue.signal is Signal.START_SIGNAL:
        opens_us = course.session.planned_start_us - opening_us(course.procedure)
        return RecordRefusal.BEFORE_OPENING if told.happened_at_us < opens_us else None
    started_at_us = room_times(course, told.room_id).started_at_us
    if started_at_us is None:
        return RecordRefusal.NOT_STARTED
    return RecordRefusal.BEFORE_START if told.happened_at_us <= started_at_us else None
