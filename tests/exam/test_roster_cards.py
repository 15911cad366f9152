"""What a kiosk may know of a candidate, written down and read back, and how staff find somebody."""

import json

import pytest

from exam.day import PlaceKind
from exam.identity import DocumentType
from exam.roster_cards import Card, CardSeat, SheetEntry, read_card, read_entry

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
    assert set(CARD.to_dict()) == {"candidate", "document", "blocked", "ticket_revision", "seats"}


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
