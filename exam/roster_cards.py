"""What a kiosk may know of a candidate while it works alone: the values, and how they are written down.

Pure. A card (考生卡) holds what the rule needs and what stands on the door lists anyway; no name, no
number. The name is a value of its own, because only both documents together open it; a sheet is what staff
see after their PIN. How these are encrypted: docs/design/kiosk-sync.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from exam.admission_facts import Admitted, Known, Seat, Sitting
from exam.day import PlaceKind
from exam.identity import DocumentType
from exam.outcomes import Outcome
from exam.roster_facts import RosterRecord

# What staff look people up by (R7).
TICKET_TAIL: Final = 5
ID_TAIL: Final = 6


@dataclass(frozen=True, slots=True)
class CardSeat:
    """Where a candidate sits in one session."""

    session_id: int
    room_id: int
    place_id: int
    place_label: str
    place_kind: PlaceKind


@dataclass(frozen=True, slots=True)
class Card:
    """A candidate to the rule: who (as a number of ours), barred or not, and every seat of his."""

    candidate_id: int
    document_type: DocumentType
    is_blocked: bool
    # Revision of the signed ticket in force; an older one is void.
    ticket_revision: int
    seats: tuple[CardSeat, ...]
    # It opened with a ticket number of his that counts no more.
    is_void: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For writing it down as JSON."""
        return {
            "candidate": self.candidate_id,
            "document": self.document_type.value,
            "blocked": self.is_blocked,
            "ticket_revision": self.ticket_revision,
            "void": self.is_void,
            "seats": [
                [seat.session_id, seat.room_id, seat.place_id, seat.place_label, seat.place_kind.value]
                for seat in self.seats
            ],
        }


@dataclass(frozen=True, slots=True)
class PersonName:
    """What both documents together tell: for the screen, masked, and for comparing with an ID reader."""

    name: str
    id_tail: str


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """One line of a room's sheet, for staff."""

    card: Card
    name: str
    ticket_tail: str
    id_tail: str

    def to_dict(self) -> dict[str, Any]:
        """For writing it down as JSON."""
        return {
            "card": self.card.to_dict(),
            "name": self.name,
            "ticket_tail": self.ticket_tail,
            "id_tail": self.id_tail,
        }

    def is_meant(self, words: str, room_id: int) -> bool:
        """Whether somebody who types this means him: the tail of either number, or the seat in the room."""
        typed = words.strip().upper()
        seats = {seat.place_label.upper() for seat in self.card.seats if seat.room_id == room_id}
        return typed != "" and (typed in {self.ticket_tail, self.id_tail} or typed in seats)


@dataclass(frozen=True, slots=True)
class SeatState:
    """What is on record about a candidate in one session, as the day part tells it."""

    candidate_id: int
    session_id: int
    place_id: int
    admission: Admitted | None = None
    left_at_us: int | None = None
    held_for: Outcome | None = None
    settled: frozenset[Outcome] = frozenset()
    is_withdrawn: bool = False
    # The sitting as it is for him, who was moved to a room that the plan does not name; None: the day's.
    moved_to: Sitting | None = None


def record_of(
    card: Card, name: str, sittings: Iterable[Sitting], states: Sequence[SeatState]
) -> RosterRecord:
    """The candidate as the rule wants him: his card, and the day as it is now. `name` is empty while unknown.

    A seat in a sitting that the day does not know is left out: nobody can judge it.
    """
    known = {(one.session_id, one.room_id): one for one in sittings}
    own = {state.session_id: state for state in states if state.candidate_id == card.candidate_id}
    seats = []
    for seat in card.seats:
        state = own.get(seat.session_id)
        moved = None if state is None else state.moved_to
        sitting = moved or known.get((seat.session_id, seat.room_id))
        if sitting is not None:
            seats.append(_seat(card, seat, sitting, state, states))
    return RosterRecord(
        Known(card.candidate_id, card.document_type, card.is_blocked, name), tuple(seats), card.is_void
    )


def _seat(
    card: Card, seat: CardSeat, sitting: Sitting, own: SeatState | None, states: Sequence[SeatState]
) -> Seat:
    is_taken = any(
        (state.session_id, state.place_id) == (seat.session_id, seat.place_id)
        and state.candidate_id != card.candidate_id
        and state.admission is not None
        for state in states
    )
    free = Seat(card.candidate_id, seat.place_id, sitting, is_taken=is_taken)
    if own is None:
        return free
    return replace(
        free,
        admission=own.admission,
        left_at_us=own.left_at_us,
        held_for=own.held_for,
        settled=own.settled,
        is_withdrawn=own.is_withdrawn,
    )


def as_shown(card: Card, revision: int | None) -> Card:
    """The card as a ticket of this revision opens it: void when a later was issued. None: a plain number."""
    if revision is None or revision >= card.ticket_revision:
        return card
    return replace(card, is_void=True)


def read_card(told: Mapping[str, Any]) -> Card:
    """The card again. Raises KeyError, TypeError or ValueError for anything else."""
    return Card(
        candidate_id=told["candidate"],
        document_type=DocumentType(told["document"]),
        is_blocked=told["blocked"],
        ticket_revision=told["ticket_revision"],
        seats=tuple(
            CardSeat(session, room, place, label, PlaceKind(kind))
            for session, room, place, label, kind in told["seats"]
        ),
        is_void=told["void"],
    )


def read_entry(told: Mapping[str, Any]) -> SheetEntry:
    """The line of a sheet again. Raises KeyError, TypeError or ValueError for anything else."""
    return SheetEntry(read_card(told["card"]), told["name"], told["ticket_tail"], told["id_tail"])
