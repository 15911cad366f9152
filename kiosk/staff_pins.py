"""Who proves himself at this kiosk by his number and PIN (签到工号、签到口令), and who has to wait.

A try is counted before it is checked, so that pulling the plug wins nothing. Nobody is named: a number that
is nobody's takes as long and is told as a wrong PIN is. Wrong tries slow down the kiosk and lock nobody out.
"""

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from evidence.kiosk_day import DayStaff
from evidence.kiosk_store import KioskStore
from evidence.roster_boxes import from_text
from evidence.staff_pins import PinKeys, keys_from_pin
from evidence.stretching import Cost
from exam import pin_attempts
from exam.pin_attempts import Standing
from kiosk.contact import Contact

# As whose a try is kept whose number is nobody's; the console's numbers begin with 1.
NOBODYS: Final = 0

_log: Final = structlog.get_logger("kiosk")


class Tried(StrEnum):
    """What came of trying a PIN."""

    OPEN = "open"
    WRONG = "wrong"
    # Too many wrong tries at this kiosk: wait.
    PAUSED = "paused"
    # The PIN is right and opens no room of this kiosk.
    NO_ROOM = "no_room"
    # No roster here, or nobody has a PIN.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A PIN was tried."""

    tried: Tried
    # When the next try may be made, by the console's clock; None: at once.
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody's PIN was right; what follows from it is only in memory."""

    person: DayStaff
    keys: PinKeys


class PinGate:
    """Tries PINs, one at a time. Safe for several threads."""

    def __init__(self, contact: Contact, store: KioskStore) -> None:
        self._contact, self._store = contact, store
        self._mutex = threading.Lock()

    @property
    def people(self) -> tuple[DayStaff, ...]:
        """Everybody who may prove himself here."""
        alone = self._contact.packages.alone
        return () if alone is None else alone.day.staff

    def prove(self, number: int, pin: str) -> Proved | Attempt:
        """Whose PIN it is, or what came of the try instead. Takes half a second on purpose."""
        people = self.people
        if not people:
            return Attempt(Tried.UNKNOWN)
        person = next((one for one in people if one.account_id == number), None)
        with self._mutex:  # one try at a time, or many at once would count as one
            standing = self._standing()
            if not standing.may_try:
                return Attempt(Tried.PAUSED, standing.until_us)
            pin_id = NOBODYS if person is None else person.pin_id
            self._store.note_pin_try(pin_id, self._contact.now_us)
            meant = person or people[0]
            keys = keys_from_pin(pin, from_text(meant.salt), Cost(meant.n, meant.r, meant.p))
            public = keys.signing.public_key().public_bytes_raw()
            if person is None or public != from_text(person.signing_public):
                _log.warning("wrong staff PIN", pin_id=pin_id)
                return Attempt(Tried.WRONG, self._standing().until_us)
            self._store.forget_pin_tries(pin_id)
            return Proved(person, keys)

    def guessed(self) -> tuple[int, ...]:
        """Whose PINs somebody seems to guess at here, for the heartbeat. Nobody is locked out."""
        now_us, tried = self._contact.now_us, self._tries()
        return tuple(
            one.pin_id
            for one in self.people
            if pin_attempts.is_noted([at_us for pin_id, at_us in tried if pin_id == one.pin_id], now_us)
        )

    def _tries(self) -> list[tuple[int, int]]:
        """The wrong tries that count; those before the site lead lifted the wait count no more."""
        lifted = {one.pin_id: one.unlocked_at_us or 0 for one in self.people}
        since_us = self._contact.now_us - pin_attempts.COUNTED_US
        tried = self._store.pin_tries(max(0, since_us))
        return [(pin_id, at_us) for pin_id, at_us in tried if at_us > lifted.get(pin_id, 0)]

    def _standing(self) -> Standing:
        return pin_attempts.standing([at_us for _, at_us in self._tries()], self._contact.now_us)
