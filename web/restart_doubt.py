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

from evidence.courses import load_course
from evidence.database import WriterDatabase
from evidence.day import load_sessions
from evidence.site_clock import keep_clock, load_clock, record_restart
from exam.clock import SteadyClock
from exam.clock_restart import (
    GATHER_US,
    Settled,
    TimeSource,
    Word,
    hangs_on_time,
    read_word,
    told_by_rooms,
)
from exam.clock_step import KeptClock
from exam.procedure import Procedure
from exam.server_time import KnownTime

# More words than any site has players tell nothing new.
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
    return any(
        hangs_on_time(load_course(connection, session, procedures), kept.kept_at_us)
        for session in load_sessions(connection)
        if session.procedure_code in procedures
    )


def find_doubt(exam: WriterDatabase, clock: SteadyClock, boot: str) -> "RestartDoubt | None":
    """The doubt that `start_clock` left: it did not put this boot in the place of the one before."""
    with exam.read() as connection:
        kept = load_clock(connection)
    return None if kept is None or kept.boot_id == boot else RestartDoubt(exam, clock, kept, boot)


@dataclass
class RestartDoubt:
    """Hears what rooms tell, and goes on by it, or by what a person says. Safe for several threads."""

    exam: WriterDatabase
    clock: SteadyClock
    kept: KeptClock
    boot: str
    is_open: bool = True
    _words: list[Word] = field(default_factory=list, init=False)
    _since_us: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def hear(self, told: KnownTime) -> None:
        """A player tells what it holds the console's time to be at this moment."""
        boottime_us = self.clock.boottime_us()
        word = read_word(self.kept, told, boottime_us)
        with self._lock:
            if word is None or len(self._words) >= MOST_WORDS:
                return
            self._since_us = self._since_us if self._words else boottime_us
            self._words.append(word)

    def look(self) -> None:
        """Go on by the rooms' time once those that are there have told it."""
        with self._lock:
            is_gathered = self.clock.boottime_us() - self._since_us >= GATHER_US
            if self.is_open and self._words and is_gathered:
                self._go_on(told_by_rooms(self._words), TimeSource.ROOMS, len(self._words))

    def settle(self, now_us: int, account_id: int) -> None:
        """A person says what time it is now. Raises SettledAlreadyError or BeforeLastSeenError."""
        with self._lock:
            if not self.is_open:
                raise SettledAlreadyError
            if now_us < self.kept.kept_at_us:
                raise BeforeLastSeenError
            self._go_on(now_us - self.clock.boottime_us(), TimeSource.PERSON, 0, account_id)

    def _go_on(self, offset_us: int, source: TimeSource, words: int, account_id: int | None = None) -> None:
        """Durable before anything hangs on it: killed between, the next start finds the same time."""
        by_us, name = offset_us - self.clock.offset_us, new_clock_name()
        settled = Settled(source, words, self.clock.apart_us() - by_us, account_id)
        with self.exam.write() as connection:
            now_us = self.clock.wall_us() + by_us
            record_restart(connection, self.boot, settled, now_us)
            keep_clock(connection, KeptClock(self.boot, offset_us, self.kept.apart_us, now_us, name))
        self.clock.adopt(by_us, name)
        self.is_open = False
        _log.warning("console_clock_restart", source=source, words=words, apart_us=settled.apart_us)
