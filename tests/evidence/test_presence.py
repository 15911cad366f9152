import pytest

from evidence.footage import Cause
from evidence.presence import (
    Presence,
    begin_presence,
    end_presence,
    keep_presence,
    load_presences,
    nobody_there,
)
from evidence.timeline import Interval
from tests.world import World

DAY = Interval(100, 1000)


def test_the_recorder_tells_when_it_was_there(world: World) -> None:
    with world.footage.write() as connection:
        first = begin_presence(connection, "boot", 10)
        keep_presence(connection, first, 20)
        second = begin_presence(connection, "boot", 30)
        end_presence(connection, second, 40)
        assert load_presences(connection) == [Presence("boot", 10, 20, None), Presence("boot", 30, 40, 40)]


@pytest.mark.parametrize(
    ("presences", "away"),
    [
        ([], []),
        ([Presence("a", 400, 900, None)], [(Interval(100, 400), Cause.RECORDER_OFF)]),
        ([Presence("a", 50, 900, None)], []),
        (
            [Presence("a", 50, 200, 200), Presence("b", 300, 900, None)],
            [(Interval(200, 300), Cause.RECORDER_OFF)],
        ),
        (
            [Presence("a", 50, 200, None), Presence("a", 300, 900, None)],
            [(Interval(200, 300), Cause.RECORDER_CRASH)],
        ),
        (
            [Presence("a", 50, 200, None), Presence("b", 300, 900, None)],
            [(Interval(200, 300), Cause.POWER_LOSS)],
        ),
    ],
)
def test_outside_its_presences_nobody_could_record(
    presences: list[Presence], away: list[tuple[Interval, Cause]]
) -> None:
    assert list(nobody_there(presences, DAY)) == away
