"""What is due now, in which room: the only scheduler truth (domain rule A-3, R9).

Pure: from the procedure, the session and what was announced so far, every cue of every room gets
its moment, and `due` says what may sound now and what came too late. Timers live elsewhere and
only ask; a crash, a restart or a stepped clock can therefore neither repeat nor lose a cue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import SECOND_US
from exam.day import Announced, Session
from exam.procedure import Anchor, Cue, Procedure, Signal, Trigger

# A room's clock is measured, not known: a report this much before the plan was still on time.
MEASURING_SLACK_US: Final = SECOND_US // 2


@dataclass(frozen=True, slots=True)
class RoomTimes:
    """The actual start (T0) and stop (TE) of one room; None until the signal was emitted there."""

    started_at_us: int | None = None
    stopped_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class RoomCue:
    """One cue in one room, with its moment.

    `is_projected`: the moment hangs on a signal that has not been given, and moves with it; such a
    cue is never due. `is_void`: the room has stopped, and the cue belongs before the stop.
    `outcome` is what became of it, None while nothing has.
    """

    session_id: int
    room_id: int
    cue: Cue
    planned_at_us: int
    is_projected: bool
    is_void: bool = False
    outcome: Announced | None = None

    @property
    def closes_at_us(self) -> int:
        """The last moment at which it may sound."""
        return self.planned_at_us + self.cue.tolerance_us


class Verdict(StrEnum):
    """What `due` says of a cue."""

    EMIT = "emit"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Due:
    """A cue that must be dealt with now."""

    room_cue: RoomCue
    verdict: Verdict


def announced_in(announced: Iterable[Announced], room_id: int, cue_code: str) -> Announced | None:
    """What became of the cue in the room: the first time it sounded, else the last miss, else None."""
    found = None
    for one in announced:
        if (one.room_id, one.cue_code) == (room_id, cue_code):
            if not one.is_missed:
                return one
            found = one
    return found


def room_times(procedure: Procedure, announced: Iterable[Announced], room_id: int) -> RoomTimes:
    """The room's T0 and TE: emitted moments, never planned ones (R9)."""
    start, stop = (
        announced_in(announced, room_id, procedure.signal_cue(signal).code)
        for signal in (Signal.START_SIGNAL, Signal.STOP_SIGNAL)
    )
    return RoomTimes(start.emitted_at_us if start else None, stop.emitted_at_us if stop else None)


def session_cues(procedure: Procedure, session: Session, announced: Sequence[Announced]) -> list[RoomCue]:
    """Every scheduled cue of every room of the session, earliest first."""
    cues = [
        _room_cue(cue, session, announced, room_id, times)
        for room_id in session.room_ids
        for times in [room_times(procedure, announced, room_id)]
        for cue in procedure.cues
        if cue.is_scheduled
    ]
    return sorted(cues, key=lambda one: one.planned_at_us)


def due(cues: Iterable[RoomCue], after_us: int, now_us: int) -> list[Due]:
    """The automatic cues planned after `after_us` whose moment has come and which nothing became of yet.

    `after_us` is the moment the session was armed: what was planned before is left to people, so
    that arming late never lets a stale bell ring. A verdict of TOO_LATE means the tolerance has
    passed: it must not sound any more.
    """
    return [
        Due(one, Verdict.EMIT if now_us <= one.closes_at_us else Verdict.TOO_LATE)
        for one in cues
        if one.cue.trigger is Trigger.AUTOMATIC
        and one.outcome is None
        and not (one.is_projected or one.is_void)
        and after_us < one.planned_at_us <= now_us
    ]


def reveals_signal(one: RoomCue, started_at_us: int, now_us: int) -> bool:
    """Whether a room that says it played the cue at this moment tells us something we did not know.

    True when the room rang by itself, inside the cue's tolerance, while this machine was away: the
    signal was given, and its moment is the room's. What is still to come nobody has heard: believing
    it would silence the signal.
    """
    is_open = one.cue.trigger is Trigger.AUTOMATIC and not (one.is_projected or one.is_void)
    is_news = one.outcome is None or one.outcome.is_missed
    is_in_time = one.planned_at_us - MEASURING_SLACK_US <= started_at_us <= one.closes_at_us
    has_been = started_at_us <= now_us + MEASURING_SLACK_US
    return is_open and is_news and is_in_time and has_been


def _room_cue(
    cue: Cue, session: Session, announced: Sequence[Announced], room_id: int, times: RoomTimes
) -> RoomCue:
    anchor_us, is_projected = _anchor_us(cue.anchor, session, times)
    outcome = announced_in(announced, room_id, cue.code)
    return RoomCue(
        session_id=session.id,
        room_id=room_id,
        cue=cue,
        planned_at_us=anchor_us + cue.offset_us,
        is_projected=is_projected,
        is_void=times.stopped_at_us is not None and outcome is None and cue.anchor is not Anchor.END,
        outcome=outcome,
    )


def _anchor_us(anchor: Anchor, session: Session, times: RoomTimes) -> tuple[int, bool]:
    """The anchor's moment, and whether it still hangs on a signal that has not been given."""
    if anchor is Anchor.PLANNED_START:
        return session.planned_start_us, False
    if anchor is Anchor.END and times.stopped_at_us is not None:
        return times.stopped_at_us, False
    start_us = session.planned_start_us if times.started_at_us is None else times.started_at_us
    anchor_us = start_us if anchor is Anchor.START else start_us + session.duration_us
    return anchor_us, anchor is Anchor.END or times.started_at_us is None
