"""After a restart of the machine during an exam, nothing hangs on the time until somebody vouches for it.

What counts as a word, and which, is decided in `exam.clock_restart`; by what the console goes on is a fact.
"""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

import structlog
from flask import Flask

from evidence.courses import load_course
from evidence.database import WriterDatabase
from evidence.day import load_sessions
from evidence.site_clock import (
    keep_clock,
    load_clock,
    record_contradiction,
    record_decision,
    record_restart,
    record_step,
)
from exam.clock import SteadyClock
from exam.clock_restart import (
    GATHER_US,
    Settled,
    TimeSource,
    Word,
    hangs_on_time,
    may_hang_on_time,
    read_word,
    told_by_rooms,
)
from exam.clock_step import ASKED_US, NOTED_US, KeptClock, LastStep, StepChoice, first_offset_us
from exam.procedure import Procedure
from exam.server_time import KnownTime
from web.signal_emission import WINDOW_US

# Where the app keeps it.
EXTENSION: Final = "kaochang.restart"
# No site has more players.
MOST_WORDS: Final = 500

_log: Final = structlog.get_logger("signals")


def new_clock_name() -> str:
    """Nobody can guess it: who tells the time by it has been told it by this console."""
    return secrets.token_urlsafe(16)


class SettledAlreadyError(Exception):
    """The time was vouched for meanwhile."""


class BeforeLastSeenError(Exception):
    """The time would be before the moment at which the console was last seen."""


def is_doubted(
    connection: Connection, kept: KeptClock | None, boot: str, procedures: Mapping[str, Procedure]
) -> bool:
    """Whether the machine restarted while an exam hung on the console's time."""
    if kept is None or kept.boot_id == boot:
        return False
    return is_hung_on(connection, procedures, kept.kept_at_us)


def is_hung_on(connection: Connection, procedures: Mapping[str, Procedure], at_us: int) -> bool:
    """Whether any exam hung on the time then. Only the sessions of those days are looked at."""
    return any(
        hangs_on_time(load_course(connection, session, procedures), at_us)
        if session.procedure_code in procedures
        else may_hang_on_time(session, at_us)
        for session in load_sessions(connection)
        if abs(session.planned_start_us - at_us) <= WINDOW_US
    )


def find_doubt(exam: WriterDatabase, clock: SteadyClock, boot: str) -> "RestartDoubt | None":
    """The doubt that `start_clock` left: it did not put this boot in the place of the one before."""
    with exam.read() as connection:
        kept = load_clock(connection)
    return None if kept is None or kept.boot_id == boot else RestartDoubt(exam, clock, kept, boot)


def open_doubt(app: Flask) -> "RestartDoubt | None":
    """The doubt in which this console is; None: somebody has vouched for the time, or nobody had to."""
    found: RestartDoubt | None = app.extensions.get(EXTENSION)
    return found if found is not None and found.is_open else None


@dataclass
class RestartDoubt:
    """Hears what rooms tell, and goes on by it, or by what a person says. Safe for several threads."""

    exam: WriterDatabase
    clock: SteadyClock
    kept: KeptClock
    boot: str
    is_open: bool = True
    # The best word of each player.
    _words: dict[str, Word] = field(default_factory=dict, init=False)
    # The restart that a person settled, and the clock's name since: rooms may know better. None: no more.
    _said: tuple[int, str] | None = field(default=None, init=False)
    _since_us: int = field(default=0, init=False)
    _began_us: int = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self._began_us = self.clock.boottime_us()

    @property
    def age_us(self) -> int:
        """For how long this console has asked."""
        return self.clock.boottime_us() - self._began_us

    @property
    def is_contradicted(self) -> bool:
        """Whether rooms have told the time, and not the same."""
        return bool(self._words)

    @property
    def machine_offset_us(self) -> int:
        """The console's time minus time since boot, were the machine's clock believed as it is now."""
        machine_us = self.clock.wall_us() + self.clock.apart_us()
        if max(machine_us, machine_us - self.kept.apart_us) < self.kept.kept_at_us:
            return self.clock.offset_us  # a dead battery's: on from when the console was last seen
        return first_offset_us(self.kept, self.boot, machine_us, self.clock.boottime_us())

    def hear(self, player: str, told: KnownTime) -> None:
        """A player tells what it holds the console's time to be at this moment."""
        boottime_us = self.clock.boottime_us()
        word = read_word(self.kept, told, boottime_us)
        with self._lock:
            known = self._words.get(player)
            if word is None or (known is None and len(self._words) >= MOST_WORDS):
                return
            self._since_us = self._since_us if self._words else boottime_us
            self._words[player] = word if known is None else max(known, word, key=_surely)

    def hear_late(self, told: KnownTime) -> bool:
        """A player that could not be asked tells another time than a person said: on record, once."""
        apart_us = told.now_us - self.clock.wall_us()
        is_word = read_word(self.kept, told, self.clock.boottime_us()) is not None
        if not is_word or abs(apart_us) <= ASKED_US:
            return False
        with self._lock:
            said, self._said = self._said, None
        if said is None or said[1] != self.clock.name:
            return False
        with self.exam.write() as connection:
            record_contradiction(connection, said[0], apart_us, self.clock.wall_us())
        _log.warning("console_clock_contradicted", apart_us=apart_us)
        return True

    def look(self) -> None:
        """Go on by the rooms' time once those that are there have told it."""
        with self._lock:
            is_gathered = self.clock.boottime_us() - self._since_us >= GATHER_US
            if not (self.is_open and self._words and is_gathered):
                return
            offset_us = told_by_rooms(self._words.values())
            if offset_us is not None:  # else: they contradict one another, and the site lead decides
                self._go_on(offset_us, TimeSource.ROOMS, words=len(self._words))

    def settle(self, offset_us: int, account_id: int) -> None:
        """A person says by what the console tells the time. Raises SettledAlready- or BeforeLastSeenError."""
        with self._lock:
            if not self.is_open:
                raise SettledAlreadyError
            if offset_us + self.clock.boottime_us() < self.kept.kept_at_us:
                raise BeforeLastSeenError
            self._go_on(offset_us, TimeSource.PERSON, account_id=account_id)

    def _go_on(
        self, offset_us: int, source: TimeSource, *, words: int = 0, account_id: int | None = None
    ) -> None:
        """Durable before anything hangs on it: killed between, the next start finds the same time."""
        by_us, name = offset_us - self.clock.offset_us, new_clock_name()
        settled = Settled(source, words, self.clock.apart_us() - by_us, account_id)
        with self.exam.write() as connection:
            now_us = self.clock.wall_us() + by_us
            restart_id = record_restart(connection, self.boot, settled, now_us)
            apart_us = self._decided(connection, settled, now_us)
            keep_clock(connection, KeptClock(self.boot, offset_us, apart_us, now_us, name))
        self.clock.adopt(by_us, name)
        self._said = (restart_id, name) if source is TimeSource.PERSON else None
        self.is_open = False
        _log.warning("console_clock_restart", source=source, words=words, apart_us=settled.apart_us)

    def _decided(self, connection: Connection, settled: Settled, now_us: int) -> int:
        """How far the machine's clock may be apart from now on: who says what time it is decides that too."""
        apart_us = settled.apart_us
        is_known = abs(apart_us - self.kept.apart_us) <= NOTED_US
        if settled.account_id is None or is_known or abs(apart_us) <= ASKED_US:
            return self.kept.apart_us
        step = LastStep(record_step(connection, self.boot, apart_us, now_us), apart_us, None)
        record_decision(connection, step, StepChoice.KEPT, settled.account_id, now_us)
        return apart_us


def _surely(word: Word) -> int:
    return word.offset_us - word.error_us
