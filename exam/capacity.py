"""Whether the footage volumes have room for the day (考前容量预测).

Pure (R16, evidence.md 2.3): footage that will be owed, against the room that is free. A site that is
short is not ready. Nothing here touches a disk; full volumes are dealt with by the recorder.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US

# What a camera is taken to send while it has not been measured.
USUAL_BPS: Final = 4_000_000
# Pictures with much movement take more than the rate that was measured, in tenths.
MARGIN_TENTHS: Final = 13
# With less than this left at the present rate, people must be told wherever they look.
LOW_HOURS: Final = 12.0
_BITS: Final = 8


class Readiness(StrEnum):
    """What can be said about the room for footage."""

    ENOUGH = "enough"
    # What is planned fits, but little time is left at the rate of all cameras.
    LOW = "low"
    # What is planned does not fit.
    SHORT = "short"
    # No volume takes footage at all.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Owed:
    """An interval in which these cameras must be recorded."""

    camera_uuids: frozenset[str]
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Room:
    """Free room that footage may take. Folders with the same `device` share it: it counts once."""

    device: int
    usable_bytes: int
    is_reserve: bool = False


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the day needs and what there is. `hours_left` is None without cameras."""

    needed_bytes: int
    free_bytes: int
    reserve_bytes: int
    hours_left: float | None
    readiness: Readiness

    @property
    def used_share(self) -> float:
        """How much of the free room the plan takes, from 0 to 1."""
        if self.needed_bytes == 0:
            return 0.0
        return min(1.0, self.needed_bytes / self.free_bytes) if self.free_bytes else 1.0


def forecast(
    owed: Iterable[Owed], measured_bps: Mapping[str, int], rooms: Sequence[Room], now_us: int
) -> Capacity:
    """What is still to be recorded, by camera and rate with margin, against what is free now.

    `measured_bps` names every camera of the site; 0 for one that has not been measured.
    """
    needed_bytes = sum(_needed_bytes(measured_bps, uuid, one_us) for uuid, one_us in _ahead(owed, now_us))
    free_bytes = _usable(room for room in rooms if not room.is_reserve)
    devices = {room.device for room in rooms if not room.is_reserve}
    reserve_bytes = _usable(room for room in rooms if room.is_reserve and room.device not in devices)
    hours_left = _hours_left(free_bytes, measured_bps)
    return Capacity(
        needed_bytes, free_bytes, reserve_bytes, hours_left, _readiness(needed_bytes, free_bytes, hours_left)
    )


def _ahead(owed: Iterable[Owed], now_us: int) -> list[tuple[str, int]]:
    """How long each camera has still to be recorded. Intervals that overlap count once."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in owed:
        for uuid in one.camera_uuids:
            spans.setdefault(uuid, []).append((max(one.from_us, now_us), one.until_us))
    return [(uuid, _union_us(sorted(of_camera))) for uuid, of_camera in spans.items()]


def _union_us(spans: Sequence[tuple[int, int]]) -> int:
    total_us = covered_until_us = 0
    for from_us, until_us in spans:
        total_us += max(0, until_us - max(from_us, covered_until_us))
        covered_until_us = max(covered_until_us, until_us)
    return total_us


def _rate_bps(measured_bps: int) -> int:
    return (measured_bps or USUAL_BPS) * MARGIN_TENTHS // 10


def _needed_bytes(measured_bps: Mapping[str, int], uuid: str, length_us: int) -> int:
    return _rate_bps(measured_bps.get(uuid, 0)) * length_us // SECOND_US // _BITS


def _usable(rooms: Iterable[Room]) -> int:
    return sum({room.device: max(0, room.usable_bytes) for room in rooms}.values())


def _hours_left(free_bytes: int, measured_bps: Mapping[str, int]) -> float | None:
    rate_bps = sum(_rate_bps(bps) for bps in measured_bps.values())
    if rate_bps == 0:
        return None
    return free_bytes * _BITS * SECOND_US / rate_bps / (60 * MINUTE_US)


def _readiness(needed_bytes: int, free_bytes: int, hours_left: float | None) -> Readiness:
    if free_bytes == 0:
        return Readiness.NONE
    if needed_bytes > free_bytes:
        return Readiness.SHORT
    if hours_left is not None and hours_left < LOW_HOURS:
        return Readiness.LOW
    return Readiness.ENOUGH
