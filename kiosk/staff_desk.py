"""Staff at the kiosk (人工核验): who somebody is and where he sits, by a PIN, also without the console.

Looking, and with the console present letting somebody in provisionally (`kiosk.staff_acting`); everything
else that staff decide is done on the console. Names of a room open with a PIN of somebody who has duty there
(R7). Nobody is named before that: whoever comes types his own number, and one that is nobody's is told as a
wrong PIN is. Tries are counted before they are checked, so that pulling the plug wins nothing.
"""

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import structlog

from evidence.kiosk_day import DayStaff
from evidence.kiosk_outbox import AsideScan
from evidence.kiosk_store import KioskStore
from evidence.roster_boxes import WrongKeyError, from_text
from evidence.staff_pins import PinKeys, keys_from_pin
from evidence.stretching import Cost
from exam import pin_attempts
from exam.clock import MINUTE_US, Clock, site_time
from exam.outcomes import Outcome
from exam.pin_attempts import Standing
from exam.roster_cards import CardSeat, SheetEntry
from exam.signers import SITE_LEAD
from kiosk.alone import Alone
from kiosk.console import Console
from kiosk.contact import Contact
from kiosk.staff_acting import Acted, Hand, Whom, enter_provisionally

# Somebody who walks away leaves no names on the screen.
IDLE_US: Final = 2 * MINUTE_US
MOST_FOUND: Final = 10
# As whose a try is kept whose number is nobody's; the console's numbers begin with 1.
NOBODYS: Final = 0
NONCE_BYTES: Final = 16
NOT_CONNECTED: Final = "本机断网，不能在这里办理。请到人工窗口，由现场负责人处理。"

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
class Place:
    """One seat of somebody, as staff read it."""

    # In the console's number.
    session_id: int
    room: str
    directions: str
    place: str
    starts: str
    # When he came in; empty: he has not.
    admitted: str


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who was looked up."""

    # In the console's number.
    candidate_id: int
    name: str
    ticket_tail: str
    id_tail: str
    is_blocked: bool
    places: tuple[Place, ...]


@dataclass(slots=True)
class _Open:
    """Whose PIN is open, and what it opened. A look puts the end off; it never opens anew what was locked."""

    name: str
    roles: tuple[str, ...]
    hand: Hand
    sheets: tuple[tuple[int, SheetEntry], ...]
    until_us: int
    # The nonce of each act, so that one whose answer got lost is not done twice.
    nonces: dict[tuple[Whom, Outcome], str] = field(default_factory=dict)


class StaffDesk:
    """One desk per kiosk; one person at a time. Safe for several threads."""

    def __init__(self, console: Console, contact: Contact, store: KioskStore, clock: Clock) -> None:
        self._console, self._contact, self._store, self._clock = console, contact, store, clock
        self._open: _Open | None = None
        self._mutex = threading.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether anybody may prove himself here by a PIN."""
        return bool(self._people())

    @property
    def name(self) -> str:
        """Whose PIN is open; empty: nobody's."""
        present = self._present()
        return "" if present is None else present.name

    def unlock(self, number: int, pin: str) -> Attempt:
        """Try the PIN of whoever has this number; what another opened is closed.

        Takes half a second on purpose. A number that is nobody's takes as long and is told the same, so that
        nobody learns who is on duty.
        """
        self.lock()
        alone, people = self._contact.packages.alone, self._people()
        if alone is None or not people:
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
            return self._opened(alone, person, keys)

    def lock(self) -> None:
        """Forget what was opened."""
        self._open = None

    def find(self, words: str) -> list[Found] | None:
        """Everybody whom these words mean: a seat, the tail of a ticket or ID number. None: locked."""
        present = self._present()
        alone = self._contact.packages.alone
        if present is None or alone is None:
            return None
        present.until_us = self._clock.monotonic_us() + IDLE_US
        meant = {
            entry.card.candidate_id: entry for room, entry in present.sheets if entry.is_meant(words, room)
        }
        return [self._found(alone, entry) for entry in list(meant.values())[:MOST_FOUND]]

    @property
    def may_let_in(self) -> bool:
        """Whether the console may be asked to let somebody in for whoever has proved himself."""
        present = self._present()
        return present is not None and SITE_LEAD in present.roles and not self._contact.is_alone

    def let_in(self, whom: Whom, doubt: Outcome) -> Acted | None:
        """Let in provisionally, judged and done by the console. None: locked, or not of their rooms."""
        present = self._present()
        if present is None or not any(
            entry.card.candidate_id == whom.candidate_id for _, entry in present.sheets
        ):
            return None
        if self._contact.is_alone:
            return Acted(is_done=False, words=NOT_CONNECTED)
        present.until_us = self._clock.monotonic_us() + IDLE_US
        nonce = present.nonces.setdefault((whom, doubt), secrets.token_hex(NONCE_BYTES))
        acted = enter_provisionally(self._console, present.hand, whom, doubt, (nonce, self._contact.now_us))
        if acted.is_done is False:  # a refused act leaves no trace, and may be asked for anew
            present.nonces.pop((whom, doubt), None)
        return acted

    def aside(self) -> list[AsideScan]:
        """The scans that the console does not take, for whoever has proved himself."""
        return [] if self._present() is None else self._contact.aside()

    def guessed_pins(self) -> tuple[int, ...]:
        """Whose PINs somebody seems to guess at here, for the heartbeat. Nobody is locked out."""
        now_us, tried = self._contact.now_us, self._tries()
        return tuple(
            one.pin_id
            for one in self._people()
            if pin_attempts.is_noted([at_us for pin_id, at_us in tried if pin_id == one.pin_id], now_us)
        )

    def _present(self) -> _Open | None:
        present = self._open
        if present is not None and self._clock.monotonic_us() >= present.until_us:
            self._open = present = None
        return present

    def _people(self) -> tuple[DayStaff, ...]:
        alone = self._contact.packages.alone
        return () if alone is None else alone.day.staff

    def _tries(self) -> list[tuple[int, int]]:
        """The wrong tries that count; those before the site lead lifted the wait count no more."""
        lifted = {one.pin_id: one.unlocked_at_us or 0 for one in self._people()}
        since_us = self._contact.now_us - pin_attempts.COUNTED_US
        tried = self._store.pin_tries(max(0, since_us))
        return [(pin_id, at_us) for pin_id, at_us in tried if at_us > lifted.get(pin_id, 0)]

    def _standing(self) -> Standing:
        return pin_attempts.standing([at_us for _, at_us in self._tries()], self._contact.now_us)

    def _opened(self, alone: Alone, person: DayStaff, keys: PinKeys) -> Attempt:
        sheets = tuple(
            (room, entry)
            for room in alone.package.rooms
            for entry in _sheet(alone, room, person.pin_id, keys)
        )
        if not sheets:
            return Attempt(Tried.NO_ROOM)
        known = self._contact.packages.keys
        assert known is not None  # they opened the package
        hand = Hand(person.pin_id, keys, known.kiosk_uuid)
        self._open = _Open(person.name, person.roles, hand, sheets, self._clock.monotonic_us() + IDLE_US)
        return Attempt(Tried.OPEN)

    def _found(self, alone: Alone, entry: SheetEntry) -> Found:
        card = entry.card
        return Found(
            card.candidate_id,
            entry.name,
            entry.ticket_tail,
            entry.id_tail,
            card.is_blocked,
            tuple(self._places(alone, card.candidate_id, card.seats)),
        )

    def _places(self, alone: Alone, candidate_id: int, seats: tuple[CardSeat, ...]) -> Iterator[Place]:
        came = self._contact.came_in(candidate_id)
        rooms = {room.id: room for room in alone.day.all_rooms}
        starts = {(one.session_id, one.room_id): one.planned_start_us for one in alone.day.rule.sittings}
        for seat in seats:
            room, start_us = rooms.get(seat.room_id), starts.get((seat.session_id, seat.room_id))
            yield Place(
                session_id=seat.session_id,
                room=room.label if room else "",
                directions=room.directions if room else "",
                place=seat.place_label,
                starts="" if start_us is None else f"{site_time(start_us):%m-%d %H:%M}",
                admitted=_time(came.get(seat.session_id)),
            )


def _time(moment_us: int | None) -> str:
    return "" if moment_us is None else f"{site_time(moment_us):%H:%M}"


def _sheet(alone: Alone, room: int, pin_id: int, keys: PinKeys) -> list[SheetEntry]:
    try:
        return alone.package.sheet(room, pin_id, keys)
    except WrongKeyError:  # no duty there
        return []
