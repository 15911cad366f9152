"""The console's machine in a simulated day: its clocks, its boots, and the console process upon it.

Every moment of the day is *true* time, which nobody in it can read. The machine's wall clock may be wrong,
its process may be down, and it may sleep; the real ticker, keeper, rules and database run on it.
"""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from sqlite3 import Connection

from config.procedures import load_procedures
from evidence.database import WriterDatabase
from exam.clock import SECOND_US, SimulatedClock, SteadyClock
from exam.procedure import Procedure
from web.console_clock import ClockKeeper, start_clock
from web.restart_doubt import RestartDoubt, find_doubt
from web.services import Bus
from web.signal_ticker import SignalTicker

PROCEDURES: Mapping[str, Procedure] = load_procedures()


class Interleaved:
    """The database as a second console's ticker sees it: the first one ticks just before it gets the lock."""

    def __init__(self, database: WriterDatabase) -> None:
        self._database = database
        self.before_write: SignalTicker | None = None

    def read(self) -> object:
        return self._database.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        other, self.before_write = self.before_write, None
        if other is not None:
            other.tick()
        with self._database.write() as connection:
            yield connection


@dataclass
class Machine:
    """Advance it with `to`; `clock` is what the console tells the time by."""

    database: WriterDatabase
    dice: random.Random
    true_us: int
    boots: int = 0
    is_up: bool = True
    is_asleep: bool = False
    # How wrong restarts left the console's time, in all: nothing can undo that.
    lost_at_boots_us: int = 0
    # What its time would be had the machine not restarted, minus true time.
    _continued_us: int = 0
    hardware: SimulatedClock = field(init=False)
    clock: SteadyClock = field(init=False)
    ticker: SignalTicker = field(init=False)
    keeper: ClockKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.hardware = SimulatedClock(self.true_us, uptime_us=60 * SECOND_US)
        self.start()

    @property
    def is_answering(self) -> bool:
        return self.is_up and not self.is_asleep and not self.keeper.is_in_doubt

    @property
    def doubt(self) -> RestartDoubt | None:
        """What the running console knows of no time yet, and asks for."""
        is_running = self.is_up and not self.is_asleep
        return self.keeper.doubt if is_running and self.keeper.is_in_doubt else None

    @property
    def continued_us(self) -> int:
        """What the console's time would be now had the machine not restarted."""
        return self.true_us + self._continued_us

    def to(self, true_us: int) -> None:
        """Let true time pass."""
        passed_us = true_us - self.true_us
        if self.is_asleep:
            self.hardware.suspend(passed_us)
        else:
            self.hardware.sleep_us(passed_us)
        self.true_us = true_us

    def start(self) -> None:
        """The console starts on the running machine."""
        self.clock = start_clock(self.database, self.hardware, PROCEDURES, self._boot)
        doubt = find_doubt(self.database, self.clock, self._boot)
        self.keeper = ClockKeeper(self.database, self.clock, Bus(), PROCEDURES, self._boot, doubt)
        self.ticker = SignalTicker(self.database, self.clock, self.keeper.bus, PROCEDURES, self.keeper)
        self.is_up = True

    def reboot(self, error_us: int) -> None:
        """The machine starts anew: its clock comes back a little wrong, its running time counts from zero."""
        self.boots += 1
        if not self.keeper.is_in_doubt:  # else: what it would be without the restart before
            self._continued_us = self.clock.wall_us() - self.true_us
        self.hardware = SimulatedClock(self.hardware.wall_us() + error_us)
        self.start()

    def apart_from_continued_us(self) -> int:
        """How far the console's time is from where it would be without the restart."""
        return self.clock.wall_us() - self.continued_us

    def second_process(self) -> None:
        """Another console ticks between this one's look and its lock, though no two can write one file."""
        other = SignalTicker(self.database, self.clock, self.keeper.bus, PROCEDURES)
        other.tick()
        interleaved = Interleaved(self.database)
        interleaved.before_write = other
        SignalTicker(interleaved, self.clock, self.keeper.bus, PROCEDURES).tick()  # type: ignore[arg-type]

    @property
    def _boot(self) -> str:
        return f"boot-{self.boots}"
