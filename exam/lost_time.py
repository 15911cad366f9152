"""How much working time a room lost or gained by wrong signals and interruptions (domain rule A-7).

Pure. Computed from what really sounded; nothing is taken back from anybody. A wrong stop costs the time
until its correction; an interruption costs the time until it was resumed and is given back at once, until
the site lead decides otherwise. Ends that were early or late are told, not decided: they are over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.course import Grant, Loss, SessionCourse
from exam.procedure import Signal
from exam.room_signals import RoomSignals, moment_of, room_signals
from exam.room_times import RoomTimes, interrupted_us, loss_of, times_of

# Less than this is how well people press and rooms measure.
TELLING_US: Final = 2 * SECOND_US


class LossKind(StrEnum):
    """Why a room has other working time than planned."""

    WRONG_STOP = "wrong_stop"
    WRONG_START = "wrong_start"
    INTERRUPTION = "interruption"
    # Without a correction: the room stopped at another moment than due.
    EARLY_STOP = "early_stop"
    LATE_STOP = "late_stop"


@dataclass(frozen=True, slots=True)
class LostTime:
    """One stretch a room lost (positive) or gained (negative).

    `proposed_us` is what the site lead is asked to give back, in full minutes; 0 where there is nothing
    to decide. `decision` is what was decided. `loss` names it.
    """

    loss: Loss
    kind: LossKind
    from_us: int
    until_us: int
    lost_us: int
    proposed_us: int = 0
    decision: Grant | None = None

    @property
    def awaits_decision(self) -> bool:
        """Whether the site lead still has to say something."""
        return self.proposed_us > 0 and self.decision is None


def lost_time(course: SessionCourse, room_id: int) -> list[LostTime]:
    """What the room lost and gained, earliest first."""
    signals = room_signals(course.procedure, course.announced_in(room_id))
    room = _Room(course, room_id, signals, times_of(course, room_id, signals))
    found = [*room.wrong_signals(), *room.interruptions(), *room.end()]
    return sorted(found, key=lambda one: one.from_us)


def undecided(course: SessionCourse) -> list[LostTime]:
    """Everything of all rooms of the session that waits for the site lead's decision."""
    if course.session.cancelled_at_us is not None:
        return []
    found = [one for room_id in course.session.room_ids for one in lost_time(course, room_id)]
    return [one for one in found if one.awaits_decision]


def full_minutes(length_us: int) -> int:
    """Rounded up: people announce minutes, and nobody gets less than he lost."""
    return -(-length_us // MINUTE_US) * MINUTE_US


@dataclass(frozen=True, slots=True)
class _Room:
    course: SessionCourse
    room_id: int
    signals: RoomSignals
    times: RoomTimes

    def wrong_signals(self) -> Iterator[LostTime]:
        for one in self.signals.corrected:
            cue = self.course.procedure.cue(one.wrong.cue_code)
            is_start = cue is not None and cue.signal is Signal.START_SIGNAL
            from_us, until_us = moment_of(one.wrong), moment_of(one.by)
            loss = Loss(self.room_id, one.by.cue_code, one.by.occurrence)
            if is_start:
                yield LostTime(loss, LossKind.WRONG_START, from_us, until_us, from_us - until_us)
            else:
                yield self._decidable(loss, LossKind.WRONG_STOP, from_us, until_us, until_us - from_us)

    def interruptions(self) -> Iterator[LostTime]:
        started_at_us = self.times.started_at_us
        for one in self.signals.interruptions:
            loss = loss_of(self.room_id, one)
            if loss is None or one.until_us is None or started_at_us is None:
                continue
            lost_us = interrupted_us(one, started_at_us)
            if lost_us:
                from_us = one.until_us - lost_us
                yield self._decidable(loss, LossKind.INTERRUPTION, from_us, one.until_us, lost_us)

    def end(self) -> Iterator[LostTime]:
        stop, due_us = self.signals.stop, self.times.ends_at_us
        if stop is None or due_us is None:
            return
        over_us = moment_of(stop) - due_us
        if abs(over_us) > TELLING_US:
            kind = LossKind.LATE_STOP if over_us > 0 else LossKind.EARLY_STOP
            loss = Loss(self.room_id, stop.cue_code, stop.occurrence)
            from_us, until_us = sorted((moment_of(stop), due_us))
            yield LostTime(loss, kind, from_us, until_us, -over_us)

    def _decidable(self, loss: Loss, kind: LossKind, from_us: int, until_us: int, lost_us: int) -> LostTime:
        decision = next(
            (one for one in self.course.grants if one.loss == loss and not one.is_withdrawn), None
        )
        is_over = self.times.finished_at_us is not None
        proposed_us = 0 if is_over and decision is None else full_minutes(lost_us)
        return LostTime(loss, kind, from_us, until_us, lost_us, proposed_us, decision)
