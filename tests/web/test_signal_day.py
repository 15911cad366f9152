"""Whole shortened days against the real ticker, rules and database, with everything that can go wrong.

Each day is made from its seed: the console crashes and comes back, freezes, its clock is set back
and forth; room players go by their own measure of the console's clock and ring alone when it is away.
"""

import random
from dataclasses import dataclass, field

import pytest

from config.procedures import load_procedures
from evidence.announcements import PlayedReport
from evidence.courses import load_course
from evidence.day import load_announced, load_rooms, load_sessions
from evidence.plan_changes import arm_session
from exam.clock import SECOND_US
from exam.cues import session_cues
from exam.procedure import Trigger
from tests.world import World
from web.services import Bus
from web.signal_emission import due_now, emit
from web.signal_reports import take_report
from web.signal_schedule import load_room_day, schedule
from web.signal_ticker import SignalTicker

DURATION_US = 60 * SECOND_US
PROCEDURES = load_procedures()


@dataclass
class RoomPlayer:
    """A room that keeps schedule and audio beforehand, as the room page does."""

    world: World
    room_id: int
    offset_us: int = 0
    cues: list[dict[str, object]] = field(default_factory=list)
    rang: dict[str, int] = field(default_factory=dict)
    unsent: list[PlayedReport] = field(default_factory=list)

    def refresh(self) -> None:
        now_us = self.world.clock.wall_us()
        self.offset_us = now_us - self.world.clock.monotonic_us()
        with self.world.exam.read() as connection:
            day = load_room_day(connection, load_rooms(connection)[self.room_id], PROCEDURES, now_us)
        self.cues = schedule(day, {}, now_us)["cues"]

    def ring(self) -> None:
        now_us = self.world.clock.monotonic_us() + self.offset_us
        for cue in self.cues:
            late_us = now_us - int(str(cue["sounds_at_us"]))
            may_sound = cue["may_sound"] and cue["after"] is None and cue["key"] not in self.rang
            if may_sound and 0 <= late_us <= int(str(cue["tolerance_us"])):
                self.rang[str(cue["key"])] = now_us
                self.unsent.append(self.report(cue, now_us))

    def report(self, cue: dict[str, object], now_us: int) -> PlayedReport:
        return PlayedReport(
            session_id=self.world.session_id,
            room_id=self.room_id,
            cue_code=str(cue["cue"]),
            occurrence=int(str(cue["occurrence"])),
            player=f"player-{self.room_id:04d}",
            started_at_us=now_us,
            ended_at_us=None,
            offset_us=0,
            uncertainty_us=500,
        )

    def send(self, *, twice: bool) -> None:
        with self.world.exam.write() as connection:
            now_us = self.world.clock.wall_us()
            emit(connection, due_now(connection, PROCEDURES, now_us), now_us)
            for report in self.unsent * (2 if twice else 1):
                assert take_report(connection, report, PROCEDURES, now_us)
        self.unsent.clear()


@dataclass
class Day:
    """One simulated day and its troubles."""

    world: World
    dice: random.Random
    away_until_us: int = 0
    troubles: int = 0

    def __post_init__(self) -> None:
        now_us = self.world.clock.wall_us()
        with self.world.exam.write() as connection:
            connection.execute(
                "update session set planned_start_us = ?, duration_us = ?, procedure_code = 'demo_theory'",
                (now_us + 75 * SECOND_US, DURATION_US),
            )
            arm_session(connection, self.world.session_id, self.world.site_lead_account_id, now_us)
        self.rooms = [RoomPlayer(self.world, room) for room in (self.world.room_1, self.world.room_2)]
        self.restart()

    def restart(self) -> None:
        self.ticker = SignalTicker(self.world.exam, self.world.clock, Bus(), PROCEDURES)

    def live(self) -> None:
        while self.world.clock.monotonic_us() < 230 * SECOND_US:
            self.world.clock.sleep_us(self.dice.randrange(50_000, 300_000))
            if self.dice.random() < 0.006:
                self.trouble()
            if self.world.clock.monotonic_us() >= self.away_until_us:
                self.serve()
            for room in self.rooms:
                room.ring()

    def serve(self) -> None:
        self.ticker.tick()
        for room in self.rooms:
            if self.dice.random() < 0.3:
                room.refresh()
            if room.unsent and self.dice.random() < 0.5:
                room.send(twice=self.dice.random() < 0.2)

    def trouble(self) -> None:
        self.troubles += 1
        match self.dice.choice(["crash", "freeze", "step"]):
            case "crash":
                self.away_until_us = self.world.clock.monotonic_us() + self.dice.randrange(10 * SECOND_US)
                self.restart()
            case "freeze":
                self.away_until_us = self.world.clock.monotonic_us() + self.dice.randrange(5 * SECOND_US)
            case _:
                self.world.clock.step_wall(self.dice.randrange(-8 * SECOND_US, 8 * SECOND_US))


@pytest.mark.parametrize("seed", range(12))
def test_a_day_full_of_trouble_has_no_signal_early_stale_twice_or_lost(world: World, seed: int) -> None:
    day = Day(world, random.Random(seed))
    day.live()
    with world.exam.read() as connection:
        announced = load_announced(connection, world.session_id)
        [session] = load_sessions(connection)
        course = load_course(connection, session, PROCEDURES)
        rows = connection.execute("select * from announcement").fetchall()
    procedure = PROCEDURES["demo_theory"]
    tolerance_us = {cue.code: cue.tolerance_us for cue in procedure.cues}
    for row in rows:
        if row["outcome"] == "missed":
            assert row["recorded_at_us"] > row["planned_at_us"] + tolerance_us[row["cue_code"]]
        else:
            late_us = row["emitted_at_us"] - row["planned_at_us"]
            assert 0 <= late_us <= tolerance_us[row["cue_code"]], dict(row)
    emitted = [(one.room_id, one.cue_code) for one in announced if not one.is_missed]
    assert len(emitted) == len(set(emitted))
    forgotten = [
        (one.room_id, one.cue.code)
        for one in session_cues(course)
        if one.cue.trigger is Trigger.AUTOMATIC
        and one.outcome is None
        and not (one.is_projected or one.is_void)
        and one.planned_at_us + one.cue.tolerance_us + 10 * SECOND_US < world.clock.wall_us()
    ]
    assert forgotten == []
    for room in day.rooms:
        rung = [key for key in room.rang if key.split(":")[1] in {"C5", "C8"}]
        assert len(rung) == len({key.split(":")[1] for key in rung})


def test_a_day_without_trouble_gives_every_signal_in_both_rooms(world: World) -> None:
    day = Day(world, random.Random(1))
    day.trouble = lambda: None  # type: ignore[method-assign]
    day.live()
    with world.exam.read() as connection:
        announced = load_announced(connection, world.session_id)
    automatic = {cue.code for cue in PROCEDURES["demo_theory"].cues if cue.is_scheduled}
    for room_id in (world.room_1, world.room_2):
        assert {one.cue_code for one in announced if one.room_id == room_id} == automatic
    assert not any(one.is_missed for one in announced)


def test_a_console_that_dies_before_the_start_learns_it_from_the_rooms(world: World) -> None:
    day = Day(world, random.Random(3))
    day.trouble = lambda: None  # type: ignore[method-assign]
    start_us = world.clock.wall_us() + 75 * SECOND_US
    day.rooms[0].refresh()
    world.clock.sleep_us(74 * SECOND_US)  # the console is away from here on
    world.clock.sleep_us(SECOND_US)
    day.rooms[0].ring()
    world.clock.sleep_us(20 * SECOND_US)
    day.restart()
    day.ticker.tick()
    day.rooms[0].send(twice=True)
    world.clock.sleep_us(7 * SECOND_US)
    day.ticker.tick()
    with world.exam.read() as connection:
        rows = {
            row["room_id"]: (row["outcome"], row["source"], row["emitted_at_us"])
            for row in connection.execute("select * from announcement where cue_code = 'C5'")
        }
    assert rows[world.room_1] == ("emitted", "room_report", start_us)
    assert rows[world.room_2] == ("missed", "schedule", None)
