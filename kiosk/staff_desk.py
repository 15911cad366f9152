"""Staff at the kiosk (人工核验): who somebody is and where he sits, by a PIN, also without the console.

Looking, and what can be done about him: `kiosk.staff_acting`, and alone `kiosk.staff_alone`. Names of a room
open with a PIN of somebody who has duty there (R7). Nobody is named before that (`kiosk.staff_pins`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from evidence.kiosk_outbox import AsideScan
from evidence.kiosk_store import KioskStore
from evidence.roster_boxes import WrongKeyError
from evidence.staff_pins import PinKeys
from exam.clock import MINUTE_US, Clock, site_time
from exam.identity import DocumentType
from exam.roster_cards import CardSeat, SheetEntry
from exam.staff_acts import Offered
from kiosk.alone import Alone
from kiosk.console import Console
from kiosk.contact import Contact
from kiosk.staff_acting import Acted, Hand, Wanted, Whom, ask_offered, send_act, signed_act
from kiosk.staff_alone import ONLY_BY_HAND, by_hand_alone, offered_alone
from kiosk.staff_pins import Attempt, PinGate, Proved, Tried

# Somebody who walks away leaves no names on the screen.
IDLE_US: Final = 2 * MINUTE_US
MOST_FOUND: Final = 10


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
    # With which document he is on the roster.
    document_type: DocumentType
    is_blocked: bool
    places: tuple[Place, ...]


@dataclass(slots=True)
class _Open:
    """Whose PIN is open, and what it opened. A look puts the end off; it never opens anew what was locked."""

    name: str
    hand: Hand
    sheets: tuple[tuple[int, SheetEntry], ...]
    until_us: int
    # Acts whose answer got lost, as they were signed, so that none is done twice.
    unanswered: dict[Wanted, dict[str, Any]] = field(default_factory=dict)

    def names(self, candidate_id: int) -> bool:
        """Whether he is of these rooms."""
        return any(entry.card.candidate_id == candidate_id for _, entry in self.sheets)

    def entry_of(self, candidate_id: int) -> SheetEntry:
        """His line of the list."""
        return next(entry for _, entry in self.sheets if entry.card.candidate_id == candidate_id)


class StaffDesk:
    """One desk per kiosk; one person at a time. Safe for several threads."""

    def __init__(self, console: Console, contact: Contact, store: KioskStore, clock: Clock) -> None:
        self._console, self._contact, self._clock = console, contact, clock
        self.gate = PinGate(contact, store)
        self._open: _Open | None = None

    @property
    def is_ready(self) -> bool:
        """Whether anybody may prove himself here by a PIN."""
        return bool(self.gate.people)

    @property
    def name(self) -> str:
        """Whose PIN is open; empty: nobody's."""
        present = self._present()
        return "" if present is None else present.name

    @property
    def alone(self) -> str:
        """What can be done while the console is away; empty: it is there."""
        return ONLY_BY_HAND if self._contact.is_alone else ""

    def unlock(self, number: int, pin: str) -> Attempt:
        """Try the PIN of whoever has this number; what another opened is closed. Takes half a second."""
        self.lock()
        alone = self._contact.packages.alone
        if alone is None:
            return Attempt(Tried.UNKNOWN)
        proved = self.gate.prove(number, pin)
        return proved if isinstance(proved, Attempt) else self._opened(alone, proved)

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

    def offered(self, whom: Whom) -> Offered | Acted | None:
        """What whoever has proved himself may do about somebody. None: locked, or not of their rooms."""
        present = self._present_for(whom)
        if present is None:
            return None
        if self._contact.is_alone:
            entry = present.entry_of(whom.candidate_id)
            return offered_alone(self._contact, entry, whom.session_id, present.hand)
        return ask_offered(self._console, present.hand, whom, self._contact.now_us)

    def act(self, wanted: Wanted, second: tuple[int, str] | None) -> Acted | Attempt | None:
        """Have it judged and done by the console, or alone. None: locked, or not of their rooms.

        `second`: number and PIN of whoever agrees; an Attempt says that these were not right, or not yet.
        Raises sqlite3.Error when the disk takes no try of a PIN, or not what was done alone.
        """
        present = self._present_for(wanted.whom)
        if present is None:
            return None
        body = present.unanswered.get(wanted)
        if body is None or self._contact.is_alone:
            hands = self._hands(present.hand, second)
            if isinstance(hands, Attempt):
                return hands
            if self._contact.is_alone:
                return self._alone(present, wanted, hands)
            body = signed_act(wanted, hands, self._contact.now_us)
        present.unanswered[wanted] = body
        acted = send_act(self._console, body)
        if acted.is_done is not None:
            present.unanswered.pop(wanted, None)
        return acted

    def aside(self) -> list[AsideScan]:
        """The scans that the console does not take, for whoever has proved himself."""
        return [] if self._present() is None else self._contact.aside()

    def _present(self) -> _Open | None:
        present = self._open
        if present is not None and self._clock.monotonic_us() >= present.until_us:
            self._open = present = None
        return present

    def _present_for(self, whom: Whom) -> _Open | None:
        """Whoever has proved himself, while what he does puts the end off; None: not for this candidate."""
        present = self._present()
        if present is None or not present.names(whom.candidate_id):
            return None
        present.until_us = self._clock.monotonic_us() + IDLE_US
        return present

    def _alone(self, present: _Open, wanted: Wanted, hands: list[Hand]) -> Acted:
        """Under the nonce of the same act that got no answer, so that the console does it once."""
        entry = present.entry_of(wanted.whom.candidate_id)
        nonce: str = present.unanswered.get(wanted, {}).get("nonce", "")
        acted = by_hand_alone(self._contact, entry, wanted, hands, nonce)
        if acted.is_done:
            present.unanswered.pop(wanted, None)
        return acted

    def _hands(self, hand: Hand, second: tuple[int, str] | None) -> list[Hand] | Attempt:
        """Whoever signs, and whoever agrees."""
        if second is None:
            return [hand]
        proved = self.gate.prove(*second)
        return proved if isinstance(proved, Attempt) else [hand, self._hand(proved)]

    def _hand(self, proved: Proved) -> Hand:
        known = self._contact.packages.keys
        assert known is not None  # they opened the package that names him
        return Hand(proved.person.pin_id, proved.keys, known.kiosk_uuid, frozenset(proved.person.roles))

    def _opened(self, alone: Alone, proved: Proved) -> Attempt:
        sheets = tuple(
            (room, entry)
            for room in alone.package.rooms
            for entry in _sheet(alone, room, proved.person.pin_id, proved.keys)
        )
        if not sheets:
            return Attempt(Tried.NO_ROOM)
        hand, until_us = self._hand(proved), self._clock.monotonic_us() + IDLE_US
        self._open = _Open(proved.person.name, hand, sheets, until_us)
        return Attempt(Tried.OPEN)

    def _found(self, alone: Alone, entry: SheetEntry) -> Found:
        card = entry.card
        return Found(
            card.candidate_id,
            entry.name,
            entry.ticket_tail,
            entry.id_tail,
            card.document_type,
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
