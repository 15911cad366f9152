from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any

import pytest

from config.procedures import load_procedures
from evidence.day import clock_epoch
from evidence.ledger import LeafKind, read_leaves
from evidence.plan_changes import arm_session
from evidence.site_clock import load_clock, load_last_step
from exam.clock import MINUTE_US, SECOND_US
from exam.clock_step import ASKED_US, FOLLOWED_PART, NOTED_US, LastStep, StepChoice
from exam.cues import SAME_PLAN_US
from tests.world import CLOCK_US, START_US, World
from web.console_clock import (
    KEPT_EVERY_US,
    LIVE_LASTS_US,
    ClockKeeper,
    DecidedOtherwiseError,
    TooFarBackError,
    TooNearError,
    clock_keeper,
    start_clock,
)
from web.services import ANY_TOPIC, Bus, Services
from web.signal_ticker import SignalTicker

HOUR_US = 60 * MINUTE_US


@dataclass
class Console:
    """The small world's console with a clock of its own over the machine's."""

    world: World
    keeper: ClockKeeper

    @property
    def apart_us(self) -> int:
        """How far the console's time is from where it would be had nobody touched anything."""
        return self.keeper.clock.wall_us() - CLOCK_US - self.world.clock.uptime_us

    def last(self) -> LastStep | None:
        with self.world.exam.read() as connection:
            return load_last_step(connection)

    def set_machine(self, by_us: int) -> None:
        self.world.clock.step_wall(by_us)
        self.keeper.look()


@pytest.fixture
def console(world: World) -> Console:
    return opened(world)


def opened(world: World, boot: str = "boot-0") -> Console:
    clock = start_clock(world.exam, world.clock, load_procedures(), boot)
    console = Console(world, ClockKeeper(world.exam, clock, Bus(), load_procedures(), boot))
    console.keeper.look()
    return console


def before_everything(world: World) -> None:
    """Long before the session opens: nobody is examined."""
    world.clock.step_wall(-10 * HOUR_US)


def test_during_a_session_a_set_clock_changes_nothing_until_the_lead_has_said(console: Console) -> None:
    console.set_machine(HOUR_US)
    step = console.keeper.open_step()
    assert step is not None
    assert (step.apart_us, console.apart_us) == (HOUR_US, 0)
    assert console.keeper.bus.current(ANY_TOPIC) > 0
    console.keeper.look()
    assert console.last() == step


def test_the_lead_keeps_the_console_s_time_and_is_not_asked_again(console: Console) -> None:
    console.set_machine(HOUR_US)
    step = console.keeper.open_step()
    assert step is not None
    console.keeper.decide(step.id, StepChoice.KEPT, console.world.site_lead_account_id)
    console.keeper.look()
    assert (console.keeper.open_step(), console.apart_us) == (None, 0)
    console.set_machine(-HOUR_US)
    last = console.last()
    assert last is not None
    assert last.choice is StepChoice.AGREES_AGAIN


def test_the_lead_takes_the_machine_s_time_over_and_what_was_recorded_moves_along(console: Console) -> None:
    console.set_machine(HOUR_US)
    step = console.keeper.open_step()
    assert step is not None
    console.keeper.decide(step.id, StepChoice.ADOPTED, console.world.site_lead_account_id)
    assert console.apart_us == HOUR_US
    with console.world.exam.read() as connection:
        assert clock_epoch(connection) == 1
        kept = load_clock(connection)
    assert kept is not None
    assert kept.offset_us == console.keeper.clock.offset_us
    with pytest.raises(DecidedOtherwiseError):
        console.keeper.decide(step.id, StepChoice.KEPT, console.world.site_lead_account_id)


def test_a_question_that_was_answered_meanwhile_is_not_answered_twice(console: Console) -> None:
    with pytest.raises(DecidedOtherwiseError):
        console.keeper.decide(1, StepChoice.KEPT, console.world.site_lead_account_id)


def test_no_clock_is_taken_over_while_a_signal_is_about_to_sound(console: Console) -> None:
    world = console.world
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, world.clock.wall_us())
    world.clock.sleep_us(START_US - CLOCK_US - 10 * SECOND_US)
    console.set_machine(HOUR_US)
    step = console.keeper.open_step()
    assert step is not None
    with pytest.raises(TooNearError):
        console.keeper.decide(step.id, StepChoice.ADOPTED, world.site_lead_account_id)
    world.clock.sleep_us(MINUTE_US)
    with pytest.raises(TooNearError):  # rooms may have rung, and not told yet
        console.keeper.decide(step.id, StepChoice.ADOPTED, world.site_lead_account_id)
    console.keeper.decide(step.id, StepChoice.KEPT, world.site_lead_account_id)


def test_while_nobody_is_examined_the_machine_is_believed_unless_it_went_far_back(world: World) -> None:
    before_everything(world)
    console = opened(world)
    console.set_machine(-HOUR_US)
    last = console.last()
    assert last is not None
    assert (last.choice, console.apart_us) == (StepChoice.ADOPTED, -11 * HOUR_US)
    console.set_machine(-25 * HOUR_US)
    assert console.keeper.open_step() is not None


def test_a_small_step_ahead_waits_until_nobody_is_examined(console: Console) -> None:
    console.set_machine(ASKED_US)
    console.world.clock.sleep_us(SECOND_US)
    console.keeper.look()
    assert (console.last(), console.apart_us) == (None, 0)
    with console.world.exam.write() as connection:
        connection.execute("update session set planned_start_us = ?", (START_US + 24 * HOUR_US,))
    console.world.clock.sleep_us(LIVE_LASTS_US)
    console.keeper.look()
    last = console.last()
    assert last is not None
    assert last.choice is StepChoice.FOLLOWED
    assert console.apart_us > 0


def test_a_dead_batterys_time_is_never_taken_over(console: Console) -> None:
    console.set_machine(-25 * HOUR_US)
    step = console.keeper.open_step()
    assert step is not None
    with pytest.raises(TooFarBackError):
        console.keeper.decide(step.id, StepChoice.ADOPTED, console.world.site_lead_account_id)
    assert console.apart_us == 0


def test_a_small_step_is_followed_slowly_and_noted_once(console: Console) -> None:
    console.set_machine(-ASKED_US)
    for _ in range(3):
        console.world.clock.sleep_us(SECOND_US)
        console.keeper.look()
    last = console.last()
    assert last is not None
    assert (last.apart_us, last.choice) == (-ASKED_US, StepChoice.FOLLOWED)
    assert console.apart_us == -3 * SECOND_US // FOLLOWED_PART
    with console.world.exam.read() as connection:
        kinds = [leaf.kind for leaf, _ in read_leaves(connection)]
    assert kinds == [LeafKind.CONSOLE_CLOCK_STEP, LeafKind.CONSOLE_CLOCK_DECISION]


def test_noise_is_followed_without_a_word(console: Console) -> None:
    console.set_machine(-NOTED_US)
    console.world.clock.sleep_us(SECOND_US)
    console.keeper.look()
    assert console.last() is None
    assert console.apart_us == -SECOND_US // FOLLOWED_PART


def test_the_present_is_kept_so_that_a_restart_goes_on_from_it(console: Console) -> None:
    world = console.world
    world.clock.sleep_us(KEPT_EVERY_US)
    console.keeper.look()
    with world.exam.read() as connection:
        kept = load_clock(connection)
    assert kept is not None
    assert kept.kept_at_us == CLOCK_US + KEPT_EVERY_US
    world.clock.step_wall(-HOUR_US)
    again = opened(world)
    assert again.apart_us == 0
    assert again.keeper.open_step() is not None


def test_a_machine_whose_battery_died_does_not_go_back_behind_what_was_seen(console: Console) -> None:
    world = console.world
    world.clock.step_wall(-20 * 365 * 24 * HOUR_US)
    world.clock.uptime_us = 0
    assert opened(world, boot="boot-1").keeper.clock.wall_us() == CLOCK_US


def test_what_was_decided_for_a_day_that_is_over_is_asked_again(world: World) -> None:
    before_everything(world)
    console = opened(world)
    console.set_machine(-25 * HOUR_US)
    step = console.keeper.open_step()
    assert step is not None
    console.keeper.decide(step.id, StepChoice.KEPT, world.site_lead_account_id)
    again = opened(world, boot="boot-1")
    assert again.keeper.open_step() == replace(step, id=step.id + 1)
    assert again.keeper.clock.wall_us() == console.keeper.clock.wall_us()


@pytest.mark.parametrize("choice", [StepChoice.ADOPTED, StepChoice.AGREES_AGAIN])
def test_what_became_of_a_step_is_kept_at_once(console: Console, choice: StepChoice) -> None:
    console.set_machine(HOUR_US)
    step = console.keeper.open_step()
    assert step is not None
    if choice is StepChoice.ADOPTED:
        console.keeper.decide(step.id, choice, console.world.site_lead_account_id)
    else:
        console.set_machine(-HOUR_US)
    with console.world.exam.read() as connection:
        kept = load_clock(connection)
    assert kept is not None
    assert kept.apart_us == 0


class Torn:
    """A database whose transactions fail at their end, as on a full disk."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self) -> Any:
        return self._world.exam.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._world.exam.write() as connection:
            connection.execute(
                "create temp trigger full before update on console_clock"
                " begin select raise(rollback, 'full'); end"
            )
            yield connection


def test_a_decision_that_could_not_be_written_moves_no_clock(console: Console) -> None:
    console.set_machine(HOUR_US)
    step = console.keeper.open_step()
    assert step is not None
    torn = replace(console.keeper, exam=Torn(console.world))
    with pytest.raises(Exception, match="full"):
        torn.decide(step.id, StepChoice.ADOPTED, console.world.site_lead_account_id)
    assert console.apart_us == 0
    assert console.keeper.open_step() == step


def test_only_a_console_with_a_clock_of_its_own_has_a_keeper(console: Console, services: Services) -> None:
    assert clock_keeper(services) is None
    keeper = clock_keeper(replace(services, clock=console.keeper.clock))
    assert keeper is not None
    assert keeper.clock is console.keeper.clock


def test_the_ticker_asks_the_keeper_and_a_signal_stays_on_elapsed_time(console: Console) -> None:
    world = console.world
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US)
    ticker = SignalTicker(world.exam, console.keeper.clock, Bus(), load_procedures(), console.keeper)
    world.clock.step_wall(HOUR_US)
    ticker.tick()
    assert console.keeper.open_step() is not None
    world.clock.sleep_us(START_US - CLOCK_US)
    ticker.tick()
    with world.exam.read() as connection:
        (row, _) = connection.execute("select * from announcement where cue_code = 'C5'").fetchall()
    assert (row["outcome"], abs(row["emitted_at_us"] - START_US) < SAME_PLAN_US) == ("emitted", True)
