"""Clocks of the small world as its devices tell them: heartbeats, and a reference read by hand."""

from dataclasses import replace

from evidence.clock_checks import ReferenceReading, keep_reading
from evidence.kiosk_states import keep_report
from evidence.players import keep_heartbeats
from exam.players import PlayerKind
from tests.exam.test_kiosk_health import REPORT
from tests.exam.test_players import WELL
from tests.web.checked_cameras import check_cameras
from tests.world import CLOCK_US, World


def beat_of_kiosk(world: World, offset_us: int = 0) -> None:
    """The kiosk says how it is."""
    with world.exam.write() as connection:
        report = replace(REPORT, sent_at_us=CLOCK_US + offset_us)
        keep_report(connection, world.kiosk_id, report, None, CLOCK_US)


def beat_of_player(
    world: World,
    room_id: int,
    player: str,
    kind: PlayerKind = PlayerKind.PAGE,
    label: str = "平板",
    seen_at_us: int = CLOCK_US,
) -> None:
    """A player of the room says how it is."""
    state = replace(WELL, room_id=room_id, player=player, kind=kind, label=label, seen_at_us=seen_at_us)
    with world.exam.write() as connection:
        keep_heartbeats(connection, [state])


def all_right(world: World) -> None:
    """Every clock of the small world is right, and a person has read the reference."""
    beat_of_kiosk(world)
    beat_of_player(world, world.room_1, "page-0001-0001")
    beat_of_player(world, world.room_2, "page-0002-0002")
    check_cameras(world)
    reading = ReferenceReading("北斗授时钟", 200_000, world.site_lead_account_id, CLOCK_US)
    with world.exam.write() as connection:
        keep_reading(connection, reading)
