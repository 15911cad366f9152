"""What a roster would change: rows added, changed, removed or as before.

A file is the whole truth for the sessions it names: whoever was seated in one of them and is not
in the file any more is removed; other sessions are not touched. A person is recognised by ticket
number, else by document number, so a corrected number is a change and not a new person. Nothing
is changed under a candidate who has already been admitted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exam.identity import DocumentType, masked_name
from exam.roster import Field, RowFault
from exam.seating import Entry

REMOVING: Final = "考生已签到，不能从花名册中去掉"
RESEATING: Final = "考生已签到，不能更换座位或考场"


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """A candidate of the batch as stored; the number itself stays in the vault."""

    candidate_id: int
    name: str
    document_type: DocumentType
    id_number_index: bytes
    ticket_no: str
    employer: str
    # Whether check-ins or log entries name him: then his row stays even without a seat.
    has_records: bool


@dataclass(frozen=True, slots=True)
class StoredSeat:
    """Where a candidate sits, as stored."""

    candidate_id: int
    session_id: int
    place_id: int
    # '第1考场 12号', for reports.
    where: str
    is_admitted: bool
    # People gave it on the day itself (walk-in, change of seat): no roster moves or removes it.
    by_people: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything stored of the batch."""

    people: Sequence[StoredPerson]
    seats: Sequence[StoredSeat]


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is new or differs. `candidate_id` is None for a person not stored yet."""

    entry: Entry
    candidate_id: int | None
    # The seat that is given up; None when he had none in this session.
    old_seat: StoredSeat | None
    # What differs, in words without personal numbers; empty for an added row.
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """One seat whose candidate is not in the file any more."""

    seat: StoredSeat
    person: StoredPerson

    @property
    def words(self) -> str:
        """Who goes from where, for the report."""
        return f"{masked_name(self.person.name)}（{self.person.ticket_no}） {self.seat.where}"


@dataclass(frozen=True, slots=True)
class Changes:
    """The whole difference between file and store, or the faults that forbid it."""

    added: tuple[Change, ...]
    changed: tuple[Change, ...]
    removed: tuple[Removal, ...]
    unchanged: int
    # Candidates left without any seat and without records: their rows go.
    leaving: frozenset[int]
    faults: tuple[RowFault, ...]


def compare(entries: Sequence[Entry], stored: Stored, index: Callable[[str], bytes]) -> Changes:
    """What the entries would change. `index` is the keyed digest under which numbers are stored."""
    people = _recognise(entries, stored, index)
    seats = {(seat.candidate_id, seat.session_id): seat for seat in stored.seats}
    added: list[Change] = []
    changed: list[Change] = []
    unchanged = 0
    for entry in entries:
        person = people.get(entry.row.ticket_no)
        seat = seats.get((person.candidate_id, entry.row.session.id)) if person else None
        change = _change(entry, person, seat, index)
        if seat is None:
            added.append(change)
        elif change.differences:
            changed.append(change)
        else:
            unchanged += 1
    removed = _removals(entries, people, stored)
    leaving = _leaving(removed, people, stored)
    faults = [*_admitted_faults(changed, removed), *_number_clashes(entries, people, stored, leaving, index)]
    return Changes(tuple(added), tuple(changed), removed, unchanged, leaving, tuple(faults))


def _recognise(
    entries: Sequence[Entry], stored: Stored, index: Callable[[str], bytes]
) -> dict[str, StoredPerson]:
    """The stored person behind each ticket number of the file."""
    by_ticket = {person.ticket_no: person for person in stored.people}
    tickets = {entry.row.ticket_no for entry in entries}
    # Only somebody whose own ticket is not in the file can have got a new one.
    by_number = {
        person.id_number_index: person for person in stored.people if person.ticket_no not in tickets
    }
    found: dict[str, StoredPerson] = {}
    for entry in entries:
        person = by_ticket.get(entry.row.ticket_no) or by_number.get(index(entry.row.id_number))
        if person is not None:
            found[entry.row.ticket_no] = person
    return found


def _change(
    entry: Entry, person: StoredPerson | None, seat: StoredSeat | None, index: Callable[[str], bytes]
) -> Change:
    differences: list[str] = []
    if person is not None:
        differences += _person_differences(entry, person, index)
    if seat is not None and seat.place_id != entry.place.id:
        differences.append(f"座位 {seat.where} → {where(entry)}")
    return Change(entry, person.candidate_id if person else None, seat, tuple(differences))


def where(entry: Entry) -> str:
    """'第1考场 12号'."""
    return f"{entry.row.room.label} {entry.place.label}号"


def _person_differences(entry: Entry, person: StoredPerson, index: Callable[[str], bytes]) -> Iterator[str]:
    row = entry.row
    if row.name != person.name:
        yield "姓名"
    if row.document_type is not person.document_type:
        yield "证件类型"
    if index(row.id_number) != person.id_number_index:
        yield "证件号码"
    if row.ticket_no != person.ticket_no:
        yield f"准考证号 {person.ticket_no} → {row.ticket_no}"
    if row.employer != person.employer:
        yield "工作单位"


def _removals(
    entries: Sequence[Entry], people: Mapping[str, StoredPerson], stored: Stored
) -> tuple[Removal, ...]:
    named_sessions = {entry.row.session.id for entry in entries}
    staying = {
        (people[entry.row.ticket_no].candidate_id, entry.row.session.id)
        for entry in entries
        if entry.row.ticket_no in people
    }
    by_id = {person.candidate_id: person for person in stored.people}
    return tuple(
        Removal(seat, by_id[seat.candidate_id])
        for seat in stored.seats
        if seat.session_id in named_sessions
        and not seat.by_people
        and (seat.candidate_id, seat.session_id) not in staying
    )


def _leaving(
    removed: Sequence[Removal], people: Mapping[str, StoredPerson], stored: Stored
) -> frozenset[int]:
    gone = {(removal.seat.candidate_id, removal.seat.session_id) for removal in removed}
    remaining = {
        seat.candidate_id for seat in stored.seats if (seat.candidate_id, seat.session_id) not in gone
    }
    remaining |= {person.candidate_id for person in people.values()}
    return frozenset(
        removal.person.candidate_id
        for removal in removed
        if removal.person.candidate_id not in remaining and not removal.person.has_records
    )


def _admitted_faults(changed: Sequence[Change], removed: Sequence[Removal]) -> Iterator[RowFault]:
    for change in changed:
        seat = change.old_seat
        if seat is not None and seat.is_admitted and seat.place_id != change.entry.place.id:
            yield RowFault(change.entry.row.row_no, Field.PLACE, RESEATING)
    for removal in removed:
        if removal.seat.is_admitted:
            yield RowFault(None, None, f"{removal.words}：{REMOVING}")


def _number_clashes(
    entries: Sequence[Entry],
    people: Mapping[str, StoredPerson],
    stored: Stored,
    leaving: frozenset[int],
    index: Callable[[str], bytes],
) -> Iterator[RowFault]:
    """A number of the file that belongs to somebody who is stored, stays, and is not in the file."""
    in_file = {person.candidate_id for person in people.values()}
    others = {
        person.id_number_index: person.ticket_no
        for person in stored.people
        if person.candidate_id not in in_file | leaving
    }
    for entry in entries:
        ticket_no = others.get(index(entry.row.id_number))
        if ticket_no is not None:
            reason = f"此证件号码已属于准考证号为{ticket_no}的考生"
            yield RowFault(entry.row.row_no, Field.ID_NUMBER, reason)
