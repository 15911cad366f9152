"""The coverage certificate (录像覆盖证明): is every scheduled second of a camera accounted for?

Pure (Art. 11(2) 全程覆盖, R16). The scheduled interval of a room follows its actual signals; what a
camera holds of it comes from the footage index. Footage accounts for a second, and so does a gap with
a recorded cause; everything else is named as unaccounted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from exam.recording_schedule import Schedule

# Shares are told in hundredths of a percent, rounded down: 100 % means every microsecond.
SHARE_PARTS: Final = 10_000
# The reason of a stretch that nothing was said about.
UNRECORDED: Final = "unrecorded"


class Account(StrEnum):
    """What is known of a stretch of scheduled time."""

    RECORDED = "recorded"
    GAP = "gap"
    UNACCOUNTED = "unaccounted"
    # Still ahead, or in a file that is not complete.
    OPEN = "open"


class Finding(StrEnum):
    """What a certificate states about the time that is over."""

    COMPLETE = "complete"
    ACCOUNTED = "accounted"
    UNACCOUNTED = "unaccounted"
    # No scheduled second is over yet.
    NOTHING_DUE = "nothing_due"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the interval; `reason` is the gap's cause, or why it is unaccounted or open."""

    account: Account
    from_us: int
    until_us: int
    reason: str = ""

    @property
    def length_us(self) -> int:
        """How long it is."""
        return self.until_us - self.from_us


@dataclass(frozen=True, slots=True)
class Reckoning:
    """All scheduled time of one camera, or of many: each microsecond is in exactly one sum."""

    recorded_us: int = 0
    gap_us: int = 0
    unaccounted_us: int = 0
    open_us: int = 0

    @property
    def scheduled_us(self) -> int:
        """The whole."""
        return self.due_us + self.open_us

    @property
    def due_us(self) -> int:
        """What is over and must be accounted for."""
        return self.recorded_us + self.gap_us + self.unaccounted_us

    @property
    def covered_share(self) -> int | None:
        """Recorded of what is due, in SHARE_PARTS, rounded down; None while nothing is due."""
        return self.recorded_us * SHARE_PARTS // self.due_us if self.due_us else None

    @property
    def finding(self) -> Finding:
        """What may be stated; the worst wins."""
        if self.unaccounted_us:
            return Finding.UNACCOUNTED
        if self.gap_us:
            return Finding.ACCOUNTED
        return Finding.COMPLETE if self.recorded_us else Finding.NOTHING_DUE

    @property
    def is_provisional(self) -> bool:
        """Whether any scheduled second is still open: such a result is no certificate."""
        return self.open_us > 0

    def __add__(self, other: "Reckoning") -> "Reckoning":
        return Reckoning(
            self.recorded_us + other.recorded_us,
            self.gap_us + other.gap_us,
            self.unaccounted_us + other.unaccounted_us,
            self.open_us + other.open_us,
        )


def account_for(scheduled: Schedule, stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The whole interval in stretches without hole or overlap, oldest first, like neighbours joined.

    Of overlapping stretches the earlier counts; what no stretch covers is unaccounted.
    """
    joined: list[Stretch] = []
    for one in _tiled(scheduled, stretches):
        if joined and (joined[-1].account, joined[-1].reason) == (one.account, one.reason):
            joined[-1] = replace(joined[-1], until_us=one.until_us)
        else:
            joined.append(one)
    return tuple(joined)


def reckon(stretches: Iterable[Stretch]) -> Reckoning:
    """The sums over stretches that do not overlap."""
    sums = dict.fromkeys(Account, 0)
    for one in stretches:
        sums[one.account] += one.length_us
    return Reckoning(sums[Account.RECORDED], sums[Account.GAP], sums[Account.UNACCOUNTED], sums[Account.OPEN])


def _tiled(scheduled: Schedule, stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    reached_us = scheduled.from_us
    for one in sorted(stretches, key=lambda stretch: stretch.from_us):
        from_us, until_us = max(one.from_us, reached_us), min(one.until_us, scheduled.until_us)
        if from_us >= until_us:
            continue
        if from_us > reached_us:
            yield Stretch(Account.UNACCOUNTED, reached_us, from_us, UNRECORDED)
        yield replace(one, from_us=from_us, until_us=until_us)
        reached_us = until_us
    if reached_us < scheduled.until_us:
        yield Stretch(Account.UNACCOUNTED, reached_us, scheduled.until_us, UNRECORDED)
