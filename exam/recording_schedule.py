"""When the rooms of a session owe footage (应录像时间): from room opening to the sealed handover.

Pure, and the only rule of it (Art. 11(2) 全程监控, R16, R21): the recorder starts and stops cameras by
it, gaps are counted by it, and the coverage certificate is drawn up by it. While no stop signal has
sounded the interval has no end, so an extended session stays recorded; the cap on that is far and loud.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.course import SessionCourse
from exam.procedure import Anchor, Procedure
from exam.room_times import RoomTimes, planned_end_us, room_times

# A room that people move out of is still being left: candidates, papers, bags.
LEAVING_US: Final = 10 * MINUTE_US
# How long cameras go on after an end that somebody pressed or planned, so that the end itself is seen.
TAIL_US: Final = 10 * SECOND_US
# A handover that nobody has ticked may still be going on.
UNTICKED_US: Final = 30 * MINUTE_US
# Without a stop signal recording goes on this long after the planned end and the handover.
UNSTOPPED_US: Final = 4 * 60 * MINUTE_US
# From this long after them the site lead is asked what is going on.
UNSTOPPED_ALARM_US: Final = 15 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Schedule:
    """The interval of one room that must be recorded, with the signals inside it.

    `stopped_at_us` is None without a stop signal: the end then hangs on the planned moment and, once that
    has passed, moves on with the clock (`is_open_ended`). Cameras may go on until `kept_until_us`; a second
    after `until_us` is owed to nobody.
    """

    from_us: int
    until_us: int
    started_at_us: int | None
    stopped_at_us: int | None
    room_id: int = 0
    is_open_ended: bool = False
    is_overdue: bool = False
    kept_until_us: int = 0

    @property
    def scheduled_us(self) -> int:
        """How long the interval is."""
        return self.until_us - self.from_us


@dataclass(frozen=True, slots=True)
class _Stay:
    """A part of the session in one room; the signals that govern it were given in `origin_id` or here."""

    room_id: int
    origin_id: int
    from_us: int
    left_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class _End:
    until_us: int
    kept_until_us: int
    is_open_ended: bool = False
    is_overdue: bool = False
    is_ticked: bool = False


def schedules(course: SessionCourse, now_us: int) -> tuple[Schedule, ...]:
    """What each room of the session owes, as far as that is known now; rooms it moved to included.

    A cancelled session owes nothing after its cancellation, and nothing at all when it had not begun.
    """
    return tuple(
        one for stay in _stays(course) for one in [_schedule(course, stay, now_us)] if one.scheduled_us > 0
    )


def handover_allowance_us(procedure: Procedure) -> int:
    """How long after the stop signal the handover is over when nobody says when it was."""
    last_step_us = max((cue.offset_us for cue in procedure.cues if cue.anchor is Anchor.END), default=0)
    return max(procedure.handover_us or 0, last_step_us)


def _stays(course: SessionCourse) -> Iterator[_Stay]:
    opens_us = course.procedure.room_opens_us or course.procedure.check_in_opens_us
    from_us = course.session.planned_start_us - opens_us
    moves = sorted(course.moves, key=lambda move: (move.moves_at_us, move.recorded_at_us))
    for origin_id in course.session.room_ids:
        stay = _Stay(origin_id, origin_id, from_us)
        for move in moves:
            if move.from_room_id != stay.room_id:
                continue
            # Entered late, it takes nothing off what the cameras of the old room were just recording.
            yield replace(stay, left_at_us=max(move.moves_at_us, move.recorded_at_us))
            # The new room is prepared from the moment it was decided.
            stay = _Stay(move.to_room_id, origin_id, min(move.moves_at_us, move.recorded_at_us))
        yield stay


def _schedule(course: SessionCourse, stay: _Stay, now_us: int) -> Schedule:
    times = _times(course, stay)
    end = _end(course, stay, times, now_us)
    if stay.left_at_us is not None and stay.left_at_us + LEAVING_US < end.until_us:
        end = _End(stay.left_at_us + LEAVING_US, stay.left_at_us + LEAVING_US)
    cancelled_at_us = course.session.cancelled_at_us
    if cancelled_at_us is not None and cancelled_at_us < end.until_us:
        end = _End(cancelled_at_us, min(end.kept_until_us, cancelled_at_us + LEAVING_US))
    return Schedule(
        from_us=stay.from_us,
        until_us=end.until_us,
        started_at_us=times.started_at_us,
        stopped_at_us=times.stopped_at_us,
        room_id=stay.room_id,
        is_open_ended=end.is_open_ended,
        is_overdue=end.is_overdue,
        kept_until_us=max(end.until_us, end.kept_until_us),
    )


def _times(course: SessionCourse, stay: _Stay) -> RoomTimes:
    """The signals of the room the people came from count; what was given in the new room only fills in."""
    origin, here = (room_times(course, room_id) for room_id in (stay.origin_id, stay.room_id))
    first = here if origin.started_at_us is None else origin
    stopped_at_us = here.stopped_at_us if origin.stopped_at_us is None else origin.stopped_at_us
    return replace(first, stopped_at_us=stopped_at_us)


def _end(course: SessionCourse, stay: _Stay, times: RoomTimes, now_us: int) -> _End:
    # A station that goes on is filmed until it is stopped, whatever the room's own stop was.
    ends_us = [planned_end_us(course.session, times), *(one.ends_at_us or 0 for one in times.going_on)]
    plan_us = max(ends_us) + handover_allowance_us(course.procedure)
    if times.finished_at_us is not None:
        end = _handed_over(course, stay, times.finished_at_us)
        # A stop given by mistake may yet be taken back: until a handover is ticked, cameras see the plan out.
        return end if end.is_ticked else replace(end, kept_until_us=max(end.kept_until_us, plan_us))
    cap_us = plan_us + UNSTOPPED_US
    until_us = min(max(plan_us, now_us), cap_us)
    is_overdue = now_us >= plan_us + UNSTOPPED_ALARM_US
    return _End(until_us, cap_us, is_open_ended=plan_us <= now_us < cap_us, is_overdue=is_overdue)


def _handed_over(course: SessionCourse, stay: _Stay, stopped_at_us: int) -> _End:
    step = course.procedure.handover_step
    allowed_us = stopped_at_us + handover_allowance_us(course.procedure)
    if step is None:
        return _End(allowed_us, allowed_us + TAIL_US)
    ticks = [course.confirmed.get((room_id, step)) for room_id in (stay.origin_id, stay.room_id)]
    ticked_at_us = min((tick for tick in ticks if tick is not None), default=None)
    if ticked_at_us is None:
        return _End(allowed_us, allowed_us + UNTICKED_US)
    # A tick hours late says nothing about when the room was empty, and nobody recorded until then.
    until_us = min(max(ticked_at_us, stopped_at_us), allowed_us + UNTICKED_US)
    return _End(until_us, until_us + TAIL_US, is_ticked=True)
