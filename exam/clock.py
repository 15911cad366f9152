"""The only place that reads clocks or waits.

Two clocks exist and are never mixed: the *wall* clock (UTC, may step when somebody or NTP sets
it) says when something happened; the *monotonic* clock (never steps, meaningless across boots)
says how long something took. Rules receive moments; services receive a `Clock`.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Protocol

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US

# How often two clocks are read to compare them.
READINGS: Final = 3

# The site's zone. China has no daylight saving time, so a fixed offset is exact and needs no zone database.
SITE_ZONE: Final = timezone(timedelta(hours=8), "Asia/Shanghai")


class Clock(Protocol):
    """What a service may know of time, and how it waits."""

    def wall_us(self) -> int:
        """Microseconds since 1970-01-01 UTC. May step backwards or forwards."""
        ...

    def monotonic_us(self) -> int:
        """Microseconds since an arbitrary start. Never steps; not comparable across boots."""
        ...

    def boottime_us(self) -> int:
        """Like `monotonic_us`, but it goes on while the machine is suspended."""
        ...

    def sleep_us(self, duration_us: int) -> None:
        """Wait at least this long by the monotonic clock. Returns at once for zero or less."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def wall_us(self) -> int:
        """Microseconds since 1970-01-01 UTC by the machine's wall clock."""
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        """Microseconds by the machine's monotonic clock."""
        return time.monotonic_ns() // 1000

    def boottime_us(self) -> int:
        """Microseconds since the machine booted, time asleep included."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

    def slept_us(self) -> int:
        """How long the machine has been suspended since it booted; its monotonic clock stood still then."""
        return (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()) // 1000

    def sleep_us(self, duration_us: int) -> None:
        """Block the calling thread."""
        if duration_us > 0:
            time.sleep(duration_us / SECOND_US)


@dataclass
class SimulatedClock:
    """A clock that stands still until somebody sleeps or moves it. For tests and rehearsals.

    Sleeping advances both clocks and returns at once; `step_wall` moves only the wall clock, as an
    administrator or NTP would; `suspend` lets the machine sleep. Safe to use from several threads.
    """

    now_us: int
    uptime_us: int = 0
    asleep_us: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def wall_us(self) -> int:
        """The simulated wall time, microseconds since 1970-01-01 UTC."""
        return self.now_us

    def monotonic_us(self) -> int:
        """The simulated time since the simulated boot."""
        return self.uptime_us

    def sleep_us(self, duration_us: int) -> None:
        """Advance both clocks."""
        with self._lock:
            advance = max(0, duration_us)
            self.now_us += advance
            self.uptime_us += advance

    def boottime_us(self) -> int:
        """The simulated time since the simulated boot, time asleep included."""
        return self.uptime_us + self.asleep_us

    def suspend(self, duration_us: int) -> None:
        """Close the lid: the wall clock goes on, the monotonic clock stands still."""
        with self._lock:
            self.now_us += duration_us
            self.asleep_us += duration_us

    def step_wall(self, by_us: int) -> None:
        """Set the wall clock forwards or backwards; the monotonic clock does not notice."""
        with self._lock:
            self.now_us += by_us


class LeapingClock:
    """A machine's clock in which hours can be left out: the time of a rehearsal.

    A leap is to everybody what sleep of the machine is: wall clock and time since boot go ahead together, the
    monotonic clock notices nothing. Safe to use from several threads, moved by one.
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self.leapt_us = 0

    def wall_us(self) -> int:
        """The rehearsed moment, microseconds since 1970-01-01 UTC."""
        return self._machine.wall_us() + self.leapt_us

    def monotonic_us(self) -> int:
        """The machine's monotonic clock."""
        return self._machine.monotonic_us()

    def boottime_us(self) -> int:
        """The machine's time since boot, with what was left out."""
        return self._machine.boottime_us() + self.leapt_us

    def sleep_us(self, duration_us: int) -> None:
        """Wait by the machine's monotonic clock: true time."""
        self._machine.sleep_us(duration_us)

    def leap(self, by_us: int) -> None:
        """Leave out so much time. Raises ValueError for time back."""
        if by_us < 0:
            raise ValueError("no rehearsal goes back in time")
        self.leapt_us += by_us


class SteadyClock:
    """Wall time that goes on by elapsed time, sleep included, whatever somebody sets the machine's clock to.

    `apart_us` tells how far the machine's own wall clock has come away from it; whoever decides that the
    machine is right calls `adopt`. It has a name, and another one when it is another clock: moments that
    rooms noted by the one before are then read shifted. Safe to use from several threads, adopted by one.
    """

    def __init__(self, machine: Clock, offset_us: int | None = None, name: str = "") -> None:
        """`offset_us`: wall time minus time since boot; None: as the machine has it now."""
        self._machine = machine
        # One value, so that nobody ever reads the new time under the name of the one before.
        self._set = (machine.wall_us() - machine.boottime_us() if offset_us is None else offset_us, name)

    @property
    def offset_us(self) -> int:
        """Wall time minus time since boot."""
        return self._set[0]

    @property
    def name(self) -> str:
        """What rooms know this clock by; empty: nothing is carried from or to it."""
        return self._set[1]

    def wall_us(self) -> int:
        """Microseconds since 1970-01-01 UTC. Steps only when something is adopted."""
        return self.told()[0]

    def told(self) -> tuple[int, str]:
        """The present moment, and the name of this clock as it was then."""
        offset_us, name = self._set
        return self._machine.boottime_us() + offset_us, name

    def monotonic_us(self) -> int:
        """The machine's monotonic clock."""
        return self._machine.monotonic_us()

    def boottime_us(self) -> int:
        """The machine's time since boot, time asleep included."""
        return self._machine.boottime_us()

    def sleep_us(self, duration_us: int) -> None:
        """Wait by the machine's monotonic clock."""
        self._machine.sleep_us(duration_us)

    def apart_us(self) -> int:
        """The machine's wall clock minus this one: not zero once somebody has set it.

        Both cannot be read at once: of a few readings the one in the shortest time counts.
        """
        return min(self._reading() for _ in range(READINGS))[1]

    def _reading(self) -> tuple[int, int]:
        before_us = self.wall_us()
        machine_us = self._machine.wall_us()
        after_us = self.wall_us()
        return after_us - before_us, machine_us - (before_us + after_us) // 2

    def adopt(self, by_us: int, name: str | None = None) -> None:
        """Move this clock; with a name, it is another one from now on."""
        offset_us, known = self._set
        self._set = (offset_us + by_us, known if name is None else name)


def from_us(moment_us: int) -> datetime:
    """The moment as an aware UTC datetime."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=moment_us)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def site_time(moment_us: int) -> datetime:
    """The moment as people at the site read it (Asia/Shanghai)."""
    return from_us(moment_us).astimezone(SITE_ZONE)
