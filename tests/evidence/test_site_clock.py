from sqlite3 import Connection, IntegrityError

import pytest

from config.procedures import load_procedures
from evidence.announcements import Confirmation, confirm
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.courses import load_course
from evidence.day import load_session
from evidence.given_time import NewDelay, end_delay, record_delay, stop_station
from evidence.ledger import LeafKind, read_leaves
from evidence.plan_changes import arm_session
from evidence.recording_orders import NewMove, Who, move_session
from evidence.site_clock import keep_clock, load_clock, load_last_step, record_decision, record_step
from exam.clock import MINUTE_US, SECOND_US
from exam.clock_step import KeptClock, LastStep, StepChoice
from exam.course import DelayReason, StationStop
from tests.world import CLOCK_US, START_US, World, announce

HOUR_US = 60 * MINUTE_US
KEPT = KeptClock("boot", 7, 0, CLOCK_US)


def adopt(connection: Connection, shift_us: int, decided_by: int | None = None) -> None:
    step_id = record_step(connection, "boot", shift_us, START_US)
    record_decision(connection, LastStep(step_id, shift_us, None), StepChoice.ADOPTED, decided_by, START_US)


def test_how_the_console_tells_the_time_is_kept_and_overwritten(world: World) -> None:
    with world.exam.write() as connection:
        assert load_clock(connection) is None
        keep_clock(connection, KEPT)
        later = KeptClock("other", 8, 9, CLOCK_US + 1)
        keep_clock(connection, later)
        assert load_clock(connection) == later


def test_a_step_stays_open_until_somebody_says_what_became_of_it(world: World) -> None:
    with world.exam.write() as connection:
        assert load_last_step(connection) is None
        step_id = record_step(connection, "boot", HOUR_US, START_US)
        open_step = LastStep(step_id, HOUR_US, None)
        assert load_last_step(connection) == open_step
        record_decision(connection, open_step, StepChoice.KEPT, world.site_lead_account_id, START_US)
        assert load_last_step(connection) == LastStep(step_id, HOUR_US, StepChoice.KEPT)
        record_decision(connection, open_step, StepChoice.AGREES_AGAIN, None, START_US)
        assert load_last_step(connection) == LastStep(step_id, HOUR_US, StepChoice.AGREES_AGAIN)
        found = [leaf.kind for leaf, _ in read_leaves(connection)]
        assert found == [LeafKind.CONSOLE_CLOCK_STEP, *[LeafKind.CONSOLE_CLOCK_DECISION] * 2]


def record_everything(connection: Connection, world: World) -> None:
    """One fact of every kind that a moment belongs to, at or just after the start."""
    who, session, room = world.site_lead_account_id, world.session_id, world.room_1
    arm_session(connection, session, who, CLOCK_US)
    place = connection.execute("select min(id) from place").fetchone()[0]
    new = NewDelay(session, room, place, DelayReason.VENUE, START_US + MINUTE_US, "王芳")
    end_delay(
        connection, record_delay(connection, new, who, START_US), START_US + 2 * MINUTE_US, who, START_US
    )
    stop_station(connection, session, StationStop(room, place, START_US + 9), who, START_US)
    confirm(connection, Confirmation(session, room, "C5", who, START_US + 3))
    move = NewMove(session, room, world.room_2, START_US)
    move_session(connection, move, Who(who, "停电"), START_US)


def test_an_adopted_step_moves_everything_recorded_before_and_nothing_after(world: World) -> None:
    announce(world, "C5", START_US, world.room_1)
    with world.exam.write() as connection:
        record_everything(connection, world)
        adopt(connection, HOUR_US, world.site_lead_account_id)
        adopt(connection, -SECOND_US)
        connection.execute(
            "insert into announcement (session_id, room_id, cue_code, planned_at_us, outcome, emitted_at_us,"
            " source, recorded_at_us, clock_epoch) values (?, ?, 'C7', ?, 'emitted', ?, 'schedule', 1, 2)",
            (world.session_id, world.room_2, START_US, START_US),
        )
        session = load_session(connection, world.session_id)
        assert session is not None
        course = load_course(connection, session, load_procedures())
    by_us = HOUR_US - SECOND_US
    assert (session.armed_at_us, session.planned_start_us) == (CLOCK_US + by_us, START_US)
    first, after = course.announced
    assert (first.planned_at_us, first.emitted_at_us) == (START_US + by_us, START_US + by_us)
    assert after.emitted_at_us == START_US
    assert course.delays[0].started_at_us == START_US + MINUTE_US + by_us
    assert course.delays[0].stopped_at_us == START_US + 2 * MINUTE_US + by_us
    assert course.station_stops[0].stopped_at_us == START_US + 9 + by_us
    assert course.confirmed[world.room_1, "C5"] == START_US + 3 + by_us
    assert course.moves[0].moves_at_us == course.moves[0].recorded_at_us == START_US + by_us


def test_the_rows_themselves_stay_as_their_leaves_say(world: World) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US)
        adopt(connection, HOUR_US, world.site_lead_account_id)
        assert list(check_facts(connection, EXAM_FACTS)) == []


@pytest.mark.parametrize("table", ["console_clock_step", "console_clock_decision"])
def test_a_step_is_neither_changed_nor_taken_away(world: World, table: str) -> None:
    with world.exam.write() as connection:
        adopt(connection, HOUR_US)
        for statement in (f"update {table} set id = id", f"delete from {table}"):
            with pytest.raises(IntegrityError):
                connection.execute(statement)
