import json
import sqlite3

import pytest

from config.procedures import load_procedures
from evidence.courses import UnknownProcedureError, load_course
from evidence.ledger import read_leaves
from evidence.recording_orders import (
    NewMove,
    RecordingOrderError,
    Who,
    change_mode,
    latest_decisions,
    load_moves,
    load_room_orders,
    move_session,
    order_by_hand,
    rooms_of,
)
from evidence.recording_plan import RecordingPlan, load_plan, load_schedules
from exam.clock import MINUTE_US
from exam.course import Move
from exam.recording_decision import (
    Ground,
    HandAct,
    HandOrder,
    ModeChange,
    Owed,
    RecordingMode,
    RoomRecording,
    decide,
)
from tests.world import START_US, World, announce

NOW_US = START_US - 30 * MINUTE_US


def add_room(world: World, code: str, kind: str) -> int:
    with world.exam.write() as connection:
        row = connection.execute(
            "insert into room (code, label, kind) values (?, ?, ?) returning id", (code, f"{code}室", kind)
        ).fetchone()
    return int(row["id"])


def lead(world: World, reason: str = "设备检修", agreed_by: int | None = None) -> Who:
    return Who(world.site_lead_account_id, reason, agreed_by)


def test_every_decision_is_kept_with_its_reason_its_author_and_its_leaf(world: World) -> None:
    spare = add_room(world, "E1", "contingency_hall")
    with world.exam.write() as connection:
        change_mode(connection, None, RecordingMode.ALL_DAY, lead(world, "全天巡查"), NOW_US)
        change_mode(connection, world.room_1, None, lead(world), NOW_US + 1)
        agreed = lead(world, "误开", world.proctor_account_id)
        order_by_hand(connection, world.room_1, HandAct.STOP, agreed, NOW_US + 2)
        move = NewMove(world.session_id, world.room_2, spare, START_US)
        move_session(connection, move, lead(world, "停电"), NOW_US + 3)
        found = latest_decisions(connection, 9)
        leaves = [leaf for leaf, _ in read_leaves(connection)]
    assert [(one.room_label, one.act, one.detail, one.reason, one.agreed_by) for one in found] == [
        ("第2考场", "move", "E1室", "停电", None),
        ("第1考场", "stop", "", "误开", found[1].agreed_by),
        ("第1考场", "mode", "as_site", "设备检修", None),
        ("", "mode", "all_day", "全天巡查", None),
    ]
    assert found[1].agreed_by is not None
    assert [leaf.kind for leaf in leaves] == [
        "recording_mode",
        "recording_mode",
        "recording_order",
        "room_move",
    ]
    body = json.loads(leaves[2].body)
    assert "误开" not in leaves[2].body
    assert (body["act"], body["agreed_by_account_id"]) == ("stop", world.proctor_account_id)


def test_what_people_decided_is_read_back_by_room(world: World) -> None:
    with world.exam.write() as connection:
        change_mode(connection, None, RecordingMode.MANUAL, lead(world), NOW_US)
        change_mode(connection, world.room_1, RecordingMode.ALL_DAY, lead(world), NOW_US + 1)
        order_by_hand(connection, world.room_2, HandAct.START, lead(world), NOW_US + 2)
        found = load_room_orders(connection)
    assert found[world.room_1].room_modes == [ModeChange(RecordingMode.ALL_DAY, NOW_US + 1)]
    assert found[world.room_2].site_modes == [ModeChange(RecordingMode.MANUAL, NOW_US)]
    assert found[world.room_2].by_hand == [HandOrder(HandAct.START, NOW_US + 2)]


def test_a_session_moves_from_where_it_is_to_somewhere_else(world: World) -> None:
    spare = add_room(world, "E1", "contingency_hall")
    with world.exam.write() as connection:
        move_session(
            connection, NewMove(world.session_id, world.room_1, spare, START_US), lead(world), NOW_US
        )
        assert rooms_of(connection, world.session_id) == [spare, world.room_2]
        assert load_moves(connection, world.session_id) == [Move(world.room_1, spare, START_US, NOW_US)]
        gone = NewMove(world.session_id, world.room_1, spare, START_US)
        same = NewMove(world.session_id, spare, spare, START_US)
        with pytest.raises(RecordingOrderError, match="not in this room"):
            move_session(connection, gone, lead(world), NOW_US)
        with pytest.raises(RecordingOrderError, match="already"):
            move_session(connection, same, lead(world), NOW_US)


@pytest.mark.parametrize("table", ["recording_mode", "recording_order", "room_move"])
def test_no_decision_is_ever_changed_or_taken_away(world: World, table: str) -> None:
    spare = add_room(world, "E1", "contingency_hall")
    with world.exam.write() as connection:
        change_mode(connection, None, RecordingMode.MANUAL, lead(world), NOW_US)
        order_by_hand(connection, world.room_2, HandAct.START, lead(world), NOW_US)
        move_session(
            connection, NewMove(world.session_id, world.room_1, spare, START_US), lead(world), NOW_US
        )
        for change in (f"update {table} set reason = '无'", f"delete from {table}"):
            with pytest.raises(sqlite3.IntegrityError, match="is never"):
                connection.execute(change)


def test_the_plan_says_what_every_room_owes(world: World) -> None:
    secure, entrance = add_room(world, "S1", "secure_room"), add_room(world, "K1", "check_in")
    spare = add_room(world, "E1", "contingency_hall")
    with world.exam.write() as connection:
        order_by_hand(connection, spare, HandAct.START, lead(world), NOW_US)
    with world.exam.read() as connection:
        plan = load_plan(connection, load_procedures(), NOW_US)
    grounds = {room: [one.ground for one in owed] for room, owed in plan.owed.items()}
    assert grounds == {
        world.room_1: [Ground.SESSION],
        world.room_2: [Ground.SESSION],
        secure: [Ground.EXAM_DAY],
        entrance: [Ground.EXAM_DAY],
        spare: [Ground.BY_HAND],
    }
    assert plan.owed[entrance][0].from_us == START_US - 60 * MINUTE_US
    front = plan.cameras[0]
    assert (front.uuid, front.retired_at_us) == (world.cameras_1[0], None)
    assert decide(plan.owed_by(front), NOW_US).state is RoomRecording.RECORD


def test_sessions_far_away_owe_nothing_now(world: World) -> None:
    days = 5 * 24 * 60 * MINUTE_US
    with world.exam.read() as connection:
        assert load_schedules(connection, load_procedures(), NOW_US + days) == []
        assert load_schedules(connection, load_procedures(), NOW_US - days) == []
        assert len(load_schedules(connection, load_procedures(), NOW_US + days, 2 * days)) == 2


def test_a_session_whose_procedure_nobody_knows_lets_every_room_owe_its_whole_day(world: World) -> None:
    spare = add_room(world, "E1", "contingency_hall")
    with world.exam.read() as connection:
        plan = load_plan(connection, {}, NOW_US)
        again = load_plan(connection, {}, NOW_US + MINUTE_US)
        (session,) = plan.unknown
        with pytest.raises(UnknownProcedureError, match="session T1"):
            load_course(connection, session, {})
    assert set(plan.owed) == {world.room_1, world.room_2, spare}
    midnight_us = START_US - 9 * 60 * MINUTE_US
    day = Owed(midnight_us, midnight_us + 24 * 60 * MINUTE_US, Ground.EXAM_DAY)
    assert set(plan.owed.values()) == {(day,)}
    assert plan == again
    assert load_plan_of_cancelled(world).unknown == ()


def load_plan_of_cancelled(world: World) -> RecordingPlan:
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = 1")
        return load_plan(connection, {}, NOW_US)


def test_signals_and_ticks_are_part_of_a_sessions_course(world: World) -> None:
    announce(world, "C8", START_US)
    with world.exam.write() as connection:
        connection.execute(
            "insert into confirmation (session_id, room_id, cue_code, account_id, confirmed_at_us)"
            " values (?, ?, 'D2', ?, ?)",
            (world.session_id, world.room_1, world.proctor_account_id, START_US + 1),
        )
    with world.exam.read() as connection:
        first, second = load_schedules(connection, load_procedures(), NOW_US)
    assert (first.until_us, second.until_us) == (START_US + 1, START_US + 15 * MINUTE_US)
