"""What a player knows of the server's time: measured by asking, never assumed (domain rule R8).

Pure: readings come in, estimates go out. Everything hangs on the monotonic clock, which nobody can
set. One exchange tells the server's time to within half its round trip; the best of many counts,
until it has aged or the server's clock was set. A machine that slept has no estimate until it asks.

The server names the clock it tells the time by, and another name whenever that clock is another one: after
it was set, or a restart. What was noted by the clock before is then read shifted; and after a restart the
server asks what its own time was, because the machines in the rooms went on (`exam.clock_restart`).
"""

from dataclasses import dataclass
from typing import Final, Self

from exam.clock import SECOND_US

# How far two quartz clocks may drift apart: a tenth of a thousandth of the time that passed.
AGEING: Final = 10_000
# A disagreement beyond both errors and this is a clock that was set, and no noise.
STEP_US: Final = 50_000
# A player that knows the time no better than this must not ring: it could be early.
UNSURE_US: Final = 2 * SECOND_US
# Sleep that the kernel accounts for is no longer than this by chance.
SLEEP_US: Final = 100_000

# With every question about the time: the clock's name, the moment, how wrong at most.
KNOWN_HEADER: Final = "X-Known-Time"
_MOST: Final = 2**53


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question to the server and its answer; `sent_us`, `received_us` monotonic, `server_us` wall.

    `clock`: the name of the server's clock; empty where nothing is carried from or to it (a rehearsal).
    """

    sent_us: int
    server_us: int
    received_us: int
    clock: str = ""


@dataclass(frozen=True, slots=True)
class KnownTime:
    """What a machine holds the moment to be by the server's clock of that name, and how wrong at most."""

    clock: str
    now_us: int
    error_us: int

    def in_header(self) -> str:
        """As it is sent to the server, in KNOWN_HEADER."""
        return f"{self.clock} {self.now_us} {self.error_us}"

    @classmethod
    def from_header(cls, words: str) -> Self | None:
        """What a machine told; None: nothing that can be read."""
        try:
            clock, now_us, error_us = words.split()
            told = cls(clock, int(now_us), int(error_us))
        except ValueError:
            return None
        return told if 0 < told.now_us < _MOST and 0 <= told.error_us < _MOST else None


@dataclass(frozen=True, slots=True)
class Measure:
    """Server's wall clock minus this machine's monotonic clock, how wrong at most, and measured when."""

    offset_us: int
    error_us: int
    taken_us: int
    clock: str = ""

    @classmethod
    def of(cls, one: Exchange) -> Self:
        """What a single exchange tells: the answer was written somewhere between question and receipt."""
        return cls(
            offset_us=one.server_us - (one.sent_us + one.received_us) // 2,
            error_us=(one.received_us - one.sent_us + 1) // 2,
            taken_us=one.received_us,
            clock=one.clock,
        )

    def error_at(self, monotonic_us: int) -> int:
        """How wrong it may be by then."""
        return self.error_us + max(0, monotonic_us - self.taken_us) // AGEING


@dataclass(slots=True)
class ServerTime:
    """The best measure so far. `slept_us`: how long this machine has been suspended since it booted."""

    best: Measure | None = None
    slept_us: int = 0

    def take(self, one: Exchange) -> int:
        """Learn from an exchange; it counts when it is better, or shows that the server's clock was set.

        Returns by how much moments noted by the clock before are to be read later, in microseconds: 0 while
        the clock is the same, or where nothing is carried over.
        """
        found, before = Measure.of(one), self.best
        if before is None:
            self.best = found
            return 0
        if found.clock != before.clock:
            self.best = found
            return found.offset_us - before.offset_us if found.clock and before.clock else 0
        known_us = before.error_at(one.received_us)
        apart_us = abs(found.offset_us - before.offset_us)
        if found.error_us <= known_us or apart_us > found.error_us + known_us + STEP_US:
            self.best = found
        return 0

    def notice_sleep(self, slept_us: int) -> None:
        """Forget the measure when the machine slept: the kernel guesses the time asleep to a second."""
        if slept_us - self.slept_us > SLEEP_US:
            self.best = None
        self.slept_us = slept_us

    def now_us(self, monotonic_us: int) -> int | None:
        """The server's present moment; None while it is not known well enough to ring by."""
        if self.best is None or self.best.error_at(monotonic_us) > UNSURE_US:
            return None
        return monotonic_us + self.best.offset_us

    def known_time(self, monotonic_us: int) -> KnownTime | None:
        """What the server is told when it is asked for the time; None: this machine has no word of it."""
        now_us = self.now_us(monotonic_us)
        if now_us is None or self.best is None or not self.best.clock:
            return None
        return KnownTime(self.best.clock, now_us, self.best.error_at(monotonic_us))

    def error_us(self, monotonic_us: int) -> int:
        """How wrong `now_us` may be. Only after a measure."""
        return self.best.error_at(monotonic_us) if self.best else UNSURE_US

    def monotonic_of(self, server_us: int) -> int:
        """When it is that moment at the server, by the own monotonic clock. Raises ValueError unmeasured."""
        if self.best is None:
            raise ValueError("the server's time has not been measured")
        return server_us - self.best.offset_us
