"""What a kiosk's roster package holds, in the clear: read from the database in one snapshot.

Cards of everybody with a seat today or tomorrow, so that a kiosk that works alone can also say in which
other room somebody sits; names and sheets only of those whom the kiosk serves. Full ID numbers are read
here, to be stretched and cut to their tails, and go nowhere else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from sqlite3 import Connection, Row
from typing import Any, Final

import structlog

from evidence.kiosks import Kiosk, Scope, scope_of
from evidence.roster import ID_NUMBER
from evidence.staff_pins import StaffPin, load_pins
from evidence.stretched_numbers import Number, NumberKind
from evidence.vault import Vault, VaultError
from exam.clock import site_time
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
            [[one.entry().to_dict(), one.id_number.text, one.ticket.text] for one in self.people],
            [one.card.candidate_id for one in self.served],
            [[sheet.room_id, [pin.id for pin in sheet.pins]] for sheet in self.sheets],
        ]


def numbers_of(people: Iterable[Person]) -> list[Number]:
    """Every number that must have been stretched before a package with these people can be built."""
    return [number for person in people for number in (person.ticket, person.id_number)]


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
    seats = _seats(connection)
    rows = connection.execute(
        "select candidate.* from candidate"
        " join batch on batch.id = batch_id and batch.closed_at_us is null order by candidate.id"
    )
    near_rows = [row for row in rows if any(seat.session_id in near for seat in seats.get(row["id"], ()))]
    people = (_person(vault, row, tuple(seats[row["id"]])) for row in near_rows)
    return tuple(person for person in people if person is not None)


def content_for(
    connection: Connection, kiosk: Kiosk, people: tuple[Person, ...], now_us: int
) -> RosterContent:
    """What the kiosk's package holds now; `people` as `load_people` found them in the same snapshot."""
    sessions = near_sessions(connection, now_us)
    scope = scope_of(connection, kiosk.id)
    pins = load_pins(connection)
    rooms: dict[int, list[Person]] = defaultdict(list)
    served = []
    for person in people:
        own_rooms = {seat.room_id for seat in person.card.seats if _is_served(seat, sessions, scope)}
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


def _person(vault: Vault, row: Row, seats: tuple[CardSeat, ...]) -> Person | None:
    try:
        id_number = vault.decrypt(row["id_number_cipher"], ID_NUMBER)
    except VaultError:
        # One damaged row must not keep the roster from everybody: a person helps this candidate.
        _log.exception("candidate left out of the roster packages", candidate_id=row["id"])
        return None
    card = Card(
        candidate_id=row["id"],
        document_type=DocumentType(row["document_type"]),
        is_blocked=row["blocked_reason"] is not None,
        ticket_revision=1,
        seats=seats,
    )
    return Person(
        card,
        row["name"],
        Number(NumberKind.TICKET, row["ticket_no"]),
        Number(NumberKind.ID_NUMBER, id_number),
    )


def _is_served(seat: CardSeat, sessions: Sequence[int], scope: Scope) -> bool:
    return (
        seat.session_id in sessions
        and (not scope.rooms or seat.room_id in scope.rooms)
        and (not scope.sessions or seat.session_id in scope.sessions)
    )


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
