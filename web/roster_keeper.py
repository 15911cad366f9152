"""Keeps the kiosks' roster packages ready: stretches new numbers, and notices when a package has changed.

Their floor plans are made small here, too. One thread of low priority. Nothing waits for it but kiosks that
have no package yet: a kiosk goes on with the one it holds.
"""

import os
import threading
from collections.abc import Iterable
from typing import Final

import structlog

from evidence import kiosks
from evidence.roster_content import content_for, load_numbers, load_people, numbers_of
from evidence.roster_revisions import fingerprint, note_content
from evidence.stretched_numbers import Number, Stretcher, keep, missing
from web.kiosk_roster import TOPIC
from web.services import Services

EVERY_S: Final = 2.0
# So many numbers are stretched between two writes: about a second.
AT_ONCE: Final = 16
NICENESS: Final = 10

_log: Final = structlog.get_logger("roster")


class RosterKeeper:
    """Call `tend` as often as wished, or `start` a thread that does."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stretcher = Stretcher.of(services.vault)
        self._seen = b""
        self._later: list[Number] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def tend(self) -> None:
        """Make everything ready that a kiosk may ask for now. Does nothing while nothing has changed."""
        everything = self._services
        now_us = everything.clock.wall_us()
        with everything.exam.read() as connection:
            everything.day_shelf.maps.tend(connection)
            seen = fingerprint(connection, now_us)
            if seen == self._seen:
                return
            people = load_people(connection, everything.vault, now_us)
            contents = [
                (one, content_for(connection, one, people, now_us)) for one in kiosks.load_kiosks(connection)
            ]
        self.stretch(numbers_of(people))
        if self._stopping.is_set():
            return
        with everything.exam.write() as connection:
            for kiosk, content in contents:
                note_content(connection, everything.vault, kiosk, content, now_us)
        self._seen = seen
        everything.bus.publish(TOPIC)
        with everything.exam.read() as connection:
            self._later = missing(connection, everything.vault, load_numbers(connection, everything.vault))

    def tend_later(self) -> bool:
        """Stretch some numbers of later days, which signed tickets need; returns whether there are more."""
        some, self._later = self._later[:AT_ONCE], self._later[AT_ONCE:]
        self.stretch(some)
        return bool(self._later)

    def start(self) -> None:
        """Tend in a thread of its own until `close`."""
        self._thread = threading.Thread(target=self._run, name="roster", daemon=True)
        self._thread.start()

    def close(self, patience_s: float = 5.0) -> None:
        """Stop, and wait for the step that is being done."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(patience_s)

    def stretch(self, numbers: Iterable[Number]) -> None:
        """Stretch and keep those of the numbers that were not stretched yet, a second's worth at a time."""
        everything = self._services
        with everything.exam.read() as connection:
            wanted = missing(connection, everything.vault, numbers)
        for first in range(0, len(wanted), AT_ONCE):
            if self._stopping.is_set():
                return
            some = wanted[first : first + AT_ONCE]
            stretched = {number: self._stretcher.stretch(number) for number in some}
            with everything.exam.write() as connection:
                keep(connection, everything.vault, stretched)

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        has_more = False
        while not self._stopping.wait(0 if has_more else EVERY_S):
            try:
                self.tend()
                has_more = self.tend_later()
            except Exception:  # noqa: BLE001 - the boundary of a thread: a full disk must not end it, the next turn tries again
                _log.exception("roster packages are behind")
                has_more = False
