"""The small world's console after a restart of its machine in the middle of T1, with its clock set ahead."""

from sqlite3 import Row

from config.procedures import load_procedures
from evidence.plan_changes import arm_session
from evidence.site_clock import load_clock
from exam.clock import MINUTE_US, SECOND_US
from exam.clock_restart import GATHER_US
from exam.server_time import KnownTime
from tests.world import CLOCK_US, World
from web.console_clock import ClockKeeper, start_clock
from web.restart_doubt import RestartDoubt, find_doubt
from web.services import Bus

PROCEDURES = load_procedures()
AHEAD_US = 30 * MINUTE_US
UP_US = 15 * SECOND_US
AWAY_US = 40 * SECOND_US
# What the console's time would be had nothing happened.
NOW_US = CLOCK_US + AWAY_US


class Restarted:
    """The console after the restart: its keeper, and the doubt it is in."""

    def __init__(self, world: World, boot: str = "boot-1") -> None:
        self.world, self.kept_us = world, _kept_at_us(world)
        clock = start_clock(world.exam, world.clock, PROCEDURES, boot)
        doubt = find_doubt(world.exam, clock, boot)
        self.keeper = ClockKeeper(world.exam, clock, Bus(), PROCEDURES, boot, doubt)

    @property
    def doubt(self) -> RestartDoubt:
        assert self.keeper.doubt is not None
        return self.keeper.doubt

    @property
    def now_us(self) -> int:
        return self.keeper.clock.wall_us()

    def word(self, by_us: int = 0, error_us: int = 3_000) -> KnownTime:
        """What a room holds the time to be, by the clock of before."""
        passed_us = self.world.clock.uptime_us - UP_US
        return KnownTime(self.doubt.kept.name, self.kept_us + AWAY_US + passed_us + by_us, error_us)

    def hear(self, by_us: int = 0, player: str = "a tablet") -> None:
        """A player tells what it holds the time to be."""
        self.doubt.hear(player, self.word(by_us))

    def gather(self) -> None:
        self.world.clock.sleep_us(GATHER_US)
        self.keeper.look()

    def restarts(self) -> list[Row]:
        with self.world.exam.read() as connection:
            return connection.execute("select * from console_clock_restart").fetchall()


def _kept_at_us(world: World) -> int:
    with world.exam.read() as connection:
        kept = load_clock(connection)
    assert kept is not None
    return kept.kept_at_us


def restarted_console(world: World, comes_back_at_us: int = NOW_US + AHEAD_US) -> Restarted:
    """Seen last now with T1 armed; the machine was away, and its clock is half an hour ahead."""
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, 1)
    clock = start_clock(world.exam, world.clock, PROCEDURES, "boot-0")
    ClockKeeper(world.exam, clock, Bus(), PROCEDURES, "boot-0").look()
    world.clock.now_us = comes_back_at_us
    world.clock.uptime_us = UP_US
    return Restarted(world)
