"""What a player knows of the server's time: measured by asking, never assumed (domain rule R8).

Pure: readings come in, estimates go out. Everything hangs on the monotonic clock, which nobody can
set. One exchange tells the server's time to within half its round trip; the best of many counts,
until it has aged or the server's clock was set. A machine that slept has no estimate until it asks.
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


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question to the server and its answer; `sent_us`, `received_us` monotonic, `server_us` wall."""

    sent_us: int
    server_us: int
    received_us: int


@dataclass(frozen=True, slots=True)
class Measure:
    """Server's wall clock minus this machine's monotonic clock, how wrong at most, and measured when."""

    offset_us: int
    error_us: int
    taken_us: int

    @classmethod
    def of(cls, one: Exchange) -> Self:
        """What a single exchange tells: the answer was written somewhere between question and receipt."""
        return cls(
            offset_us=one.server_us - (one.sent_us + one.received_us) // 2,
            error_us=(one.received_us - one.sent_us + 1) // 2,
            taken_us=one.received_us,
        )

    def error_at(self, monotonic_us: int) -> int:
        """How wrong it may be by then."""
        return self.error_us + max(0, monotonic_us - self.taken_us) // AGEING


@dataclass(slots=True)
class ServerTime:
    """The best measure so far. `slept_us`: how long this machine has been suspended since it booted."""

    best: Measure | None = None
    slept_us: int = 0

    def take(self, one: Exchange) -> None:
        """Learn from an exchange; it counts when it is better, or shows that the server's clock was set."""
        found = Measure.of(one)
        if self.best is None:
            self.best = found
            return
        known_us = self.best.error_at(one.received_us)
        apart_us = abs(found.offset_us - self.best.offset_us)
        if found.error_us <= known_us or apart_us > found.error_us + known_us + STEP_US:
            self.best = found

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

    def error_us(self, monotonic_us: int) -> int:
        """How wrong `now_us` may be. Only after a measure."""
        return self.best.error_at(monotonic_us) if self.best else UNSURE_US

    def monotonic_of(self, server_us: int) -> int:
        """When it is that moment at the server, by the own monotonic clock. Raises ValueError unmeasured."""
        if self.best is None:
            raise ValueError("the server's time has not been measured")
        return server_us - self.best.offset_us
