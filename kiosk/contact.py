"""In touch with the console: heartbeats, clocks, packages, and scans that still have to be brought (待上传).

Losing the console costs the candidate nothing: from then on this kiosk judges alone, keeps looking for the
console, and goes back to it by itself once everything that it decided alone was brought. One thread calls
`turn`; the others only ask. Order of a turn: hear the console, bring the scans, renew packages, test itself.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import structlog

from evidence.database_reserve import free_bytes
from evidence.kiosk_outbox import AsideScan, Counts, Outbox
from evidence.kiosk_store import KioskStore
from exam.admission import RULE
from exam.clock import SECOND_US, Clock
from exam.kiosk_fitness import Machine, unfit
from exam.kiosk_health import Part, PartState, Report
from exam.outcomes import Outcome
from exam.roster_cards import SheetEntry
from exam.self_test import Standing
from kiosk.alone import OwnJudgement
from kiosk.bringing import Bringer
from kiosk.console import (
    Console,
    ConsoleRefusedError,
    ConsoleRevokedError,
    ConsoleUnreachableError,
    Heartbeat,
)
from kiosk.packages import Packages
from kiosk.self_testing import Bench, SelfTester

# One missed heartbeat may be chance.
FAILURES_UNTIL_LOST: Final = 2
# A clock that came closer than this to what is written down is not written down again.
CLOCK_MOVED_US: Final = SECOND_US // 20
BOOT_BYTES: Final = 8

_log: Final = structlog.get_logger("kiosk")


@dataclass(frozen=True, slots=True)
class Told:
    """How the kiosk stands: what screen, staff and whoever waits must know."""

    # The console answered the last heartbeat.
    is_heard: bool
    # It judges by itself.
    is_alone: bool
    reasons: tuple[Outcome, ...]
    # None: nobody has said.
    ticket_forms: tuple[str, ...] | None
    counts: Counts
    # The last self-test of today; None: there was none yet.
    self_test: Standing | None


class Contact:
    """What this kiosk knows of the console and of itself."""

    def __init__(
        self, console: Console, store: KioskStore, outbox: Outbox, packages: Packages, clock: Clock
    ) -> None:
        self._console, self._store, self._outbox = console, store, outbox
        self.packages, self._clock = packages, clock
        self._state = store.state()
        self._failures = 0
        self._forms = None if packages.alone is None else packages.alone.ticket_forms
        self.is_alone = False
        self.boot_id = os.urandom(BOOT_BYTES).hex()
        self.free: Callable[[Path], int] = free_bytes
        # Whose staff PINs somebody seems to guess at here.
        self.guessed_pins: Callable[[], tuple[int, ...]] = tuple
        self._counts = outbox.counts()
        self._tester = SelfTester(console, clock)
        self._bringer = Bringer(console, outbox, clock)

    @property
    def now_us(self) -> int:
        """The present moment by the console's clock, as far as known."""
        return self._clock.wall_us() - (self._state.clock_offset_us or 0)

    @property
    def told(self) -> Told:
        """How the kiosk stands now."""
        try:
            self._counts = self._outbox.counts()
        except sqlite3.Error as error:
            _log.warning("kiosk.db cannot be read", reason=str(error))
        return Told(
            is_heard=self._failures == 0,
            is_alone=self.is_alone,
            reasons=self.unfit(),
            ticket_forms=self._forms,
            counts=self._counts,
            self_test=self._tester.standing,
        )

    def aside(self) -> list[AsideScan]:
        """The scans that a person must look at."""
        return self._outbox.aside()

    def said(self, sequence: int) -> dict[str, Any]:
        """What this kiosk says of itself with a check-in."""
        return {
            "boot_id": self.boot_id,
            "sequence": sequence,
            "clock_offset_us": self._state.clock_offset_us,
            "clock_uncertainty_us": self._state.clock_uncertainty_us,
            "roster_revision": self.packages.revision,
        }

    def came_in(self, candidate_id: int) -> dict[int, int]:
        """When somebody came in, by session: as the day part says, or as this kiosk let him in alone."""
        alone = self.packages.alone
        if alone is None:
            return {}
        here = self._outbox.entries(alone.kiosk_id, alone.day_made_at_us)
        return {
            **{one.session_id: one.at_us for one in here if one.candidate_id == candidate_id},
            **{
                one.session_id: one.admission.admitted_at_us
                for one in alone.day.states
                if one.candidate_id == candidate_id and one.admission is not None
            },
        }

    def judge_by_hand(self, entry: SheetEntry, session_id: int) -> OwnJudgement | None:
        """The rule's answer to somebody whose documents people compared. None: he has no seat there."""
        alone = self.packages.alone
        if alone is None:
            return None
        local = self._outbox.entries(alone.kiosk_id, alone.day_made_at_us)
        return alone.judge_by_hand(entry, session_id, local, self.now_us)

    def keep_act(self, body: Mapping[str, Any], judgement: OwnJudgement) -> None:
        """Keep what staff did while this kiosk works alone, for the console. Raises sqlite3.Error."""
        assert judgement.let_in is not None  # nobody else is kept
        whole = {**body, "was_offline": True, "happened_at_us": self._clock.wall_us()}
        self._outbox.acts.keep(whole, self.said, judgement.answer.outcome, judgement.let_in)

    def unfit(self) -> tuple[Outcome, ...]:
        """Why nobody may check in here now. While the console judges, the age of our roster is no reason."""
        offset_us = self._state.clock_offset_us
        machine = Machine(
            is_revoked=self._state.is_revoked,
            is_out_of_service=self._state.is_out_of_service,
            roster_made_at_us=self.packages.confirmed_at_us if self.is_alone else self.now_us,
            can_judge_tickets=self.packages.keys is not None,
            clock_offset_us=offset_us if self.is_alone else offset_us or 0,
            free_bytes=self._free_bytes(),
        )
        return unfit(machine, self.packages.policy, self.now_us)

    def lost(self) -> None:
        """A question was not answered: judge alone until the console is heard again."""
        if not self.is_alone:
            _log.warning("kiosk works alone")
        self.is_alone = True

    def turn(self, parts: Mapping[Part, PartState]) -> Told:
        """One heartbeat and what follows from it."""
        try:
            self._listen(parts)
        except (sqlite3.Error, OSError) as error:  # what was not done is due again at the next turn
            _log.warning("kiosk.db or a key cannot be written", reason=str(error))
        return self.told

    def _listen(self, parts: Mapping[Part, PartState]) -> None:
        try:
            self._heard(parts)
        except (ConsoleUnreachableError, ConsoleRefusedError) as error:
            self._not_heard(error)
        except ConsoleRevokedError:
            self._revoked()

    def _heard(self, parts: Mapping[Part, PartState]) -> None:
        sent_at_us = self._clock.wall_us()
        heartbeat = self._console.heartbeat(self._report(parts, sent_at_us))
        self._compare_clocks(sent_at_us, heartbeat)
        self._forms = heartbeat.ticket_forms
        if self._failures:
            _log.info("console heard", failures=self._failures)
        self._failures = 0
        self._obey(heartbeat)
        self._bringer.bring(self.boot_id, lambda: self.now_us)
        if self.is_alone:
            _log.info("kiosk asks the console again")
        self.is_alone = False
        self._renew(heartbeat)
        self._test_self(parts)

    def _not_heard(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == FAILURES_UNTIL_LOST:
            _log.warning("console lost", reason=str(error))
            self.lost()

    def _report(self, parts: Mapping[Part, PartState], sent_at_us: int) -> Report:
        counts = self._outbox.counts()
        return Report(
            sent_at_us=sent_at_us,
            queue_length=counts.waiting,
            needs_human=counts.needs_human,
            roster_revision=self.packages.revision,
            disk_free_bytes=self._free_bytes(),
            is_out_of_service=bool(self.unfit()),
            parts=dict(parts),
            versions={"rule": RULE},
            boot_id=self.boot_id,
            locked_pins=self.guessed_pins(),
        )

    def _compare_clocks(self, sent_at_us: int, heartbeat: Heartbeat) -> None:
        came_at_us = self._clock.wall_us()
        uncertainty_us = (came_at_us - sent_at_us + 1) // 2
        offset_us = sent_at_us + uncertainty_us - heartbeat.server_time_us
        known_us = self._state.clock_offset_us
        if known_us is None or abs(offset_us - known_us) > max(CLOCK_MOVED_US, uncertainty_us):
            self._store.note_clock(offset_us, uncertainty_us)
            self._state = self._store.state()

    def _obey(self, heartbeat: Heartbeat) -> None:
        if self._state.is_revoked:
            self._store.note_enrolled()
        if heartbeat.out_of_service != self._state.is_out_of_service:
            self._store.note_service(is_out=heartbeat.out_of_service)
            _log.info("service changed", is_out=heartbeat.out_of_service)
        self._state = self._store.state()

    def _revoked(self) -> None:
        if not self._state.is_revoked:
            _log.warning("revoked: this kiosk wipes itself", waiting=self._counts.waiting)
        # Even when the disk keeps nothing of it.
        self._state = replace(self._state, is_revoked=True)
        self.packages.wipe()

    def _renew(self, heartbeat: Heartbeat) -> None:
        try:
            if heartbeat.roll_token:
                self.packages.roll(self._console, self.now_us)
            self.packages.renew(heartbeat, self._console)
        except (ConsoleUnreachableError, ConsoleRefusedError) as error:
            _log.info("packages not renewed", reason=str(error))

    def _test_self(self, parts: Mapping[Part, PartState]) -> None:
        bench = Bench(parts, self._state.clock_offset_us, self._free_bytes(), self.packages.revision)
        self._tester.turn(bench, self.packages.policy)

    def _free_bytes(self) -> int:
        try:
            return self.free(self._store.database.path.parent)
        except OSError:  # a disk that does not answer takes nothing
            return 0
