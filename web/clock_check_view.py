"""What people read of the site's clocks: every one with its verdict, in words, and what to do about it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from config.clock_check import load_clock_check
from evidence.clock_checks import KeptClockCheck, clock_checks_since, latest_reading
from evidence.measured_clocks import measured_clocks
from exam.clock import MINUTE_US, SECOND_US, site_time, to_us
from exam.clock_check import (
    CheckedClock,
    ClockKind,
    ClockReading,
    ClockVerdict,
    check_clocks,
)
from web.services import services

# Less than this is not told: nobody hears or sees it.
LEAST_US: Final = SECOND_US // 100
HOUR_US: Final = 60 * MINUTE_US
# Colour and shape of each verdict. Unmeasured is no fault yet, and never green.
STATES: Final = {
    ClockVerdict.RIGHT: "good",
    ClockVerdict.WRONG: "bad",
    ClockVerdict.UNSURE: "wait",
    ClockVerdict.STALE: "off",
    ClockVerdict.UNMEASURED: "off",
}


@dataclass(frozen=True, slots=True)
class ClockView:
    """One clock in words."""

    clock: CheckedClock

    @property
    def name(self) -> str:
        """What people call it: the room first, then the device."""
        reading, kind = self.clock.reading, load_clock_check().words.kinds[self.clock.reading.kind]
        if reading.kind is ClockKind.CONSOLE:
            return f"{kind}（对照{reading.label}）" if reading.label else kind
        return " ".join(part for part in (reading.place, reading.label or kind) if part)

    @property
    def state(self) -> tuple[str, str]:
        """Shape and word."""
        verdict = self.clock.verdict
        return STATES[verdict], load_clock_check().words.verdicts[verdict]

    @property
    def offset_words(self) -> str:
        """How far off it is; what is not known is said to be."""
        reading = self.clock.reading
        if reading.kind not in {ClockKind.PAGE, ClockKind.SPEAKER}:
            return "没有读数" if reading.offset_us is None else offset_words(reading.offset_us)
        if reading.error_us is None or reading.offset_us is None:
            return "没有读数"
        rings = f"按考点时间响铃，误差{length_words(reading.error_us)}以内"
        return f"{rings}；自身时钟{offset_words(reading.offset_us)}"

    @property
    def source_words(self) -> str:
        """How and when it was read."""
        reading = self.clock.reading
        if reading.measured_at_us is None:
            return ""
        error = ""
        if reading.kind is ClockKind.CONSOLE and reading.error_us is not None:
            error = f"，误差{length_words(reading.error_us)}以内"
        return f"{load_clock_check().words.sources[reading.source]}{error}"

    @property
    def within_words(self) -> str:
        """How far off it may be."""
        return f"±{self.clock.within_us / SECOND_US:g}秒"

    @property
    def advice(self) -> str:
        """What to do about it; empty where nothing is to be done."""
        if self.clock.is_right:
            return ""
        return load_clock_check().advice[self.clock.reading.kind][self.clock.verdict]


@dataclass(frozen=True, slots=True)
class ClockSheet:
    """Every clock, and the whole in one sentence."""

    clocks: tuple[ClockView, ...]

    @property
    def to_do(self) -> tuple[ClockView, ...]:
        """Those that are not right, the worst first."""
        order = list(STATES)
        wrong = (one for one in self.clocks if not one.clock.is_right)
        return tuple(sorted(wrong, key=lambda one: order.index(one.clock.verdict)))

    @property
    def verdict(self) -> tuple[str, str]:
        """Shape and sentence."""
        wrong = [one for one in self.to_do if one.clock.verdict is ClockVerdict.WRONG]
        if wrong:
            return "bad", f"有{len(wrong)}个时钟不准"
        if self.to_do:
            return "wait", f"还有{len(self.to_do)}个时钟没有测到"
        return "good", f"全部{len(self.clocks)}个时钟都准"

    @property
    def shown(self) -> str:
        """Names what a person sees: whoever confirms something else is asked to look again."""
        seen = [[one.name, one.clock.verdict] for one in self.clocks]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def clock_sheet() -> ClockSheet:
    """Every clock of the site, as it was last read."""
    now_us, footage = services().clock.wall_us(), services().footage()
    with services().exam.read() as connection:
        readings = console_readings(connection, now_us)
        if footage is None:
            readings += measured_clocks(connection, None, now_us)
        else:
            with footage.read() as recorded:
                readings += measured_clocks(connection, recorded, now_us)
    return sheet_of(check_clocks(readings, load_clock_check().all_tolerances(), now_us))


def sheet_of(clocks: Sequence[CheckedClock]) -> ClockSheet:
    """The clocks in words."""
    return ClockSheet(tuple(ClockView(one) for one in clocks))


def console_readings(connection: Connection, now_us: int) -> list[ClockReading]:
    """The console against its reference, and against what a person read; unmeasured if there is neither."""
    found = services().reference.reading(services().clock)
    by_hand = latest_reading(connection)
    lasts_us = load_clock_check().tolerances[ClockKind.CONSOLE].lasts
    # Where the machine has a reference of its own, a reading that has grown old asks for nothing.
    if by_hand is not None and found is not None and now_us - (by_hand.measured_at_us or 0) > lasts_us:
        by_hand = None
    readings = [one for one in (found, by_hand) if one is not None]
    return readings or [ClockReading(ClockKind.CONSOLE, "")]


def console_alarm() -> str:
    """How far the console is from its reference, when that is too much; empty: it is not, or nobody knows."""
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        readings = console_readings(connection, now_us)
    checked = check_clocks(readings, load_clock_check().all_tolerances(), now_us)
    wrong = [ClockView(one) for one in checked if one.verdict is ClockVerdict.WRONG]
    return f"比{wrong[0].clock.reading.label or '参考时钟'}{wrong[0].offset_words}" if wrong else ""


def todays_check(connection: Connection, now_us: int) -> KeptClockCheck | None:
    """The last check of this day at the site by the clock that still counts; None: it is still to be made."""
    midnight = site_time(now_us).replace(hour=0, minute=0, second=0, microsecond=0)
    checks = clock_checks_since(connection, to_us(midnight))
    return next((one for one in checks if one.is_of_this_clock), None)


def offset_words(offset_us: int) -> str:
    """快0.32秒, 慢1小时0分05秒; nothing that nobody notices."""
    if abs(offset_us) < LEAST_US:
        return "相差不到0.01秒"
    return f"{'快' if offset_us > 0 else '慢'}{length_words(abs(offset_us))}"


def length_words(length_us: int) -> str:
    """0.32秒, 12.0秒, 1分05秒, 1小时02分05秒"""
    seconds = length_us / SECOND_US
    if length_us < 10 * SECOND_US:
        return f"{max(seconds, 0.01):.2f}秒"
    if length_us < MINUTE_US:
        return f"{seconds:.1f}秒"
    minutes, rest = divmod(length_us // SECOND_US, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}小时{minutes:02d}分{rest:02d}秒" if hours else f"{minutes}分{rest:02d}秒"
