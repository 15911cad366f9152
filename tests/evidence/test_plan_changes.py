from sqlite3 import Connection, IntegrityError

import pytest

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.day import load_session
from evidence.ledger import LeafKind, read_leaves
from evidence.plan_changes import (
    ArmingKind,
    ChangedPlan,
    PlanChange,
    PlanKind,
    arm_session,
    arming_acts,
    ask_to_arm,
    change_plan,
    disarm_session,
    last_change_us,
    load_armed,
    plan_changes,
)
from exam.arming import ArmingPlan
from exam.clock import MINUTE_US
from exam.day import Session
from tests.world import CLOCK_US, DURATION_US, START_US, World

PLAN = ArmingPlan(1, "a" * 64, DURATION_US, ())
AROUND = (START_US - MINUTE_US, START_US + MINUTE_US)


def session_of(connection: Connection, world: World) -> Session:
    found = load_session(connection, world.session_id)
    assert found is not None
    return found


def leaves(world: World, kind: LeafKind) -> int:
    with world.exam.read() as connection:
        return sum(leaf.kind == kind for leaf, _ in read_leaves(connection))


def test_a_session_is_armed_once_and_not_after_it_was_cancelled(world: World) -> None:
    with world.exam.write() as connection:
        assert arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US, PLAN)
        assert not arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US + 1)
        assert session_of(connection, world).armed_at_us == CLOCK_US
        connection.execute("update session set armed_at_us = null, armed_by = null, cancelled_at_us = 1")
        assert not arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US)
    assert leaves(world, LeafKind.SESSION_ARMING) == 1


def test_only_armed_sessions_of_the_interval_are_ticked_over(world: World) -> None:
    with world.exam.write() as connection:
        assert load_armed(connection, *AROUND) == []
        arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US)
        assert load_armed(connection, *AROUND) == [(world.session_id, "theory")]
        assert load_armed(connection, START_US + 1, START_US + MINUTE_US) == []
        connection.execute("update session set cancelled_at_us = 1")
        assert load_armed(connection, *AROUND) == []


def test_what_each_of_two_people_did_stands_with_name_and_plan(world: World) -> None:
    with world.exam.write() as connection:
        assert arming_acts(connection, world.session_id) == []
        ask_to_arm(connection, world.session_id, world.site_lead_account_id, CLOCK_US, PLAN)
        arm_session(connection, world.session_id, world.proctor_account_id, CLOCK_US, PLAN)
        acts = arming_acts(connection, world.session_id)
    assert [(one.kind, one.by, one.plan) for one in acts] == [
        (ArmingKind.ASKED, "李强", PLAN),
        (ArmingKind.ARMED, "王芳", PLAN),
    ]


def test_disarming_is_a_fact_with_its_reason(world: World) -> None:
    lead = world.site_lead_account_id
    with world.exam.write() as connection:
        assert not disarm_session(connection, world.session_id, lead, CLOCK_US, "未启用")
        arm_session(connection, world.session_id, lead, CLOCK_US)
        assert disarm_session(connection, world.session_id, lead, CLOCK_US + 1, "推迟开考")
        assert session_of(connection, world).armed_at_us is None
        acts = arming_acts(connection, world.session_id)
    assert [(one.kind, one.reason) for one in acts] == [
        (ArmingKind.ARMED, ""),
        (ArmingKind.DISARMED, "推迟开考"),
    ]
    assert leaves(world, LeafKind.SESSION_ARMING) == 2


def test_every_change_of_the_plan_is_a_fact_and_the_session_is_what_they_come_to(world: World) -> None:
    lead, later_us = world.site_lead_account_id, START_US + 10 * MINUTE_US
    with world.exam.write() as connection:
        assert last_change_us(connection, world.session_id) is None
        for number, (kind, to_us) in enumerate(
            [(PlanKind.START, later_us), (PlanKind.DURATION, 5 * MINUTE_US), (PlanKind.CANCELLED, None)]
        ):
            change = PlanChange(world.session_id, kind, to_us, "停电", "R02")
            change_plan(connection, session_of(connection, world), change, lead, CLOCK_US + number)
        found = session_of(connection, world)
        assert (found.planned_start_us, found.duration_us) == (later_us, 5 * MINUTE_US)
        assert found.cancelled_at_us == CLOCK_US + 2
        assert last_change_us(connection, world.session_id) == CLOCK_US + 2
        assert plan_changes(connection, world.session_id) == [
            ChangedPlan(PlanKind.START, START_US, later_us, "停电", "李强", CLOCK_US),
            ChangedPlan(PlanKind.DURATION, DURATION_US, 5 * MINUTE_US, "停电", "李强", CLOCK_US + 1),
            ChangedPlan(PlanKind.CANCELLED, None, None, "停电", "李强", CLOCK_US + 2),
        ]
    assert leaves(world, LeafKind.PLAN_CHANGE) == 3


def test_a_plan_that_was_shown_is_kept_once_and_one_that_was_touched_is_found(world: World) -> None:
    lead = world.site_lead_account_id
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, lead, CLOCK_US, PLAN)
        disarm_session(connection, world.session_id, lead, CLOCK_US, "推迟开考")
        arm_session(connection, world.session_id, lead, CLOCK_US, PLAN)
        assert connection.execute("select count(*) from arming_plan").fetchone()[0] == 1
        assert list(check_facts(connection, EXAM_FACTS)) == []
        connection.execute("drop trigger arming_plan_never_changes")
        connection.execute("update arming_plan set content = '[]'")
        assert len(list(check_facts(connection, EXAM_FACTS))) == 2
        assert [one.plan for one in arming_acts(connection, world.session_id)] == [None] * 3


@pytest.mark.parametrize("table", ["session_arming", "arming_plan", "plan_change", "announcement"])
def test_what_was_decided_is_neither_changed_nor_taken_away(world: World, table: str) -> None:
    lead = world.site_lead_account_id
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, lead, CLOCK_US, PLAN)
        change = PlanChange(world.session_id, PlanKind.DURATION, 1, "停电")
        change_plan(connection, session_of(connection, world), change, lead, CLOCK_US)
        connection.execute(
            "insert into announcement (session_id, room_id, cue_code, planned_at_us, outcome, source,"
            " recorded_at_us) values (?, ?, 'C5', 1, 'missed', 'schedule', 1)",
            (world.session_id, world.room_1),
        )
        for statement in (f"update {table} set rowid = rowid", f"delete from {table}"):
            with pytest.raises(IntegrityError):
                connection.execute(statement)


def test_a_session_nobody_knows_is_none(world: World) -> None:
    with world.exam.read() as connection:
        assert load_session(connection, 999) is None
