"""Importing a roster: all or nothing, the same file twice changes nothing, numbers never in the open."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from config.roster_columns import load_roster_columns
from evidence.roster import ID_NUMBER, RosterRequest, import_roster
from exam.roster_report import ImportReport
from rehearsal.people_names import InventedPerson, RosterLine, invent_people, write_lines
from tests.world import CLOCK_US, World, invented_number

PEOPLE = invent_people(30, seed=11)
COLUMNS = load_roster_columns()


@pytest.fixture
def empty(world: World) -> World:
    """The small site before any roster was taken in."""
    with world.exam.write() as connection:
        connection.execute("delete from seating")
        connection.execute("delete from candidate")
    return world


def line(person: InventedPerson, room: str = "第1考场", place: str = "", session: str = "T1") -> RosterLine:
    return RosterLine(person, session, room, place)


def take_in(
    world: World, lines: Sequence[RosterLine], *, dry_run: bool = False, batch: str = "B2026-1"
) -> ImportReport:
    path = world.folder / "花名册.xlsx"
    write_lines(path, lines)
    with world.exam.write() as connection:
        request = RosterRequest(path, batch, COLUMNS, dry_run)
        return import_roster(connection, world.vault, request, CLOCK_US)


def stored(world: World) -> list[tuple[str, str, str, str]]:
    with world.exam.read() as connection:
        rows = connection.execute(
            "select candidate.name, ticket_no, room.code, place.label from seating"
            " join candidate on candidate.id = candidate_id join place on place.id = place_id"
            " join room on room.id = room_id order by ticket_no, session_id"
        )
        return [tuple(row) for row in rows]


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    assert report.faults == ()
    changes = report.changes
    assert changes is not None
    return len(changes.added), len(changes.changed), len(changes.removed), changes.unchanged


def one(world: World, question: str, *values: object) -> sqlite3.Row:
    with world.exam.read() as connection:
        row: sqlite3.Row = connection.execute(question, values).fetchone()
        return row


def test_a_roster_is_stored_with_seats_in_ticket_order(empty: World) -> None:
    report = take_in(empty, [line(PEOPLE[2]), line(PEOPLE[0]), line(PEOPLE[1], "R02", "5")])
    assert counts(report) == (3, 0, 0, 0)
    assert stored(empty) == [
        (PEOPLE[0].name, PEOPLE[0].ticket_no, "R01", "1"),
        (PEOPLE[1].name, PEOPLE[1].ticket_no, "R02", "5"),
        (PEOPLE[2].name, PEOPLE[2].ticket_no, "R01", "2"),
    ]


def test_numbers_are_ciphertext_and_findable_by_their_index(empty: World) -> None:
    take_in(empty, [line(PEOPLE[0])])
    row = one(empty, "select * from candidate")
    number = PEOPLE[0].id_number
    assert empty.vault.decrypt(row["id_number_cipher"], ID_NUMBER) == number
    assert row["id_number_index"] == empty.vault.index(number)
    assert row["id_number_tail"] == number[-4:]
    assert number.encode() not in (empty.folder / "exam.db-wal").read_bytes()


def test_the_same_file_again_changes_nothing_but_is_recorded(empty: World) -> None:
    lines = [line(person) for person in PEOPLE[:5]]
    take_in(empty, lines)
    before = stored(empty)
    report = take_in(empty, lines)
    assert counts(report) == (0, 0, 0, 5)
    assert report.is_unchanged
    assert stored(empty) == before
    imports = one(empty, "select count(*), sum(rows_added), count(distinct sha256) from roster_import")
    assert tuple(imports)[:2] == (2, 5)


def test_a_dry_run_reports_and_writes_nothing(empty: World) -> None:
    report = take_in(empty, [line(PEOPLE[0])], dry_run=True)
    assert counts(report) == (1, 0, 0, 0)
    assert "试运行" in report.to_text()
    assert stored(empty) == []
    assert one(empty, "select count(*) from roster_import")[0] == 0


def test_one_bad_row_refuses_the_whole_file(empty: World) -> None:
    bad = replace(PEOPLE[1], id_number="990101199003070000")
    report = take_in(empty, [line(PEOPLE[0]), line(bad), line(PEOPLE[2], "第9考场")])
    assert report.is_refused
    assert [(report.place_of(fault)) for fault in report.faults] == ["第4行“证件号码”", "第5行“考场”"]
    assert stored(empty) == []


def test_a_full_room_refuses_the_whole_file(empty: World) -> None:
    report = take_in(empty, [line(person) for person in PEOPLE[:14]])
    assert [fault.row_no for fault in report.faults] == [15, 16]
    assert "第1考场共12个座位" in report.faults[0].reason
    assert stored(empty) == []


def test_added_changed_and_removed_are_carried_out(empty: World) -> None:
    take_in(empty, [line(person) for person in PEOPLE[:4]])
    renamed = replace(PEOPLE[0], name="王改名", employer="新单位")
    report = take_in(empty, [line(renamed), line(PEOPLE[1], "R02"), line(PEOPLE[2]), line(PEOPLE[4])])
    assert counts(report) == (1, 2, 1, 1)
    assert stored(empty) == [
        ("王改名", PEOPLE[0].ticket_no, "R01", "1"),
        (PEOPLE[1].name, PEOPLE[1].ticket_no, "R02", "1"),
        (PEOPLE[2].name, PEOPLE[2].ticket_no, "R01", "3"),
        (PEOPLE[4].name, PEOPLE[4].ticket_no, "R01", "2"),
    ]
    assert one(empty, "select count(*) from candidate")[0] == 4


def test_seats_and_mixed_up_numbers_may_be_swapped(empty: World) -> None:
    take_in(empty, [line(PEOPLE[0], place="1"), line(PEOPLE[1], place="2")])
    swapped = [
        line(replace(PEOPLE[0], id_number=PEOPLE[1].id_number), place="2"),
        line(replace(PEOPLE[1], id_number=PEOPLE[0].id_number), place="1"),
    ]
    assert counts(take_in(empty, swapped)) == (0, 2, 0, 0)
    assert [row[3] for row in stored(empty)] == ["2", "1"]
    found = one(
        empty,
        "select ticket_no from candidate where id_number_index = ?",
        empty.vault.index(PEOPLE[0].id_number),
    )
    assert found["ticket_no"] == PEOPLE[1].ticket_no


def test_a_corrected_ticket_number_keeps_the_person(empty: World) -> None:
    take_in(empty, [line(PEOPLE[0])])
    before = one(empty, "select id from candidate")["id"]
    assert counts(take_in(empty, [line(replace(PEOPLE[0], ticket_no="992600000777"))])) == (0, 1, 0, 0)
    after = one(empty, "select id, ticket_no from candidate")
    assert tuple(after) == (before, "992600000777")


def test_one_person_in_two_sessions_is_one_candidate_with_two_seats(empty: World) -> None:
    with empty.exam.write() as connection:
        connection.execute(
            "insert into session (id, batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us) values (90, ?, 'T2', 'theory', '理论知识', 'theory', ?, 60000000)",
            (empty.batch_id, CLOCK_US),
        )
        connection.execute("insert into session_room values (90, ?)", (empty.room_2,))
    take_in(empty, [line(PEOPLE[0]), line(PEOPLE[0], "R02", session="T2")])
    assert [row[2] for row in stored(empty)] == ["R01", "R02"]
    # A later file for one session leaves the other alone.
    assert counts(take_in(empty, [line(PEOPLE[1])])) == (1, 0, 1, 0)
    assert [(row[1], row[2]) for row in stored(empty)] == [
        (PEOPLE[0].ticket_no, "R02"),
        (PEOPLE[1].ticket_no, "R01"),
    ]
    # And a known person who joins a session gets a seat, not a second row.
    assert counts(take_in(empty, [line(PEOPLE[0]), line(PEOPLE[1])])) == (1, 0, 0, 1)
    assert one(empty, "select count(*) from candidate")[0] == 2


def test_the_form_of_the_ticket_numbers_is_learned(empty: World) -> None:
    take_in(empty, [line(person) for person in PEOPLE[:3]])
    assert one(empty, "select ticket_form from batch")["ticket_form"] == "992600[0-9]{6}"


def test_a_removed_candidate_whom_a_scan_named_stays_without_a_seat(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into checkin_attempt (kiosk_id, nonce, scanned_at_us, received_at_us, outcome, reasons,"
            " answer, ticket_candidate_id) values (?, 'nonce-0000000001', 1, 1, 'OK_LATE', '[]', '{}', ?)",
            (world.kiosk_id, world.late.id),
        )
    assert counts(take_in(world, [line(PEOPLE[0])])) == (1, 0, 4, 0)
    with world.exam.read() as connection:
        names = [row["name"] for row in connection.execute("select name from candidate order by id")]
    assert names == ["赵迟", PEOPLE[0].name]
    # Without a seat he is no news for the next import.
    assert counts(take_in(world, [line(PEOPLE[0])])) == (0, 0, 0, 1)


def test_an_unknown_batch_names_the_known_ones(world: World) -> None:
    report = take_in(world, [line(PEOPLE[0])], batch="B1999")
    assert report.is_refused
    assert "没有批次“B1999”；已有批次：B2026-1" in report.to_text()


def test_a_closed_batch_takes_nothing_in(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set closed_at_us = 1")
    assert "已归档" in take_in(world, [line(PEOPLE[0])]).to_text()


def test_an_unreadable_file_is_a_report_not_a_crash(world: World) -> None:
    request = RosterRequest(Path("absent.csv"), "B2026-1", COLUMNS)
    with world.exam.write() as connection:
        report = import_roster(connection, world.vault, request, CLOCK_US)
    assert report.is_refused
    assert "无法读取" in report.to_text()


def test_a_report_shows_no_document_number(world: World) -> None:
    changed = InventedPerson("陈一诺", invented_number(1), world.on_time.ticket_no, "某单位")
    text = take_in(world, [line(changed), line(PEOPLE[0])]).to_text()
    numbers = [invented_number(order) for order in range(1, 5)] + [PEOPLE[0].id_number]
    assert "陈*诺" in text
    assert not any(number in text for number in numbers)
