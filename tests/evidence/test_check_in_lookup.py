"""Finding a candidate by what staff can read, and the places that are free."""

import pytest

from evidence.check_in_lookup import FreePlace, find_candidates, free_places
from exam.day import RoomKind
from tests.evidence.check_ins import Desk
from tests.world import World


def found(world: World, words: str, *sessions: int) -> list[tuple[int, int]]:
    with world.exam.read() as connection:
        matches = find_candidates(connection, world.vault, sessions or (world.session_id,), words)
    return [(one.session_id, one.candidate_id) for one in matches]


@pytest.mark.parametrize("cut", [5, 12])
def test_a_ticket_is_found_by_its_end_or_as_a_whole(world: World, cut: int) -> None:
    assert found(world, world.late.ticket_no[-cut:]) == [(world.session_id, world.late.id)]


def test_fewer_than_five_of_a_ticket_are_a_seat_or_nothing(world: World) -> None:
    assert found(world, world.late.ticket_no[-4:]) == []
    assert found(world, "2") == [(world.session_id, world.late.id)]
    assert found(world, "1") == [
        (world.session_id, world.on_time.id),
        (world.session_id, world.other_room.id),
    ]


def test_a_document_is_found_by_its_last_six_in_any_writing(world: World) -> None:
    assert world.other_room.id_number.endswith("X")
    ended = world.other_room.id_number[-6:].lower()
    assert found(world, f" {ended[:3]} {ended[3:]}") == [(world.session_id, world.other_room.id)]
    assert found(world, ended[1:]) == []
    assert found(world, world.late.id_number) == [(world.session_id, world.late.id)]


def test_the_same_last_four_are_not_enough(world: World) -> None:
    wrong = "99" + world.late.id_number[-4:]
    assert found(world, wrong) == []


def test_only_the_sessions_asked_for_are_searched(world: World) -> None:
    assert found(world, "1", 999) == []


def test_a_match_shows_no_more_than_others_may_see(world: World, desk: Desk) -> None:
    del desk
    with world.exam.read() as connection:
        [match] = find_candidates(connection, world.vault, [world.session_id], world.late.ticket_no)
    assert (match.masked_name, match.id_tail, match.place_label, match.session_code) == (
        "赵*",
        "0023",
        "2",
        "T1",
    )


def test_free_places_are_those_of_the_session_and_of_emergency_rooms(world: World, desk: Desk) -> None:
    desk.set("insert into room (code, label, kind) values ('E01', '应急考场', 'contingency_hall')")
    desk.set(
        "insert into place (room_id, kind, label, grid_row, grid_col)"
        " select id, 'seat', '1', 1, 1 from room where code = 'E01'"
    )
    with world.exam.read() as connection:
        free = free_places(connection, world.session_id)
    assert len(free) == 24 - 4 + 1
    assert {one.room_label for one in free if one.is_in_session} == {"第1考场", "第2考场"}
    assert free[-1] == FreePlace(
        free[-1].id, "1", free[-1].room_id, "应急考场", RoomKind.CONTINGENCY_HALL, is_in_session=False
    )
