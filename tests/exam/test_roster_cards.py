"""What a kiosk may know of a candidate, written down and read back, and how staff find somebody."""

import json
from dataclasses import replace

import pytest

from exam.admission_facts import Admitted, Known, Seat, Sitting
from exam.day import PlaceKind
from exam.identity import DocumentType
from exam.outcomes import Outcome
from exam.roster_cards import (
    Card,
    CardSeat,
    SeatState,
    SheetEntry,
    as_shown,
    read_card,
    read_entry,
    record_of,
)

CARD = Card(
    candidate_id=7,
    document_type=DocumentType.ID_CARD,
    is_blocked=False,
    ticket_revision=2,
    seats=(CardSeat(1, 2, 33, "12a", PlaceKind.SEAT), CardSeat(4, 5, 66, "3", PlaceKind.STATION)),
)
ENTRY = SheetEntry(CARD, "陈一诺", "20001", "07001X")


def test_a_card_and_a_line_are_read_back_as_they_were_written() -> None:
    assert read_card(json.loads(json.dumps(CARD.to_dict()))) == CARD
    assert read_entry(json.loads(json.dumps(ENTRY.to_dict()))) == ENTRY


def test_a_card_holds_no_name_and_no_number_of_a_document() -> None:
    assert set(CARD.to_dict()) == {"candidate", "document", "blocked", "ticket_revision", "void", "seats"}


@pytest.mark.parametrize(
    ("words", "room_id", "is_meant"),
    [
        ("20001", 2, True),
        (" 07001x ", 2, True),
        ("12A", 2, True),
        ("12a", 5, False),
        ("3", 5, True),
        ("0001", 2, False),
        ("", 2, False),
    ],
)
def test_staff_find_people_by_the_tail_of_a_number_or_by_the_seat(
    words: str, room_id: int, *, is_meant: bool
) -> None:
    assert ENTRY.is_meant(words, room_id) is is_meant


SITTING = Sitting(1, 2, 900, 60, 15, 30)
OTHER = SeatState(8, 1, 33, Admitted(1, 5))


def test_card_and_day_together_are_what_the_rule_takes() -> None:
    record = record_of(CARD, "陈一诺", [SITTING], [])
    assert record.known == Known(7, DocumentType.ID_CARD, is_blocked=False, name="陈一诺")
    assert record.seats == (Seat(7, 33, SITTING),)
    assert not record.is_void_ticket


def test_what_is_on_record_about_him_stands_on_his_seat() -> None:
    own = SeatState(
        7, 1, 33, Admitted(2, 6), 9, Outcome.FACE_DOUBT, frozenset({Outcome.NO_ID}), is_withdrawn=True
    )
    (seat,) = record_of(CARD, "", [SITTING], [own]).seats
    assert seat == Seat(
        7,
        33,
        SITTING,
        Admitted(2, 6),
        left_at_us=9,
        held_for=Outcome.FACE_DOUBT,
        settled=frozenset({Outcome.NO_ID}),
        is_withdrawn=True,
    )


@pytest.mark.parametrize(
    ("state", "is_taken"),
    [
        (OTHER, True),
        (replace(OTHER, session_id=4), False),
        (replace(OTHER, place_id=34), False),
        (replace(OTHER, admission=None), False),
    ],
)
def test_a_place_is_taken_by_somebody_who_was_let_in_to_it(state: SeatState, *, is_taken: bool) -> None:
    (seat,) = record_of(CARD, "", [SITTING], [state]).seats
    assert seat.is_taken is is_taken


def test_whoever_was_moved_outside_the_plan_keeps_his_own_sitting() -> None:
    elsewhere = replace(SITTING, room_id=9)
    state = SeatState(7, 1, 33, moved_to=elsewhere)
    assert [seat.sitting for seat in record_of(CARD, "", [], [state]).seats] == [elsewhere]


def test_a_card_opened_by_a_void_number_makes_a_void_record() -> None:
    assert record_of(replace(CARD, is_void=True), "", [], []).is_void_ticket


@pytest.mark.parametrize(("revision", "is_void"), [(None, False), (1, True), (2, False), (3, False)])
def test_a_ticket_older_than_the_one_in_force_is_void(revision: int | None, *, is_void: bool) -> None:
    assert as_shown(CARD, revision).is_void is is_void
