"""How much time delays give back: the union of what was lost, beyond a limit only with consent (R13).

Pure. Overlapping stretches count once, an event of the whole room counts for every station, and time in
which the room stood evacuated is no delay: it is given back by itself (`exam.room_times`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from exam.clock import MINUTE_US
from exam.course import EXTENDABLE, Approval, Delay

# More than this counts only once the lead assessor or the site lead agrees.
AGREED_FROM_US: Final = 30 * MINUTE_US

Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Extension:
    """What a station or room gets back. `lost_us` is everything that may be given back, agreed or not."""

    lost_us: int
    counted_us: int
    # A delay is still running: nobody can say the end yet.
    is_open: bool

    @property
    def awaits_approval(self) -> bool:
        """Whether a part of it counts only once somebody agrees."""
        return self.counted_us < self.lost_us


def extension(
    delays: Iterable[Delay],
    place_id: int | None,
    approvals: Iterable[Approval],
    apart: Sequence[Stretch],
    from_us: int,
) -> Extension:
    """The extension of a station (or, with None, of the room) from its delays after the start.

    `apart` are stretches that are given back otherwise.
    """
    mine = [
        one
        for one in delays
        if not one.is_withdrawn and one.reason in EXTENDABLE and one.place_id in {None, place_id}
    ]
    closed = [
        (max(one.started_at_us, from_us), one.stopped_at_us)
        for one in mine
        if one.stopped_at_us is not None and one.stopped_at_us > from_us
    ]
    lost_us = length(without(union(closed), apart))
    agreed_us = max(
        [AGREED_FROM_US, *(one.up_to_us for one in approvals if one.place_id in {None, place_id})],
    )
    return Extension(lost_us, min(lost_us, agreed_us), any(one.stopped_at_us is None for one in mine))


def room_stretches(delays: Iterable[Delay]) -> list[Stretch]:
    """When the whole room could not work and is given that back: its delays that are over."""
    return [
        (one.started_at_us, one.stopped_at_us)
        for one in delays
        if one.place_id is None
        and one.stopped_at_us is not None
        and one.reason in EXTENDABLE
        and not one.is_withdrawn
    ]


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The stretches in order, those that overlap or touch made one."""
    found: list[Stretch] = []
    for from_us, until_us in sorted(stretches):
        if found and from_us <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until_us))
        else:
            found.append((from_us, until_us))
    return found


def without(stretches: Iterable[Stretch], apart: Iterable[Stretch]) -> list[Stretch]:
    """What remains of the stretches outside of the others."""
    left = list(stretches)
    for cut_from_us, cut_until_us in apart:
        left = [
            part
            for from_us, until_us in left
            for part in ((from_us, min(until_us, cut_from_us)), (max(from_us, cut_until_us), until_us))
            if part[0] < part[1]
        ]
    return left


def length(stretches: Iterable[Stretch]) -> int:
    """How long they are together; they must not overlap."""
    return sum(until_us - from_us for from_us, until_us in stretches)
