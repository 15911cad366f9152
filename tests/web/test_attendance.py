"""Check-in progress as a picture: what every seat counts as, and what the picture says in words."""

from dataclasses import replace

import pytest

from evidence.overview import Attendance
from tests.web.doubted import lay_doubts
from tests.world import CLOCK_US, World
from web.attendance import RoomAttendance, SeatState, SeatView, attendance_of, seat_state

SEAT = Attendance(
    1,
    1,
    "1",
    1,
    1,
    1,
    "陈一诺",
    None,
    is_absent=False,
    is_referred=False,
    is_in_doubt=False,
    is_checked=False,
)


@pytest.mark.parametrize(
    ("seat", "started_at_us", "state"),
    [
        (SEAT, None, SeatState.EXPECTED),
        (replace(SEAT, is_absent=True), None, SeatState.ABSENT),
        (replace(SEAT, is_referred=True), None, SeatState.WINDOW),
        (replace(SEAT, admitted_at_us=5), None, SeatState.IN),
        (replace(SEAT, admitted_at_us=5), 6, SeatState.IN),
        (replace(SEAT, admitted_at_us=6), 6, SeatState.LATE),
        (replace(SEAT, admitted_at_us=6, is_in_doubt=True), 6, SeatState.DOUBT),
    ],
)
def test_every_seat_counts_once(seat: Attendance, started_at_us: int | None, state: SeatState) -> None:
    assert seat_state(seat, started_at_us) is state


def test_the_picture_says_the_same_in_words() -> None:
    seats = [
        SeatView(replace(SEAT, grid_col=1, admitted_at_us=5), SeatState.LATE),
        SeatView(replace(SEAT, grid_row=3, grid_col=3), SeatState.EXPECTED),
        SeatView(replace(SEAT, grid_row=3, grid_col=1), SeatState.EXPECTED),
    ]
    room = RoomAttendance(seats)
    assert room.words == "应到3人，入场1人：迟到1人，未到2人"
    assert [(one.state, one.start, one.length) for one in room.segments] == [
        (SeatState.LATE, 0, 1),
        (SeatState.EXPECTED, 1, 2),
    ]
    assert room.unusual == [(SeatState.LATE, "迟到 1")]
    assert room.grid == [[seats[0], None, None], [seats[2], None, seats[1]]]
    assert (seats[0].word, seats[0].masked_name) == ("迟到", "陈*诺")


def test_a_room_without_people_is_drawn_too() -> None:
    room = RoomAttendance()
    assert (room.words, room.rows, room.columns, room.grid) == ("应到0人，入场0人", 0, 0, [])


def test_people_in_an_emergency_room_outside_the_plan_are_not_lost(world: World) -> None:
    lay_doubts(world)
    with world.exam.read() as connection:
        found = attendance_of(connection, world.session_id, {world.room_1: CLOCK_US})
    assert list(found) == [world.room_1, world.room_2]
    assert found[world.room_1].counts == {SeatState.DOUBT: 2, SeatState.EXPECTED: 1}
    assert found[world.room_1].arrived == 1
