"""What a kiosk's roster package holds, in the clear: read from the database in one snapshot.

Cards of everybody with a seat today or tomorrow, so that a kiosk that works alone can also say in which
other room somebody sits; names and sheets only of those whom the kiosk serves. Full ID numbers are read
here, to be stretched and cut to their tails, and go nowhere else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from sqlite3 import Connection, Row
from typing import Any, Final

import structlog

from evidence.kiosks import Kiosk, Scope, scope_of
from evidence.recording_orders import load_moves
from evidence.roster import ID_NUMBER
from evidence.staff_pins import StaffPin, load_pins
from evidence.stretched_numbers import Number, NumberKind
from evidence.ticket_reissues import FIRST_REVISION, ticket_revisions
from evidence.ticket_voidings import VOIDED
from evidence.vault import Vault, VaultError
from exam.clock import site_time
from exam.course import Move
from exam.day import PlaceKind
from exam.identity import DocumentType, tail
from exam.roster_cards import ID_TAIL, TICKET_TAIL, Card, CardSeat, PersonName, SheetEntry

# Whose PIN opens the sheet of every room; others need a duty there.
EVERYWHERE: Final = frozenset({"site_lead", "exams_officer"})

_log: Final = structlog.get_logger("roster")


@dataclass(frozen=True, slots=True)
class Person:
    """One candidate in full, in memory only."""

    card: Card
    name: str
    ticket: Number
    id_number: Number
    # Ticket numbers of his that count no more.
    void_tickets: tuple[Number, ...] = ()

    def numbers(self) -> tuple[Number, ...]:
        """Every number that somebody may show for him."""
        return (self.ticket, self.id_number, *self.void_tickets)

    def card_for(self, number: Number) -> Card:
        """His card as this number opens it."""
        return replace(self.card, is_void=True) if number in self.void_tickets else self.card

    def person_name(self) -> PersonName:
        """What both documents together tell."""
        return PersonName(self.name, tail(self.id_number.text))

    def entry(self) -> SheetEntry:
        """His line for staff."""
        return SheetEntry(
            self.card, self.name, self.ticket.text[-TICKET_TAIL:], self.id_number.text[-ID_TAIL:]
        )


@dataclass(frozen=True, slots=True)
class RoomSheet:
    """The people of one room whom the kiosk serves, and whose PINs may open the sheet."""

    room_id: int
    people: tuple[Person, ...]
    pins: tuple[StaffPin, ...]


@dataclass(frozen=True, slots=True)
class RosterContent:
    """Everything of one package, before encryption."""

    days: tuple[str, ...]
    # Everybody with a seat on these days, wherever.
    people: tuple[Person, ...]
    # Those of them whom the kiosk serves.
    served: tuple[Person, ...]
    sheets: tuple[RoomSheet, ...]

    def to_value(self) -> Any:
        """Everything that makes one revision differ from another."""
        return [
            list(self.days),
            [[one.entry().to_dict(), [number.text for number in one.numbers()]] for one in self.people],
            [one.card.candidate_id for one in self.served],
            [[sheet.room_id, [pin.id for pin in sheet.pins]] for sheet in self.sheets],
        ]


def numbers_of(people: Iterable[Person]) -> list[Number]:
    """Every number that must have been stretched before a package with these people can be built."""
    return [number for person in people for number in person.numbers()]


def days_of(now_us: int) -> tuple[date, date]:
    """The days that a package made now is for: today and tomorrow, at the site."""
    today = site_time(now_us).date()
    return today, today + timedelta(days=1)


def near_sessions(connection: Connection, now_us: int) -> list[int]:
    """The sessions of these days in open batches, cancelled ones too: their candidates are told so."""
    days = days_of(now_us)
    rows = connection.execute(
        "select session.id, planned_start_us from session"
        " join batch on batch.id = batch_id and batch.closed_at_us is null order by session.id"
    )
    return [row["id"] for row in rows if site_time(row["planned_start_us"]).date() in days]


def load_people(connection: Connection, vault: Vault, now_us: int) -> tuple[Person, ...]:
    """Everybody in open batches with a seat today or tomorrow, and every seat of theirs."""
    near = set(near_sessions(connection, now_us))
    seats, void, revisions = _seats(connection), _void_tickets(connection), ticket_revisions(connection)
    rows = connection.execute(
        "select candidate.* from candidate"
        " join batch on batch.id = batch_id and batch.closed_at_us is null order by candidate.id"
    )
    near_rows = [row for row in rows if any(seat.session_id in near for seat in seats.get(row["id"], ()))]
    people = []
    for row in near_rows:
        person = _person(vault, row, tuple(seats[row["id"]]), revisions.get(row["id"], FIRST_REVISION))
        if person is not None:
            people.append(replace(person, void_tickets=void.get(row["id"], ())))
    return tuple(people)


def load_numbers(connection: Connection, vault: Vault) -> list[Number]:
    """Ticket and ID numbers of everybody in open batches: what will have to be stretched one day."""
    rows = connection.execute(
        "select candidate.id, ticket_no, id_number_cipher from candidate"
        " join batch on batch.id = batch_id and batch.closed_at_us is null order by candidate.id"
    )
    found = []
    for row in rows:
        found.append(Number(NumberKind.TICKET, row["ticket_no"]))
        number = read_id_number(vault, row)
        if number is not None:
            found.append(number)
    return found


def content_for(
    connection: Connection, kiosk: Kiosk, people: tuple[Person, ...], now_us: int
) -> RosterContent:
    """What the kiosk's package holds now; `people` as `load_people` found them in the same snapshot."""
    sessions = near_sessions(connection, now_us)
    scope = scope_of(connection, kiosk.id)
    pins = load_pins(connection)
    doors = {session_id: load_moves(connection, session_id) for session_id in sessions}
    rooms: dict[int, list[Person]] = defaultdict(list)
    served = []
    for person in people:
        own_rooms = {room for seat in person.card.seats for room in _served_rooms(seat, doors, scope)}
        for room_id in own_rooms:
            rooms[room_id].append(person)
        if own_rooms:
            served.append(person)
    return RosterContent(
        tuple(day.isoformat() for day in days_of(now_us)),
        people,
        tuple(served),
        tuple(
            RoomSheet(room_id, tuple(own), _pins_for(connection, pins, sessions, room_id))
            for room_id, own in sorted(rooms.items())
        ),
    )


def _seats(connection: Connection) -> dict[int, list[CardSeat]]:
    seats: dict[int, list[CardSeat]] = defaultdict(list)
    for row in connection.execute(
        "select seating.candidate_id, seating.session_id, place.room_id, place.id as place_id, place.label,"
        " place.kind from seating join place on place.id = seating.place_id order by seating.session_id"
    ):
        seat = CardSeat(
            row["session_id"], row["room_id"], row["place_id"], row["label"], PlaceKind(row["kind"])
        )
        seats[row["candidate_id"]].append(seat)
    return seats


def _void_tickets(connection: Connection) -> dict[int, tuple[Number, ...]]:
    question = f"select candidate.id, ticket_voiding.ticket_no from candidate{VOIDED}"  # noqa: S608 - our own words
    rows = connection.execute(f"{question} order by ticket_voiding.id")
    found: dict[int, tuple[Number, ...]] = {}
    for row in rows:
        number = Number(NumberKind.TICKET, row["ticket_no"])
        found[row["id"]] = tuple(dict.fromkeys((*found.get(row["id"], ()), number)))
    return found


def _person(vault: Vault, row: Row, seats: tuple[CardSeat, ...], revision: int) -> Person | None:
    id_number = read_id_number(vault, row)
    if id_number is None:
        return None
    card = Card(
        candidate_id=row["id"],
        document_type=DocumentType(row["document_type"]),
        is_blocked=row["blocked_reason"] is not None,
        ticket_revision=revision,
        seats=seats,
    )
    return Person(
        card,
        row["name"],
        Number(NumberKind.TICKET, row["ticket_no"]),
        id_number,
    )


def read_id_number(vault: Vault, row: Row) -> Number | None:
    """The candidate's ID number; None, and a line in the log, when it cannot be read."""
    try:
        return Number(NumberKind.ID_NUMBER, vault.decrypt(row["id_number_cipher"], ID_NUMBER))
    except VaultError:
        # One damaged row must not keep the roster from everybody: a person helps this candidate.
        _log.exception("candidate left out of packages and signed tickets", candidate_id=row["id"])
        return None


def _served_rooms(seat: CardSeat, doors: Mapping[int, Sequence[Move]], scope: Scope) -> set[int]:
    """The rooms among the kiosk's at which he may come in: his own, and any to which his session moved."""
    if seat.session_id not in doors or (scope.sessions and seat.session_id not in scope.sessions):
        return set()
    found = {seat.room_id}
    for move in doors[seat.session_id]:
        if move.from_room_id in found:
            found.add(move.to_room_id)
    return found & set(scope.rooms) if scope.rooms else found


def _pins_for(
    connection: Connection, pins: Sequence[StaffPin], sessions: Sequence[int], room_id: int
) -> tuple[StaffPin, ...]:
    marks = ",".join("?" * len(sessions))
    on_duty = {
        row["staff_id"]
        for row in connection.execute(
            f"select staff_id from duty where session_id in ({marks}) and (room_id is null or room_id = ?)",  # noqa: S608 - marks only
            (*sessions, room_id),
        )
    }
    return tuple(
        pin
        for pin in pins
        if pin.roles & EVERYWHERE or (pin.staff_id is not None and pin.staff_id in on_duty)
    )
