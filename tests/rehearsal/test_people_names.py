"""Invented candidates: possible numbers that nobody can have, the same for the same seed."""

from datetime import date
from pathlib import Path

import openpyxl

from exam.identity import DocumentType, has_doubtful_birth_date, number_fault
from rehearsal.people_names import HEADINGS, INVENTED_AREA, RosterBlock, invent_people, write_roster


def test_every_invented_number_could_exist_but_for_its_area() -> None:
    people = invent_people(500, seed=7)
    assert {number_fault(DocumentType.ID_CARD, person.id_number) for person in people} == {None}
    assert {person.id_number[:6] for person in people} == {INVENTED_AREA}
    assert not any(has_doubtful_birth_date(person.id_number, date(2026, 1, 1)) for person in people)


def test_no_two_people_share_a_number_or_a_ticket() -> None:
    people = invent_people(3000, seed=1)
    assert len({person.id_number for person in people}) == 3000
    assert len({person.ticket_no for person in people}) == 3000


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert invent_people(20, seed=3) == invent_people(20, seed=3)
    assert invent_people(20, seed=3) != invent_people(20, seed=4)


def test_the_written_roster_holds_text_cells_in_the_order_of_its_blocks(tmp_path: Path) -> None:
    path = tmp_path / "roster.xlsx"
    lines = write_roster(path, [RosterBlock("T1", "第1考场", 2), RosterBlock("P1", "P01", 1)], seed=5)
    rows = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    assert rows[1] == HEADINGS
    assert [row[3] for row in rows[2:]] == [line.person.id_number for line in lines]
    assert [(row[5], row[6]) for row in rows[2:]] == [("T1", "第1考场"), ("T1", "第1考场"), ("P1", "P01")]
