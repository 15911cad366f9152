"""The small world is what its docstring says."""

from exam.identity import DocumentType, number_fault
from tests.world import World, announce


def test_the_world_has_two_rooms_three_cameras_and_four_seated_candidates(world: World) -> None:
    announce(world, "C5", world.clock.wall_us())
    with world.exam.read() as connection:
        counts = {
            table: connection.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("room", "camera", "candidate", "seating", "announcement")
        }
    assert counts == {"room": 2, "camera": 3, "candidate": 4, "seating": 4, "announcement": 2}


def test_everybody_in_the_world_has_a_number_that_could_exist(world: World) -> None:
    people = [world.on_time, world.late, world.wrong_ticket, world.other_room]
    assert {number_fault(DocumentType.ID_CARD, person.id_number) for person in people} == {None}
    assert len({person.id_number for person in people}) == 4
