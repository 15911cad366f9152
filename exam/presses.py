"""Whether a person may give a signal now by pressing (Arts. 14(4), 14(5), 15; domain rule A-4).

Practical sessions are started and ended by the assessor, reviews by the chair (R9). The site lead
makes good a missed automatic signal and has the on-demand cues (correction, evacuation, resume).
Nobody rings early: a bell too early is the most expensive failure there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import SECOND_US
from exam.cues import announced_in, session_cues
from exam.day import Announced, Session
from exam.procedure import Cue, Procedure, Signal, Trigger

# The same on-demand cue again within this time is the same press delivered or touched twice.
SAME_PRESS_US: Final = 10 * SECOND_US


class PressRefusal(StrEnum):
    """Why a press does nothing."""

    CANCELLED = "cancelled"
    UNKNOWN_CUE = "unknown_cue"
    # An automatic cue that may still sound by itself.
    AUTOMATIC = "automatic"
    TOO_EARLY = "too_early"
    NOT_STARTED = "not_started"
    STOPPED = "stopped"


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
    """Everything the rule looks at: the session with its procedure, one of its rooms, what was announced."""

    procedure: Procedure
    session: Session
    announced: Sequence[Announced]
    room_id: int


def judge_press(room: PressedRoom, cue_code: str, now_us: int) -> PressVerdict:
    """Decide on a press of the cue in the room at this moment."""
    cue = room.procedure.cue(cue_code)
    if cue is None:
        return PressVerdict(refusal=PressRefusal.UNKNOWN_CUE)
    if room.session.cancelled_at_us is not None:
        return PressVerdict(refusal=PressRefusal.CANCELLED)
    if cue.trigger is Trigger.ON_DEMAND:
        return _on_demand(room, cue, now_us)
    return _scheduled(room, cue, now_us)


def _on_demand(room: PressedRoom, cue: Cue, now_us: int) -> PressVerdict:
    sounded = [one for one in room.announced if (one.room_id, one.cue_code) == (room.room_id, cue.code)]
    last = max(sounded, key=lambda one: one.occurrence, default=None)
    if last and last.emitted_at_us is not None and abs(now_us - last.emitted_at_us) < SAME_PRESS_US:
        return PressVerdict(already=last)
    return PressVerdict(press=_press(room, cue, last, now_us))


def _scheduled(room: PressedRoom, cue: Cue, now_us: int) -> PressVerdict:
    past = announced_in(room.announced, room.room_id, cue.code)
    if past is not None and not past.is_missed:
        return PressVerdict(already=past)
    [room_cue] = [
        one
        for one in session_cues(room.procedure, room.session, room.announced)
        if (one.room_id, one.cue.code) == (room.room_id, cue.code)
    ]
    if room_cue.is_void:
        return PressVerdict(refusal=PressRefusal.STOPPED)
    if room_cue.is_projected:
        return PressVerdict(refusal=PressRefusal.NOT_STARTED)
    refusal = _timing_refusal(cue, room_cue.planned_at_us, room_cue.closes_at_us, now_us)
    if refusal is not None:
        return PressVerdict(refusal=refusal)
    return PressVerdict(press=_press(room, cue, past, room_cue.planned_at_us))


def _press(room: PressedRoom, cue: Cue, past: Announced | None, planned_at_us: int) -> Press:
    occurrence = past.occurrence + 1 if past else 1
    return Press(room.session.id, room.room_id, cue.code, occurrence, planned_at_us)


def _timing_refusal(cue: Cue, planned_at_us: int, closes_at_us: int, now_us: int) -> PressRefusal | None:
    if cue.trigger is Trigger.AUTOMATIC:
        return None if now_us > closes_at_us else PressRefusal.AUTOMATIC
    if cue.trigger is Trigger.CHAIR_PRESS and cue.signal is Signal.STOP_SIGNAL:
        return None  # the chair closes when the last candidate has been heard, however early
    return PressRefusal.TOO_EARLY if now_us < planned_at_us else None
