"""Takes a roster (参考花名册) into the database: all or nothing, and the same file twice changes nothing.

Reads and checks by `exam.roster`, then acts on `exam.roster_changes`. Run it inside one write
transaction. A refused file and a dry run write nothing. Document numbers are stored as
ciphertext under the purpose `ID_NUMBER`, beside the keyed digest of the normalised number.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.day import load_places, load_rooms, load_sessions
from evidence.ledger import LeafKind, append
from evidence.roster_file import RosterFileError, RosterTable, read_roster_file
from evidence.ticket_voidings import VoidedTicket, void_ticket
from evidence.vault import Vault
from exam.clock import site_time
from exam.identity import DocumentType, tail
from exam.roster import Arrangement, RosterColumns, RowFault, check_rows
from exam.roster_changes import Change, Changes, Stored, StoredPerson, StoredSeat, compare
from exam.roster_report import ImportReport
from exam.seating import Entry, assign_places
from exam.tickets import learn_form

ID_NUMBER: Final = "id_number"
REPLACED: Final = "花名册更换了准考证号"


@dataclass(frozen=True, slots=True)
class RosterRequest:
    """Which file is to be taken in, and how."""

    path: Path
    batch_code: str
    columns: RosterColumns
    # Report what would change, and change nothing.
    dry_run: bool = False


def import_roster(connection: Connection, vault: Vault, request: RosterRequest, now_us: int) -> ImportReport:
    """Make the batch's candidates and seats say what the file says, or report every fault."""
    try:
        batch_id = _batch_id(connection, request.batch_code)
        table = read_roster_file(request.path, request.columns)
    except RosterFileError as error:
        return ImportReport(
            file_name=request.path.name,
            batch_code=request.batch_code,
            is_dry_run=request.dry_run,
            rows_read=0,
            headings={},
            ignored=(),
            faults=error.faults,
        )
    report = _judged(connection, vault, request, (batch_id, table), now_us)
    if report.changes is not None and not (report.is_refused or report.is_dry_run):
        _Keeper(connection, vault, batch_id, now_us).apply(report.changes)
        _record(connection, batch_id, table, report, now_us)
    return report


def _batch_id(connection: Connection, code: str) -> int:
    row = connection.execute("select id, closed_at_us from batch where code = ?", (code,)).fetchone()
    if row is None:
        known = "、".join(other["code"] for other in connection.execute("select code from batch order by id"))
        raise RosterFileError([RowFault(None, None, f"没有批次“{code}”；已有批次：{known or '无'}")])
    if row["closed_at_us"] is not None:
        raise RosterFileError([RowFault(None, None, f"批次“{code}”已归档，不能再导入")])
    return int(row["id"])


def _judged(
    connection: Connection,
    vault: Vault,
    request: RosterRequest,
    source: tuple[int, RosterTable],
    now_us: int,
) -> ImportReport:
    batch_id, table = source
    arrangement = _arrangement(connection, batch_id)
    checked = check_rows(table.rows, arrangement, request.columns, site_time(now_us).date())
    stored = _stored(connection, batch_id)
    by_people = [seat for seat in stored.seats if seat.by_people]
    kept = _held(replace(stored, seats=by_people))
    entries, faults = assign_places(checked.rows, arrangement, _held(stored), kept)
    faults = [*checked.faults, *faults]
    changes = None if faults else compare(entries, stored, vault.index)
    return ImportReport(
        file_name=request.path.name,
        batch_code=request.batch_code,
        is_dry_run=request.dry_run,
        rows_read=len(table.rows),
        headings=table.headings,
        ignored=table.ignored,
        faults=tuple(faults) if changes is None else changes.faults,
        warnings=checked.warnings,
        changes=changes,
    )


def _arrangement(connection: Connection, batch_id: int) -> Arrangement:
    rooms = load_rooms(connection)
    return Arrangement(
        sessions=[session for session in load_sessions(connection) if session.batch_id == batch_id],
        rooms=rooms,
        places={room_id: load_places(connection, room_id) for room_id in rooms},
    )


def _stored(connection: Connection, batch_id: int) -> Stored:
    people = connection.execute(
        "select candidate.*, exists (select 1 from checkin_attempt where candidate.id in"
        "  (candidate_id, ticket_candidate_id, id_number_candidate_id))"
        " or exists (select 1 from log_entry where candidate_id = candidate.id)"
        " or exists (select 1 from ticket_voiding where candidate_id = candidate.id)"
        " or exists (select 1 from check_in_act where candidate_id = candidate.id)"
        " or exists (select 1 from doubt_case where candidate_id = candidate.id)"
        " or exists (select 1 from file_photo where candidate_id = candidate.id)"
        " or exists (select 1 from ticket_reissue where candidate_id = candidate.id) as has_records"
        " from candidate where batch_id = ? order by id",
        (batch_id,),
    )
    seats = connection.execute(
        "select seating.*, room.label || ' ' || place.label || '号' as place_words,"
        " exists (select 1 from admission where admission.session_id = seating.session_id"
        "  and admission.candidate_id = seating.candidate_id and voided_at_us is null) as is_admitted,"
        " exists (select 1 from check_in_act where check_in_act.session_id = seating.session_id"
        "  and check_in_act.candidate_id = seating.candidate_id and lacks = ''"
        "  and act in ('walk_in', 'seat_change', 'emergency_room')) as by_people"
        " from seating join candidate on candidate.id = seating.candidate_id"
        " join place on place.id = seating.place_id join room on room.id = place.room_id"
        " where candidate.batch_id = ? order by seating.id",
        (batch_id,),
    )
    return Stored([_stored_person(row) for row in people], [_stored_seat(row) for row in seats])


def _stored_person(row: Row) -> StoredPerson:
    return StoredPerson(
        candidate_id=row["id"],
        name=row["name"],
        document_type=DocumentType(row["document_type"]),
        id_number_index=row["id_number_index"],
        ticket_no=row["ticket_no"],
        employer=row["employer"],
        has_records=bool(row["has_records"]),
    )


def _stored_seat(row: Row) -> StoredSeat:
    return StoredSeat(
        candidate_id=row["candidate_id"],
        session_id=row["session_id"],
        place_id=row["place_id"],
        where=row["place_words"],
        is_admitted=bool(row["is_admitted"]),
        by_people=bool(row["by_people"]),
    )


def _held(stored: Stored) -> Mapping[tuple[int, str], int]:
    tickets = {person.candidate_id: person.ticket_no for person in stored.people}
    return {(seat.session_id, tickets[seat.candidate_id]): seat.place_id for seat in stored.seats}


@dataclass(frozen=True, slots=True)
class _Keeper:
    connection: Connection
    vault: Vault
    batch_id: int
    now_us: int

    def apply(self, changes: Changes) -> None:
        """Removals first, so that seats and numbers are free when somebody else gets them."""
        moved = [change.old_seat for change in changes.changed if change.old_seat is not None]
        self._give_up([(removal.seat.session_id, removal.seat.candidate_id) for removal in changes.removed])
        self._give_up([(seat.session_id, seat.candidate_id) for seat in moved])
        self.connection.executemany(
            "delete from candidate where id = ?", [(candidate_id,) for candidate_id in changes.leaving]
        )
        every = [*changes.changed, *changes.added]
        self._void_replaced_tickets(every)
        self._set_numbers_aside(every)
        by_ticket = self._take_people(every)
        self.connection.executemany(
            "insert into seating (session_id, candidate_id, place_id) values (?, ?, ?)",
            [
                (change.entry.row.session.id, by_ticket[change.entry.row.ticket_no], change.entry.place.id)
                for change in every
            ],
        )
        self._learn_ticket_form()

    def _give_up(self, seats: Iterable[tuple[int, int]]) -> None:
        self.connection.executemany("delete from seating where session_id = ? and candidate_id = ?", seats)

    def _void_replaced_tickets(self, changes: Iterable[Change]) -> None:
        # Whoever still holds the paper with the old number is told so, and not that nobody knows him.
        for change in {one.candidate_id: one for one in changes if one.candidate_id is not None}.values():
            (held,) = self.connection.execute(
                "select ticket_no from candidate where id = ?", (change.candidate_id,)
            ).fetchone()
            if held != change.entry.row.ticket_no and change.candidate_id is not None:
                replaced = VoidedTicket(change.candidate_id, held, REPLACED)
                void_ticket(self.connection, replaced, self.now_us)

    def _set_numbers_aside(self, changes: Iterable[Change]) -> None:
        # Two people whose numbers were mixed up swap them; each number is unique at every moment.
        self.connection.executemany(
            "update candidate set id_number_index = ?, ticket_no = '~' || id where id = ?",
            [
                (os.urandom(32), change.candidate_id)
                for change in changes
                if change.candidate_id is not None and change.differences
            ],
        )

    def _take_people(self, changes: Iterable[Change]) -> dict[str, int]:
        by_ticket: dict[str, int] = {}
        for change in changes:
            ticket_no = change.entry.row.ticket_no
            if change.candidate_id is None:
                if ticket_no not in by_ticket:
                    by_ticket[ticket_no] = self._insert_person(change.entry)
                continue
            by_ticket[ticket_no] = change.candidate_id
            if change.differences:
                self._update_person(change.candidate_id, change.entry)
        return by_ticket

    def _insert_person(self, entry: Entry) -> int:
        row = self.connection.execute(
            "insert into candidate (name, document_type, id_number_cipher, id_number_index, id_number_tail,"
            " ticket_no, employer, batch_id) values (?, ?, ?, ?, ?, ?, ?, ?) returning id",
            (*self._person_values(entry), self.batch_id),
        ).fetchone()
        return int(row["id"])

    def _update_person(self, candidate_id: int, entry: Entry) -> None:
        self.connection.execute(
            "update candidate set name = ?, document_type = ?, id_number_cipher = ?, id_number_index = ?,"
            " id_number_tail = ?, ticket_no = ?, employer = ? where id = ?",
            (*self._person_values(entry), candidate_id),
        )

    def _person_values(self, entry: Entry) -> tuple[object, ...]:
        row = entry.row
        return (
            row.name,
            row.document_type.value,
            self.vault.encrypt(row.id_number, ID_NUMBER),
            self.vault.index(row.id_number),
            tail(row.id_number),
            row.ticket_no,
            row.employer,
        )

    def _learn_ticket_form(self) -> None:
        numbers = self.connection.execute(
            "select ticket_no from candidate where batch_id = ?", (self.batch_id,)
        )
        form = learn_form(row["ticket_no"] for row in numbers)
        self.connection.execute("update batch set ticket_form = ? where id = ?", (form, self.batch_id))


def _record(
    connection: Connection, batch_id: int, table: RosterTable, report: ImportReport, now_us: int
) -> None:
    changes = report.changes
    assert changes is not None
    # Without the file's name, which may be anybody's.
    added = connection.execute(
        "insert into roster_import (batch_id, file_name, sha256, imported_at_us, rows_read, rows_added,"
        " rows_changed, rows_removed) values (?, ?, ?, ?, ?, ?, ?, ?) returning id as roster_import_id,"
        " batch_id, lower(hex(sha256)) as sha256, rows_read, rows_added, rows_changed, rows_removed",
        (
            batch_id,
            report.file_name,
            table.sha256,
            now_us,
            report.rows_read,
            len(changes.added),
            len(changes.changed),
            len(changes.removed),
        ),
    ).fetchone()
    append(connection, LeafKind.ROSTER_IMPORT, dict(added), now_us)
