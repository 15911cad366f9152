"""Documents looked at again at the seat: the last touch counts, and each is on record."""

from evidence import overview
from evidence.seat_checks import SeatCheck, note_check
from tests.evidence.check_ins import Desk
from tests.world import CLOCK_US, World


def is_checked(world: World) -> list[bool]:
    with world.exam.read() as connection:
        found = overview.attendance(connection, world.session_id)
    return [one.is_checked for one in found[world.room_1]]


def test_a_touch_stands_until_it_is_taken_back(world: World, desk: Desk) -> None:
    seen = SeatCheck(world.session_id, world.late.id, world.proctor_account_id)
    slip = SeatCheck(world.session_id, world.late.id, world.proctor_account_id, is_taken_back=True)
    with world.exam.write() as connection:
        assert not note_check(connection, slip, CLOCK_US)
        assert note_check(connection, seen, CLOCK_US)
        assert not note_check(connection, seen, CLOCK_US)
    assert is_checked(world) == [False, True, False]
    with world.exam.write() as connection:
        assert note_check(connection, slip, CLOCK_US)
    assert is_checked(world) == [False, False, False]
    assert len(desk.rows("select 1 from seat_check")) == 2
    assert desk.findings() == []
