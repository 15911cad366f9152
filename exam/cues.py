"""What is due now, in which room: the only scheduler truth (domain rule A-3, R9).

Pure: from the procedure, the session and what became of it so far, every cue of every room gets its
moment, and `due` says what may sound now and what came too late. Timers live elsewhere and only ask;
a crash, a restart or a stepped clock can therefore neither repeat nor lose a cue.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.course import SessionCourse
from exam.day import Announced, Session
from exam.delays import Stretch, length
from exam.procedure import Anchor, Cue, Signal, Trigger
from exam.room_signals import RoomSignals, moment_of, room_signals
from exam.room_times import RoomTimes, planned_end_us, standstills, times_of

# A console that is awake gives a signal sooner than this; later it was away, and rooms rang without it.
PUNCTUAL_US: Final = SECOND_US // 2
# A warning does for an end that moved by no more than this much work; of a later one people were not warned.
WARNING_DOES_US: Final = 30 * MINUTE_US
# A room's clock is measured, not known: a report this much before the plan was still on time.
MEASURING_SLACK_US: Final = SECOND_US // 2
# A miss speaks of its own moment only: a plan that moved by more than this may be kept after all.
SAME_PLAN_US: Final = SECOND_US
# A time warning is given again when the end moved later by more than this.
REPEATED_WARNING_US: Final = MINUTE_US


@dataclass(frozen=True, slots=True)
class RoomCue:
    """One cue in one room, with its moment.

    `is_projected`: the moment hangs on a signal that has not been given, and moves with it; such a
    cue is never due. `is_held`: the room stands still (evacuated, delayed), nothing may sound.
    `is_void`: the room has stopped, and the cue belongs before the stop. `outcome` is what became of
    it, None while nothing has (or only what was corrected); `next_occurrence` is that under which the cue
    would sound now.
    """

    session_id: int
    room_id: int
    cue: Cue
    planned_at_us: int
    is_projected: bool
    is_void: bool = False
    outcome: Announced | None = None
    is_held: bool = False
    next_occurrence: int = 1
    # Starts and stops that a correction took back.
    corrected: tuple[Announced, ...] = ()
    # It sounded at this very plan and was corrected: what comes next is for people to say.
    is_taken_back: bool = False
    # A warning that was given for another end, and how long the room has stood still since.
    given_before: Announced | None = None
    stood_still_us: int = 0

    @property
    def occurrence(self) -> int:
        """The outcome's, else the next."""
        return self.next_occurrence if self.outcome is None else self.outcome.occurrence

    @property
    def closes_at_us(self) -> int:
        """The last moment at which it may sound."""
        return self.planned_at_us + self.cue.tolerance_us

    @property
    def is_automatic(self) -> bool:
        """Whether it sounds by itself once its moment has come: nothing stands against it."""
        is_free = self.outcome is None and not (self.is_projected or self.is_void or self.is_held)
        return self.cue.trigger is Trigger.AUTOMATIC and is_free and not self.is_taken_back

    @property
    def is_warned(self) -> bool:
        """Whether the warning of another end must do where this one comes too late to be given again.

        It spoke of the work that was left. While a room stands still nobody works, so that however long that
        took, it made the warning no less true; the resumption told the new end.
        """
        before = self.given_before
        if before is None:
            return False
        return abs(self.planned_at_us - moment_of(before) - self.stood_still_us) <= WARNING_DOES_US


class Verdict(StrEnum):
    """What `due` says of a cue."""

    EMIT = "emit"
    # The console was away at its moment; a room that rings by itself says when it did, or that it did not.
    AWAITED = "awaited"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Due:
    """A cue that must be dealt with now."""

    room_cue: RoomCue
    verdict: Verdict


def session_cues(course: SessionCourse) -> list[RoomCue]:
    """Every scheduled cue of every room of the session, earliest first."""
    cues = [one for room_id in course.session.room_ids for one in room_cues(course, room_id)]
    return sorted(cues, key=lambda one: one.planned_at_us)


def room_cues(course: SessionCourse, room_id: int) -> list[RoomCue]:
    """Every scheduled cue of one room, in the order of the procedure."""
    announced = course.announced_in(room_id)
    by_code: dict[str, list[Announced]] = {}
    for one in announced:
        by_code.setdefault(one.cue_code, []).append(one)
    signals = room_signals(course.procedure, announced)
    times, still = times_of(course, room_id, signals), standstills(course, room_id, signals)
    room = _Room(course.session, room_id, by_code, signals, times, still)
    return [room.cue(cue) for cue in course.procedure.cues if cue.is_scheduled]


def due(cues: Iterable[RoomCue], after_us: int, now_us: int) -> list[Due]:
    """The automatic cues planned after `after_us` whose moment has come and which nothing became of yet.

    `after_us` is the moment the session was armed: what was planned before is left to people, so
    that arming late never lets a stale bell ring. A verdict of TOO_LATE means the tolerance has
    passed: it must not sound any more.
    """
    return [
        Due(one, Verdict.EMIT if now_us <= one.closes_at_us else Verdict.TOO_LATE)
        for one in cues
        if after_us < one.planned_at_us <= now_us
        and one.is_automatic
        and not (one.is_warned and now_us > one.closes_at_us)
    ]


def await_rooms(found: Iterable[Due], ringing_alone: Collection[int], now_us: int) -> list[Due]:
    """The same, but a start or stop that rooms may have rung by themselves is left for them to tell.

    Given now it would be noted late, and the room's T0 or TE with it (R9).
    """
    return [
        replace(one, verdict=Verdict.AWAITED) if _is_awaited(one, ringing_alone, now_us) else one
        for one in found
    ]


def _is_awaited(one: Due, ringing_alone: Collection[int], now_us: int) -> bool:
    cue = one.room_cue
    is_late = one.verdict is Verdict.EMIT and now_us - cue.planned_at_us > PUNCTUAL_US
    is_counted = cue.cue.signal in {Signal.START_SIGNAL, Signal.STOP_SIGNAL}
    return is_late and is_counted and cue.room_id in ringing_alone


def about_to_sound(cues: Iterable[RoomCue], after_us: int, now_us: int, ahead_us: int) -> list[RoomCue]:
    """The audible automatic cues that players will sound within `ahead_us`, or have unknown to us."""
    return [
        one
        for one in cues
        if one.is_automatic
        and one.cue.is_audible
        and after_us < one.planned_at_us <= now_us + ahead_us
        and not (one.is_warned and now_us > one.closes_at_us)
    ]


def reveals_signal(one: RoomCue, started_at_us: int, now_us: int) -> bool:
    """Whether a room that says it played the cue at this moment tells us something we did not know.

    True when the room rang by itself, inside the cue's tolerance, while this machine was away: the
    signal was given, and its moment is the room's. What is still to come nobody has heard: believing
    it would silence the signal.
    """
    is_open = one.cue.trigger is Trigger.AUTOMATIC and not (one.is_projected or one.is_void or one.is_held)
    is_news = one.outcome is None or one.outcome.is_missed
    is_in_time = one.planned_at_us - MEASURING_SLACK_US <= started_at_us <= one.closes_at_us
    has_been = started_at_us <= now_us + MEASURING_SLACK_US
    return is_open and is_news and is_in_time and has_been


@dataclass(frozen=True, slots=True)
class _Room:
    """One room of a session, with everything its cues hang on."""

    session: Session
    room_id: int
    announced: Mapping[str, Sequence[Announced]]
    signals: RoomSignals
    times: RoomTimes
    still: Sequence[Stretch]

    def cue(self, cue: Cue) -> RoomCue:
        anchor_us, is_projected = self._anchor_us(cue.anchor)
        planned_at_us = anchor_us + cue.offset_us
        mine = self.announced.get(cue.code, ())
        outcome = self._outcome(cue, mine, planned_at_us)
        is_over = self.times.stopped_at_us is not None and cue.anchor is not Anchor.END
        is_over = is_over or self._is_overtaken(cue, planned_at_us)
        corrected = tuple(each.wrong for each in self.signals.corrected if each.wrong.cue_code == cue.code)
        before = _warning_before(cue, mine) if outcome is None else None
        return RoomCue(
            session_id=self.session.id,
            room_id=self.room_id,
            cue=cue,
            planned_at_us=planned_at_us,
            is_projected=is_projected,
            is_void=is_over and outcome is None,
            outcome=outcome,
            is_held=self._is_held(cue),
            next_occurrence=1 + max((one.occurrence for one in mine), default=0),
            corrected=corrected,
            given_before=before,
            stood_still_us=self._stood_still_us(before),
            is_taken_back=outcome is None and any(_is_of_plan(one, planned_at_us) for one in corrected),
        )

    def _is_held(self, cue: Cue) -> bool:
        """What should have sounded before the start cannot wait any more once the room has started."""
        is_past = self.times.started_at_us is not None and cue.anchor is Anchor.PLANNED_START
        return self.times.is_held and cue.is_audible and not is_past

    def _stood_still_us(self, since: Announced | None) -> int:
        """How long the room has stood still since then."""
        if since is None:
            return 0
        from_us = moment_of(since)
        return length((max(one, from_us), until) for one, until in self.still if until > from_us)

    def _is_overtaken(self, cue: Cue, planned_at_us: int) -> bool:
        """Whether it belongs before the start, and would come after it: somebody took back the clock."""
        started_at_us = self.times.started_at_us
        is_before = cue.anchor is Anchor.PLANNED_START and cue.offset_us < 0
        return is_before and started_at_us is not None and planned_at_us > started_at_us

    def _anchor_us(self, anchor: Anchor) -> tuple[int, bool]:
        """The anchor's moment, and whether it still hangs on a signal that has not been given."""
        has_started = self.times.started_at_us is not None
        if anchor is Anchor.PLANNED_START:
            return self.session.planned_start_us, False
        if anchor is Anchor.START:
            return self.times.started_at_us or self.session.planned_start_us, not has_started
        if anchor is Anchor.END and self.times.finished_at_us is not None:
            return self.times.finished_at_us, False
        end_us = planned_end_us(self.session, self.times)
        if anchor is Anchor.PLANNED_END:
            return end_us, not has_started
        last_us = max([end_us, *(one.ends_at_us or 0 for one in self.times.going_on)])
        return last_us, True

    def _outcome(self, cue: Cue, mine: Sequence[Announced], planned_at_us: int) -> Announced | None:
        """What counts of everything that became of the cue: a sound before a miss, a miss of this plan."""
        if not mine:
            return None
        if cue.signal is Signal.START_SIGNAL:
            sounded = self.signals.start
        elif cue.signal is Signal.STOP_SIGNAL:
            sounded = self.signals.stop
        else:
            sounded = _sounded(cue, mine, planned_at_us)
        if sounded is not None:
            return sounded
        missed = [
            one for one in mine if one.is_missed and abs(one.planned_at_us - planned_at_us) <= SAME_PLAN_US
        ]
        return missed[-1] if missed else None


def _is_of_plan(wrong: Announced, planned_at_us: int) -> bool:
    """Whether a corrected signal had sounded when the plan says it should."""
    sounded_us = moment_of(wrong)
    return (
        abs(wrong.planned_at_us - planned_at_us) <= SAME_PLAN_US
        and sounded_us >= planned_at_us - SAME_PLAN_US
    )


def _warning_before(cue: Cue, mine: Sequence[Announced]) -> Announced | None:
    """The last warning that was given, of whatever end."""
    given = [one for one in mine if not one.is_missed and cue.signal is Signal.TIME_WARNING]
    return given[-1] if given else None


def _sounded(cue: Cue, mine: Sequence[Announced], planned_at_us: int) -> Announced | None:
    """The first time it sounded. A warning of another end than the present one warned of nothing."""
    is_warning = cue.signal is Signal.TIME_WARNING
    return next(
        (
            one
            for one in mine
            if not one.is_missed
            and not (is_warning and planned_at_us - one.planned_at_us > REPEATED_WARNING_US)
        ),
        None,
    )
