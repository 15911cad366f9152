"""Seats for candidates: the roster's own, else the one they had, else the next by ticket number."""

from hypothesis import given
from hypothesis import strategies as st

from exam.roster import Field
from exam.seating import assign_places
from tests.exam.rosters import ARRANGEMENT, ROOM_1, ROOM_2, T1, checked

PLACES_1 = ARRANGEMENT.places[1]


def seats(*rows: object, held: dict[tuple[int, str], int] | None = None) -> dict[int, str]:
    entries, _ = assign_places(rows, ARRANGEMENT, held or {})  # type: ignore[arg-type]
    return {entry.row.row_no: entry.place.label for entry in entries}


def test_candidates_without_a_place_sit_in_the_order_of_their_tickets() -> None:
    given_seats = seats(checked(9), checked(2), checked(10))
    assert given_seats == {2: "1", 9: "2", 10: "3"}


def test_a_place_that_the_roster_names_is_kept_free_for_its_candidate() -> None:
    assert seats(checked(1), checked(2, place=PLACES_1[0]), checked(3)) == {1: "2", 2: "1", 3: "3"}


def test_a_candidate_keeps_the_place_printed_on_his_ticket() -> None:
    held = {(T1.id, "992600000002"): PLACES_1[6].id}
    assert seats(checked(1), checked(2), checked(3), held=held) == {1: "1", 2: "7", 3: "2"}


def test_a_held_place_is_given_up_when_the_roster_moves_its_candidate() -> None:
    held = {(T1.id, "992600000001"): PLACES_1[0].id}
    assert seats(checked(1, room=ROOM_2), checked(2), held=held) == {1: "1", 2: "1"}


def test_a_full_room_is_a_fault_for_everybody_who_finds_no_place() -> None:
    rows = [checked(number, room=ROOM_2) for number in (3, 4, 1, 2)]
    entries, faults = assign_places(rows, ARRANGEMENT, {})
    assert [entry.row.row_no for entry in entries] == [1, 2]
    assert [(fault.row_no, fault.field) for fault in faults] == [(3, Field.ROOM), (4, Field.ROOM)]
    assert "第2考场共2个座位（工位），场次“T1”已排满" in faults[0].reason


def test_a_room_without_places_is_full_for_everybody() -> None:
    entries, faults = assign_places([checked(1)], type(ARRANGEMENT)((T1,), {1: ROOM_1}, {}), {})
    assert (entries, len(faults)) == ([], 1)


@given(st.permutations(range(1, 13)), st.sets(st.integers(1, 12), max_size=6))
def test_the_order_of_the_file_does_not_matter_and_no_place_is_given_twice(
    order: list[int], named: set[int]
) -> None:
    rows = [checked(number, place=PLACES_1[number - 1] if number in named else None) for number in order]
    given_seats = seats(*rows)
    assert given_seats == seats(*sorted(rows, key=lambda row: row.row_no))
    assert len(set(given_seats.values())) == 12
    assert all(given_seats[number] == str(number) for number in named)
