"""The clock check before the exam (时钟核对, 13(1) 核准时间, R8): is every clock at the site right enough?

Pure: readings and tolerances go in, a verdict for each clock comes out. The console's own clock is compared
with a reference from outside; everything else with the console, by which the signals sound.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US, site_time, to_us

HALF_DAY: Final = timedelta(hours=12)
# Who types a reading presses when the reference gets there: no better than this.
BY_HAND_US: Final = SECOND_US // 2


class ClockKind(StrEnum):
    """What has the clock, in the order in which people read them."""

    CONSOLE = "console"
    KIOSK = "kiosk"
    PAGE = "page"
    SPEAKER = "speaker"
    CAMERA = "camera"


class ClockSource(StrEnum):
    """How the clock was read."""

    # Against the reference: satellites, time servers, a person with another clock.
    GNSS = "gnss"
    NTP = "ntp"
    BY_HAND = "by_hand"
    # Against the console.
    HEARTBEAT = "heartbeat"
    RTCP = "rtcp"
    ONVIF = "onvif"
    # Nothing has told it.
    NONE = "none"


class Counted(StrEnum):
    """What of a reading is held against the tolerance."""

    # How far the clock is off.
    OFFSET = "offset"
    # How well a player knows the console's time: it rings by that, whatever its own clock shows.
    ERROR = "error"


class ClockVerdict(StrEnum):
    """What can be said about one clock."""

    RIGHT = "right"
    WRONG = "wrong"
    # Read, but not well enough to say either.
    UNSURE = "unsure"
    # Read too long ago.
    STALE = "stale"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """From where on a clock of some kind is wrong, and for how long a reading of it counts."""

    within_us: int
    lasts_us: int
    counted: Counted = Counted.OFFSET


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One clock as it was last read. None: never; a source of NONE goes with it.

    `offset_us`: the clock minus what it is compared with; `error_us`: how wrong that may be, None where
    nobody can tell. `label` names the device, `place` the room; empty where it has none.
    """

    kind: ClockKind
    label: str
    place: str = ""
    source: ClockSource = ClockSource.NONE
    offset_us: int | None = None
    error_us: int | None = None
    measured_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedClock:
    """A reading with the tolerance it was held against and what came of it."""

    reading: ClockReading
    within_us: int
    verdict: ClockVerdict

    @property
    def is_right(self) -> bool:
        """Whether nothing has to be done about it."""
        return self.verdict is ClockVerdict.RIGHT


def check_clocks(
    readings: Iterable[ClockReading], tolerances: Mapping[ClockKind, Tolerance], now_us: int
) -> list[CheckedClock]:
    """Every clock with its verdict; by kind, and within a kind those first that need somebody."""
    order = list(ClockKind)
    checked = [
        CheckedClock(one, tolerances[one.kind].within_us, clock_verdict(one, tolerances[one.kind], now_us))
        for one in readings
    ]
    return sorted(checked, key=lambda one: (order.index(one.reading.kind), one.is_right))


def clock_verdict(reading: ClockReading, tolerance: Tolerance, now_us: int) -> ClockVerdict:
    """What can be said about the clock now. A reading from the future is as good as none: time was set."""
    is_by_error = tolerance.counted is Counted.ERROR
    counted_us = reading.error_us if is_by_error else reading.offset_us
    if counted_us is None or reading.measured_at_us is None:
        return ClockVerdict.UNMEASURED
    if abs(now_us - reading.measured_at_us) > tolerance.lasts_us:
        return ClockVerdict.STALE
    if not is_by_error and (reading.error_us or 0) > tolerance.within_us:
        return ClockVerdict.UNSURE
    return ClockVerdict.RIGHT if abs(counted_us) <= tolerance.within_us else ClockVerdict.WRONG


def reading_by_hand(written: str, now_us: int) -> int | None:
    """The console's clock minus a reference that showed `written` (09:31:00) now; None: that is no time.

    Of the days on which it may have shown that, the nearest counts.
    """
    parts = written.strip().replace("：", ":").split(":")
    if len(parts) not in {2, 3} or not all(part.isdecimal() and len(part) <= 2 for part in parts):
        return None
    hour, minute, second = (*map(int, parts), 0)[:3]
    if hour > 23 or minute > 59 or second > 59:
        return None
    now = site_time(now_us)
    shown = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    if shown - now > HALF_DAY:
        shown -= 2 * HALF_DAY
    elif now - shown > HALF_DAY:
        shown += 2 * HALF_DAY
    return now_us - to_us(shown)


def next_minute_us(now_us: int, lead_us: int = MINUTE_US // 2) -> int:
    """The next full minute that leaves a person time to get ready for it."""
    return -(-(now_us + lead_us) // MINUTE_US) * MINUTE_US
