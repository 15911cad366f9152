"""The server goes by another clock: what a player noted by the one before is read by the new one.

Pure. A player knows exactly how far the two are apart, because both hang on its own monotonic clock. Every
moment it keeps stands beside the name of the clock it was noted by, so that a change counts once for it,
however often and by whoever it is applied, and never for what a nameless clock (a rehearsal's) told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from exam.server_time import Exchange, ServerTime


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A moment noted by the clock `before` is `shift_us` later by the clock `after`."""

    before: str
    after: str
    shift_us: int

    @classmethod
    def heard(cls, time: ServerTime, one: Exchange) -> Self | None:
        """Learn from an exchange; None while the clock is the same, or where nothing is carried over."""
        before = time.best
        shift_us = time.take(one)
        if before is None or before.clock == one.clock or not (before.clock and one.clock):
            return None
        return cls(before.clock, one.clock, shift_us)

    def of_moment(self, at_us: int, clock: str) -> tuple[int, str]:
        """The moment and the clock it is by from now on."""
        return (at_us + self.shift_us, self.after) if clock == self.before else (at_us, clock)

    def of_report(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """A report that waits to be sent; `clock` names what its moments are by, and is never sent."""
        if report.get("clock", "") != self.before:
            return dict(report)
        moments = {name: report[name] for name in ("started_at_us", "ended_at_us")}
        shifted = {name: at_us + self.shift_us for name, at_us in moments.items() if at_us is not None}
        # The machine's own wall clock stood where it stood: it is off from the new clock by so much less.
        offset_us = report["offset_us"] - self.shift_us
        return {**report, **shifted, "offset_us": offset_us, "clock": self.after}

    def of_played(self, played: Mapping[str, Any]) -> dict[str, Any]:
        """What a heartbeat says of the last sound; `clock` as in reports."""
        if played["at_us"] is None:
            return dict(played)
        at_us, clock = self.of_moment(played["at_us"], played["clock"])
        return {**played, "at_us": at_us, "clock": clock}


def as_sent(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report (or a heartbeat's word of the last sound) as the server takes it."""
    return {name: value for name, value in report.items() if name != "clock"}
