"""After a restart of the machine in the middle of T1: by whose word the console goes on to tell the time."""

import pytest

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.site_clock import load_clock, load_last_step
from exam.clock import MINUTE_US, SECOND_US
from exam.clock_restart import GATHER_US
from exam.clock_step import StepChoice
from exam.server_time import KnownTime
from tests.web.restarted import AHEAD_US, NOW_US, PROCEDURES, Restarted, restarted_console
from tests.world import CLOCK_US, START_US, World
from web.console_clock import ClockKeeper, start_clock
from web.restart_doubt import MOST_WORDS, find_doubt, is_doubted
from web.services import Bus
from web.signal_ticker import SignalTicker


@pytest.fixture
def restarted_early(world: World) -> Restarted:
    """The same 80 minutes before the start: the room is not open yet."""
    world.clock.step_wall(-70 * MINUTE_US)
    return restarted_console(world, NOW_US - 70 * MINUTE_US + AHEAD_US)


def test_the_rooms_tell_the_time_and_the_lead_is_asked_about_the_machines_clock(restarted: Restarted) -> None:
    assert restarted.keeper.is_in_doubt
    restarted.hear()
    restarted.keeper.look()
    assert restarted.keeper.is_in_doubt
    restarted.gather()
    assert not restarted.keeper.is_in_doubt
    assert restarted.now_us == NOW_US + GATHER_US - 3_000
    [row] = restarted.restarts()
    assert (row["source"], row["words"], row["account_id"], row["apart_us"]) == (
        "rooms",
        1,
        None,
        AHEAD_US + 3_000,
    )
    restarted.keeper.look()
    step = restarted.keeper.open_step()
    assert step is not None
    assert step.apart_us == AHEAD_US + 3_000
    restarted.keeper.decide(step.id, StepChoice.KEPT, restarted.world.site_lead_account_id)
    with restarted.world.exam.read() as connection:
        assert list(check_facts(connection, EXAM_FACTS)) == []


def test_nothing_is_given_while_the_time_is_in_doubt(restarted: Restarted) -> None:
    restarted.world.clock.sleep_us(START_US - restarted.now_us)
    ticker = SignalTicker(restarted.world.exam, restarted.keeper.clock, Bus(), PROCEDURES, restarted.keeper)
    ticker.tick()
    with restarted.world.exam.read() as connection:
        assert connection.execute("select count(*) from announcement").fetchone()[0] == 0


def test_a_console_that_is_killed_in_doubt_is_in_doubt_again(restarted: Restarted) -> None:
    again = Restarted(restarted.world)
    assert again.keeper.is_in_doubt
    again.hear()
    again.gather()
    assert find_doubt(again.world.exam, again.keeper.clock, "boot-1") is None
    third = Restarted(again.world)
    assert third.keeper.doubt is None
    assert third.keeper.clock.name == again.keeper.clock.name != again.doubt.kept.name
    assert third.now_us == again.now_us


def test_without_an_exam_the_machine_is_believed_under_another_name(world: World) -> None:
    world.clock.step_wall(-20 * 60 * MINUTE_US)
    before = start_clock(world.exam, world.clock, PROCEDURES, "boot-0").name
    after = start_clock(world.exam, world.clock, PROCEDURES, "boot-1")
    assert find_doubt(world.exam, after, "boot-1") is None
    assert after.name != before


def test_who_cannot_know_is_not_heard_and_no_more_are_kept_than_a_site_has(restarted: Restarted) -> None:
    restarted.doubt.hear("stranger", KnownTime("guessed", NOW_US, 0))
    restarted.gather()
    assert restarted.keeper.is_in_doubt
    for number in range(MOST_WORDS + 1):
        restarted.hear(player=f"tablet {number}")
    restarted.gather()
    assert restarted.restarts()[0]["words"] == MOST_WORDS


def test_each_player_has_one_word_the_quickest_of_all_that_it_said(restarted: Restarted) -> None:
    for late_us in (200_000, 20_000, 700_000):
        restarted.hear(-late_us)
    restarted.gather()
    assert restarted.restarts()[0]["words"] == 1
    assert restarted.now_us == NOW_US + GATHER_US - 20_000 - 3_000


def test_where_tablets_contradict_one_another_the_greater_number_counts(
    restarted: Restarted,
) -> None:
    restarted.hear(180 * SECOND_US, player="set ahead")
    restarted.hear(player="one")
    restarted.gather()
    assert restarted.keeper.is_in_doubt
    restarted.hear(player="another")
    restarted.keeper.look()
    assert not restarted.keeper.is_in_doubt
    assert restarted.now_us == NOW_US + GATHER_US - 3_000


def test_long_before_the_start_the_rooms_time_is_not_given_up_either(restarted_early: Restarted) -> None:
    """Nobody is examined yet, but rooms hold the signals of a session that is armed."""
    console = restarted_early
    console.hear()
    console.gather()
    console.keeper.look()
    assert console.now_us == console.kept_us + GATHER_US + 40 * SECOND_US - 3_000
    assert console.keeper.open_step() is not None


@pytest.mark.parametrize("ahead_us", [AHEAD_US, SECOND_US])
def test_who_says_what_time_it_is_is_not_asked_again_which_clock_is_right(
    restarted_early: Restarted, ahead_us: int
) -> None:
    console = restarted_early
    by_watch_us = console.doubt.machine_offset_us - ahead_us
    console.doubt.settle(by_watch_us, console.world.site_lead_account_id)
    console.keeper.look()
    assert console.keeper.clock.offset_us == by_watch_us
    assert console.keeper.open_step() is None
    with console.world.exam.read() as connection:
        last = load_last_step(connection)
        assert list(check_facts(connection, EXAM_FACTS)) == []
    decided = None if ahead_us == SECOND_US else StepChoice.KEPT
    assert (last and last.choice) == decided


def test_a_session_whose_procedure_cannot_be_read_keeps_the_time_in_doubt(restarted: Restarted) -> None:
    with restarted.world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'lost'")
        kept = load_clock(connection)
        assert is_doubted(connection, kept, "boot-1", PROCEDURES)
        connection.execute("update session set armed_at_us = null, armed_by = null")
        assert not is_doubted(connection, kept, "boot-1", PROCEDURES)


def test_while_the_time_is_in_doubt_the_machines_clock_may_still_be_set(restarted: Restarted) -> None:
    world, doubt = restarted.world, restarted.doubt
    assert doubt.machine_offset_us + doubt.clock.boottime_us() == NOW_US + AHEAD_US
    world.clock.step_wall(-AHEAD_US)
    assert doubt.machine_offset_us + doubt.clock.boottime_us() == NOW_US
    world.clock.step_wall(-20 * 365 * 24 * 60 * MINUTE_US)
    assert doubt.machine_offset_us == doubt.clock.offset_us


def test_an_adopted_clock_has_another_name_and_its_time_comes_with_it(world: World) -> None:
    clock = start_clock(world.exam, world.clock, PROCEDURES, "boot-0")
    keeper = ClockKeeper(world.exam, clock, Bus(), PROCEDURES, "boot-0")
    keeper.look()
    before = clock.name
    world.clock.step_wall(AHEAD_US)
    keeper.look()
    step = keeper.open_step()
    assert step is not None
    assert clock.name == before
    keeper.decide(step.id, StepChoice.ADOPTED, world.site_lead_account_id)
    assert clock.told() == (CLOCK_US + AHEAD_US, clock.name)
    assert clock.name not in {"", before}
    with world.exam.read() as connection:
        kept = load_clock(connection)
    assert kept is not None
    assert kept.name == clock.name
