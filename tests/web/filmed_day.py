"""A theory session of the small world that is over, with footage laid to be certified."""

from evidence.footage import Cause
from evidence.footage_rows import note_absence
from exam.clock import MINUTE_US, SECOND_US
from tests.recordings import FRAGMENT_US, Reel
from tests.world import CLOCK_US, START_US, World, announce

OPENS_US = START_US - 60 * MINUTE_US
STOP_US = START_US + 60 * MINUTE_US
UNTIL_US = STOP_US + 15 * MINUTE_US
GAP_US = START_US + 20 * MINUTE_US
LONG_GAP_US = START_US + 30 * MINUTE_US
# How late the camera came back.
AWAY_US = 12_345_678
LONG_AWAY_US = 9 * MINUTE_US


def film(reel: Reel, from_us: int, until_us: int) -> None:
    """Files of half an hour or less until the moment; whole fragments."""
    while until_us - from_us >= FRAGMENT_US:
        fragments = min(until_us - from_us, 30 * MINUTE_US) // FRAGMENT_US
        reel.invent(from_us, fragments=fragments)
        from_us += fragments * FRAGMENT_US


def film_everything(world: World) -> None:
    """Every camera, a little longer than it must be."""
    for camera in (*world.cameras_1, world.camera_2):
        film(Reel(world, camera), OPENS_US - MINUTE_US, UNTIL_US + MINUTE_US)


def film_with_troubles(world: World) -> None:
    """前方 has two gaps with causes, 后方 nothing before the start, the other room is complete."""
    front, back = world.cameras_1
    film(Reel(world, front), OPENS_US - MINUTE_US, GAP_US)
    _return_after(world, front, GAP_US, AWAY_US, Cause.STALLED)
    film(Reel(world, front), GAP_US + AWAY_US, LONG_GAP_US)
    last_us = GAP_US + AWAY_US + (LONG_GAP_US - GAP_US - AWAY_US) // FRAGMENT_US * FRAGMENT_US
    _return_after(world, front, last_us, LONG_AWAY_US, Cause.UNREACHABLE)
    film(Reel(world, front), last_us + LONG_AWAY_US, UNTIL_US + MINUTE_US)
    film(Reel(world, back), START_US, UNTIL_US + MINUTE_US)
    film(Reel(world, world.camera_2), OPENS_US - MINUTE_US, UNTIL_US + MINUTE_US)


def end_the_day(world: World) -> None:
    """Both rooms started and stopped on time, and everything has been handed over."""
    announce(world, "C5", START_US)
    announce(world, "C8", STOP_US)
    world.clock.sleep_us(UNTIL_US + 10 * SECOND_US - CLOCK_US)


def _return_after(world: World, camera: str, from_us: int, away_us: int, cause: Cause) -> None:
    with world.footage.write() as connection:
        note_absence(connection, camera, from_us, cause, from_us)
    assert away_us > 0, "the gap ends with the footage that follows"
