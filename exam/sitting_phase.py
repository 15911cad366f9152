"""Where a sitting stands for somebody who wants to come in (规程 13(二)-(四), 14(三), 15(二))."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from exam.admission_facts import Seat, Sitting
from exam.clock import site_time


class Phase(StrEnum):
    """Where one sitting stands for somebody who wants to come in."""

    OTHER_DAY = "other_day"
    TOO_EARLY = "too_early"
    OPEN = "open"
    LATE = "late"
    CUT_OFF = "cut_off"
    ASK = "ask"
    CLOSED = "closed"


_ENTERING: Final = frozenset({Phase.OPEN, Phase.LATE, Phase.ASK})


def phase(sitting: Sitting, now_us: int) -> Phase:
    """Where the sitting stands. The room's own start signal makes late, never the planned time (R4).

    While no start signal is on record nobody is late, until the planned time has run out.
    """
    if site_time(sitting.planned_start_us).date() != site_time(now_us).date():
        return Phase.OTHER_DAY
    if _is_over(sitting, now_us):
        return Phase.CLOSED
    if now_us < sitting.planned_start_us - sitting.check_in_opens_us and sitting.started_at_us is None:
        return Phase.TOO_EARLY
    return _phase_after_opening(sitting, now_us)


def as_of(sitting: Sitting, at_us: int) -> Sitting:
    """The sitting as it stood at a moment in the past: a stop signal that came later had not sounded."""
    has_stopped = sitting.stopped_at_us is not None and sitting.stopped_at_us <= at_us
    return sitting if has_stopped else replace(sitting, stopped_at_us=None)


def choose_seat(seats: Sequence[Seat], now_us: int) -> list[Seat]:
    """The seat the candidate comes for: one, none, or several when only a person can tell."""
    ranked = [(_rank(seat, now_us), seat) for seat in seats]
    best = min((rank for rank, _ in ranked), default=0)
    tied = [seat for rank, seat in ranked if rank == best]
    if best == 0:
        return tied
    # Among sittings that do not admit now the nearest is meant: the next to come, else the last past.
    return [min(tied, key=lambda seat: _distance(seat.sitting, now_us))]


def _is_over(sitting: Sitting, now_us: int) -> bool:
    if sitting.is_cancelled or sitting.stopped_at_us is not None:
        return True
    # Once started, only the stop signal ends it: time may have been given back. Never started, the plan does.
    return sitting.started_at_us is None and now_us >= sitting.planned_start_us + sitting.duration_us


def _phase_after_opening(sitting: Sitting, now_us: int) -> Phase:
    if sitting.started_at_us is None or now_us < sitting.started_at_us:
        return Phase.OPEN
    if sitting.late_cutoff_us is None:
        return Phase.ASK
    # At exactly the cut-off nobody enters any more: 开考30分钟后 begins there.
    return Phase.LATE if now_us < sitting.started_at_us + sitting.late_cutoff_us else Phase.CUT_OFF


def _rank(seat: Seat, now_us: int) -> int:
    at = phase(seat.sitting, now_us)
    if at in _ENTERING and seat.admission is None:
        return 0
    if at in _ENTERING or at is Phase.CUT_OFF:
        return 1
    return {Phase.TOO_EARLY: 2, Phase.CLOSED: 3}.get(at, 4)


def _distance(sitting: Sitting, now_us: int) -> tuple[bool, int]:
    return (sitting.planned_start_us < now_us, abs(sitting.planned_start_us - now_us))


def has_started(sitting: Sitting, now_us: int) -> bool:
    """Whether the start signal was given by then; times in UTC microseconds."""
    return sitting.started_at_us is not None and sitting.started_at_us <= now_us
