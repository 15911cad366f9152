from sqlite3 import Connection, IntegrityError

import pytest

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.database import WriterDatabase
from evidence.day import load_session
from evidence.ledger import LeafKind, append_fact, read_leaves
from evidence.plan_changes import (
    ArmingKind,
    ArmingLook,
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
from exam.arming_warnings import Against, ArmingWarning, SeenWarnings
from exam.clock import MINUTE_US
from exam.day import Session
from tests.world import CLOCK_US, DURATION_US, START_US, World

PLAN = ArmingPlan(1, "a" * 64, DURATION_US, ())
SILENT = ArmingWarning(
    Against.SILENT_ROOM, is_grave=True, words="没有设备：R01", advice="开", subjects=("R01",)
)
LOOK = ArmingLook(PLAN, SeenWarnings((SILENT,), ()))
AROUND = (START_US - MINUTE_US, START_US + MINUTE_US)


def session_of(connection: Connection, world: World) -> Session:
    found = load_session(connection, world.session_id)
    assert found is not None
    return found


def arm_session_before_0026(connection: Connection) -> None:
    """A row and a leaf as they were written before warnings were kept."""
    row = connection.execute(
        "insert into session_arming (session_id, act, plan_sha256, account_id, acted_at_us)"
        " values (1, 'armed', '', 1, 1)"
        " returning id as session_arming_id, session_id, act, plan_sha256, reason, salt, account_id"
    ).fetchone()
    append_fact(connection, LeafKind.SESSION_ARMING, row, 1, "reason")


def leaves(world: World, kind: LeafKind) -> int:
    with world.exam.read() as connection:
        return sum(leaf.kind == kind for leaf, _ in read_leaves(connection))


def test_a_session_is_armed_once_and_not_after_it_was_cancelled(world: World) -> None:
    with world.exam.write() as connection:
        assert arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US, LOOK)
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


def test_what_each_of_two_people_did_stands_with_name_and_what_they_saw(world: World) -> None:
    with world.exam.write() as connection:
        assert arming_acts(connection, world.session_id) == []
        ask_to_arm(connection, world.session_id, world.site_lead_account_id, CLOCK_US, LOOK)
        arm_session(connection, world.session_id, world.proctor_account_id, CLOCK_US, LOOK)
        acts = arming_acts(connection, world.session_id)
    assert [(one.kind, one.by, one.plan, one.warnings) for one in acts] == [
        (ArmingKind.ASKED, "李强", PLAN, LOOK.warnings),
        (ArmingKind.ARMED, "王芳", PLAN, LOOK.warnings),
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


@pytest.mark.parametrize(
    ("table", "shown"), [("arming_plan", "plan"), ("arming_warnings", "warnings")], ids=["plan", "warnings"]
)
def test_what_was_shown_is_kept_once_and_found_when_it_was_touched_or_taken_away(
    world: World, table: str, shown: str
) -> None:
    lead = world.site_lead_account_id
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, lead, CLOCK_US, LOOK)
        disarm_session(connection, world.session_id, lead, CLOCK_US, "推迟开考")
        arm_session(connection, world.session_id, lead, CLOCK_US, LOOK)
        assert connection.execute(f"select count(*) from {table}").fetchone()[0] == 1
        assert list(check_facts(connection, EXAM_FACTS)) == []
        triggers = connection.execute(
            "select name from sqlite_schema where type = 'trigger' and tbl_name = ?", (table,)
        )
        for trigger in triggers.fetchall():
            connection.execute(f"drop trigger {trigger['name']}")
        for statement in (f"update {table} set content = content || ' '", f"delete from {table}"):
            connection.execute(statement)
            assert [str(one.code) for one in check_facts(connection, EXAM_FACTS)] == ["fact_changed"] * 2
            assert [getattr(one, shown) for one in arming_acts(connection, world.session_id)] == [None] * 3


def test_an_arming_from_before_warnings_were_kept_stays_readable_and_takes_none_on(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("delete from _sqlite_migrations where name = 'exam_0026_arming_warnings'")
        connection.execute("drop table arming_warnings")
        connection.execute("alter table session_arming drop column warnings_sha256")
        arm_session_before_0026(connection)
    world.exam.close()
    object.__setattr__(world, "exam", WriterDatabase(world.exam.path, "exam"))
    with world.exam.write() as connection:
        [older] = arming_acts(connection, world.session_id)
        assert (older.kind, older.by, older.warnings) == (ArmingKind.ARMED, "王芳", None)
        assert list(check_facts(connection, EXAM_FACTS)) == []
        connection.execute("drop trigger session_arming_never_changes")
        connection.execute("update session_arming set warnings_sha256 = ?", (LOOK.warnings.sha256,))
        assert {str(one.code) for one in check_facts(connection, EXAM_FACTS)} == {"fact_changed"}


@pytest.mark.parametrize(
    "table", ["arming_warnings", "session_arming", "arming_plan", "plan_change", "announcement"]
)
def test_what_was_decided_is_neither_changed_nor_taken_away(world: World, table: str) -> None:
    lead = world.site_lead_account_id
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, lead, CLOCK_US, LOOK)
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
