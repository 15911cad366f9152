"""How long footage is kept, and every reason why (规程 Art. 11(2) and 23(2); R1-R3).

Pure rules: this module decides, `evidence.disposal` acts. Whatever a caller or a settings file says, no
period is shorter than `FLOOR_YEARS`; facts can only make it longer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SITE_ZONE, site_time, to_us

# 规程: five years at least. Settings may ask for more.
FLOOR_YEARS: Final = 5
# Footage of a session's rooms this long before and after it belongs to its batch.
AROUND_SESSION_US: Final = 120 * MINUTE_US


class KeepReason(StrEnum):
    """Why footage stays."""

    WITHIN_PERIOD = "within_period"
    BATCH_OPEN = "batch_open"
    NO_BATCH = "no_batch"
    LEGAL_HOLD = "legal_hold"
    RESTRICTED = "restricted"
    DAMAGED = "damaged"
    NOT_IN_LEDGER = "not_in_ledger"


@dataclass(frozen=True, slots=True)
class Reach:
    """A stretch of one camera's time; the end does not belong to it."""

    camera_uuid: str
    from_us: int
    until_us: int

    def meets(self, other: "Reach") -> bool:
        """Whether any moment is in both."""
        return (
            self.camera_uuid == other.camera_uuid
            and self.from_us < other.until_us
            and other.from_us < self.until_us
        )


@dataclass(frozen=True, slots=True)
class Term:
    """What one batch says about its footage.

    `closed_at_us` is the latest of all its closings, None while it is open; `days` are the site's dates
    on which it sat or which somebody assigned to it.
    """

    batch_id: int
    reaches: tuple[Reach, ...]
    days: frozenset[date]
    closed_at_us: int | None
    years: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold, or a restriction, over a whole batch or over stretches of cameras."""

    hold_id: int
    restricts: bool
    batch_id: int | None
    reaches: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True)
class Clip:
    """One file of footage as the rule sees it. `faults` are reasons found in the file or its records."""

    reach: Reach
    faults: frozenset[KeepReason] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """What becomes of a clip: `retain_until_us` None means never; no reasons means that it may go."""

    retain_until_us: int | None
    batch_ids: tuple[int, ...]
    reasons: tuple[KeepReason, ...]

    @property
    def is_due(self) -> bool:
        """Whether nothing keeps it."""
        return not self.reasons


def end_of_period(from_us: int, years: int) -> int:
    """The first moment after the period: so many years, rounded up to the end of that year at the site."""
    last_year = site_time(from_us).year + max(years, FLOOR_YEARS)
    return to_us(datetime(last_year + 1, 1, 1, tzinfo=SITE_ZONE))


def days_of(reach: Reach) -> frozenset[date]:
    """The site's dates that the stretch touches."""
    first, last = site_time(reach.from_us).date(), site_time(reach.until_us - 1).date()
    return frozenset(date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1))


def owners(reach: Reach, terms: Iterable[Term]) -> list[Term]:
    """The batches to which a stretch belongs: those whose sessions it meets, else those of its days."""
    known = list(terms)
    meeting = [term for term in known if any(each.meets(reach) for each in term.reaches)]
    if meeting:
        return meeting
    days = days_of(reach)
    return [term for term in known if term.days & days]


def retain_until(reach: Reach, owning: Sequence[Term]) -> int | None:
    """The first moment at which the footage may be disposed of; the latest batch wins. None: never."""
    ends = [_end_for(reach, term) for term in owning]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def judge(clip: Clip, terms: Iterable[Term], holds: Iterable[Hold], now_us: int) -> Finding:
    """Whether the clip stays, and all the reasons for it, not only the first."""
    owning = owners(clip.reach, terms)
    until_us = retain_until(clip.reach, owning)
    batch_ids = tuple(sorted(term.batch_id for term in owning))
    reasons = {*clip.faults, *_period_reasons(owning, until_us, now_us)}
    reasons |= {
        KeepReason.RESTRICTED if hold.restricts else KeepReason.LEGAL_HOLD
        for hold in holds
        if is_held(clip.reach, batch_ids, hold)
    }
    return Finding(until_us, batch_ids, tuple(reason for reason in KeepReason if reason in reasons))


def is_held(reach: Reach, batch_ids: Sequence[int | None], hold: Hold) -> bool:
    """Whether the hold covers footage that belongs to these batches."""
    return hold.batch_id in batch_ids or any(each.meets(reach) for each in hold.reaches)


def _end_for(reach: Reach, term: Term) -> int | None:
    if term.closed_at_us is None:
        return None
    return end_of_period(max(term.closed_at_us, reach.until_us), term.years)


def _period_reasons(owning: Sequence[Term], until_us: int | None, now_us: int) -> list[KeepReason]:
    if not owning:
        return [KeepReason.NO_BATCH]
    if until_us is None:
        return [KeepReason.BATCH_OPEN]
    return [KeepReason.WITHIN_PERIOD] if now_us < until_us else []
