"""Whether a person may give a signal now by pressing (Arts. 14(4), 14(5), 15; domain rule A-4).

Practical sessions are started and ended by the assessor, reviews by the chair (R9). The site lead
makes good a missed automatic signal and has the on-demand cues (correction, evacuation, resume).
Nobody rings early: a bell too early is the most expensive failure there is. Far from a session nobody
rings at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.course import SessionCourse
from exam.cues import RoomCue, room_cues
from exam.day import Announced
from exam.procedure import Cue, Procedure, Signal, Trigger
from exam.room_signals import room_signals
from exam.room_times import RoomTimes, planned_end_us, room_times

# The same on-demand cue again within this time is the same press delivered or touched twice.
SAME_PRESS_US: Final = 10 * SECOND_US
# So long after the end of a room its signals can still be given: counting, corrections, evacuation.
AFTERMATH_US: Final = 60 * MINUTE_US


class PressRefusal(StrEnum):
    """Why a press does nothing."""

    CANCELLED = "cancelled"
    UNKNOWN_CUE = "unknown_cue"
    # Hours before or after the session.
    OUTSIDE_WINDOW = "outside_window"
    # An automatic cue that may still sound by itself.
    AUTOMATIC = "automatic"
    TOO_EARLY = "too_early"
    NOT_STARTED = "not_started"
    STOPPED = "stopped"
    # Evacuated or delayed: resume first.
    HELD = "held"
    # A resumption where nobody was evacuated.
    NOT_EVACUATED = "not_evacuated"


@dataclass(frozen=True, slots=True)
class Press:
    """A press to be recorded in a room, as this occurrence of the cue."""

    session_id: int
    room_id: int
    cue_code: str
    occurrence: int
    planned_at_us: int


@dataclass(frozen=True, slots=True)
class PressVerdict:
    """What a press in one room comes to: exactly one of the three is set."""

    press: Press | None = None
    # It has sounded already; the press changes nothing.
    already: Announced | None = None
    refusal: PressRefusal | None = None


@dataclass(frozen=True, slots=True)
class PressedRoom:
    """Everything the rule looks at: the session with all that became of it, and one of its rooms."""

    course: SessionCourse
    room_id: int

    @property
    def announced(self) -> list[Announced]:
        """What became of cues in the room."""
        return self.course.announced_in(self.room_id)


def judge_press(room: PressedRoom, cue_code: str, now_us: int) -> PressVerdict:
    """Decide on a press of the cue in the room at this moment."""
    cue = room.course.procedure.cue(cue_code)
    if cue is None:
        return PressVerdict(refusal=PressRefusal.UNKNOWN_CUE)
    if room.course.session.cancelled_at_us is not None:
        return PressVerdict(refusal=PressRefusal.CANCELLED)
    if not is_in_window(room.course, room_times(room.course, room.room_id), now_us):
        return PressVerdict(refusal=PressRefusal.OUTSIDE_WINDOW)
    if cue.trigger is Trigger.ON_DEMAND:
        return _on_demand(room, cue, now_us)
    return _scheduled(room, cue, now_us)


def is_in_window(course: SessionCourse, times: RoomTimes, now_us: int) -> bool:
    """Whether signals of the session may be given in the room at all: from its opening to its aftermath."""
    opens_us = course.session.planned_start_us - opening_us(course.procedure)
    ends = [planned_end_us(course.session, times), times.finished_at_us or 0]
    if times.is_held or times.going_on:
        return now_us >= opens_us
    return opens_us <= now_us <= max(ends) + AFTERMATH_US


def is_going_on(course: SessionCourse, now_us: int) -> bool:
    """Whether people are examined by the session now, or about to be: its time must not be moved unasked."""
    if course.session.cancelled_at_us is not None:
        return False
    rooms = (room_times(course, room_id) for room_id in course.session.room_ids)
    return any(times.finished_at_us is None and is_in_window(course, times, now_us) for times in rooms)


def opening_us(procedure: Procedure) -> int:
    """How long before the planned start a session begins to concern its rooms."""
    return max(procedure.room_opens_us or 0, procedure.check_in_opens_us)


def next_occurrence(announced: Iterable[Announced], cue_code: str) -> int:
    """Under which occurrence the cue comes next in the room these were announced in."""
    return 1 + max((one.occurrence for one in announced if one.cue_code == cue_code), default=0)


def _on_demand(room: PressedRoom, cue: Cue, now_us: int) -> PressVerdict:
    last = max(
        (one for one in room.announced if one.cue_code == cue.code),
        key=lambda one: one.occurrence,
        default=None,
    )
    if last and last.emitted_at_us is not None and abs(now_us - last.emitted_at_us) < SAME_PRESS_US:
        return PressVerdict(already=last)
    if cue.signal is Signal.RESUME and not _is_evacuated(room):
        return PressVerdict(refusal=PressRefusal.NOT_EVACUATED)
    return PressVerdict(press=_press(room, cue, now_us))


def _is_evacuated(room: PressedRoom) -> bool:
    signals = room_signals(room.course.procedure, room.announced)
    return any(one.resumed is None for one in signals.interruptions)


def _scheduled(room: PressedRoom, cue: Cue, now_us: int) -> PressVerdict:
    [room_cue] = [one for one in room_cues(room.course, room.room_id) if one.cue.code == cue.code]
    if room_cue.outcome is not None and not room_cue.outcome.is_missed:
        return PressVerdict(already=room_cue.outcome)
    refusal = _refusal(room_cue, now_us)
    if refusal is not None:
        return PressVerdict(refusal=refusal)
    return PressVerdict(press=_press(room, cue, room_cue.planned_at_us))


def _press(room: PressedRoom, cue: Cue, planned_at_us: int) -> Press:
    occurrence = next_occurrence(room.announced, cue.code)
    return Press(room.course.session.id, room.room_id, cue.code, occurrence, planned_at_us)


def _refusal(room_cue: RoomCue, now_us: int) -> PressRefusal | None:
    if room_cue.is_void:
        return PressRefusal.STOPPED
    if room_cue.is_held:
        return PressRefusal.HELD
    if room_cue.is_projected:
        return PressRefusal.NOT_STARTED
    return _timing_refusal(room_cue, now_us)


def _timing_refusal(room_cue: RoomCue, now_us: int) -> PressRefusal | None:
    cue = room_cue.cue
    if cue.trigger is Trigger.AUTOMATIC:
        return None if now_us > room_cue.closes_at_us else PressRefusal.AUTOMATIC
    if cue.trigger is Trigger.CHAIR_PRESS and cue.signal is Signal.STOP_SIGNAL:
        return None  # the chair closes when the last candidate has been heard, however early
    return PressRefusal.TOO_EARLY if now_us < room_cue.planned_at_us else None
