from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from config.procedures import load_procedures
from evidence.given_time import load_approvals, load_grants
from evidence.plan_changes import arm_session
from evidence.players import keep_heartbeats
from evidence.recording_orders import Who
from exam.changes import (
    ApproveDelays,
    Cancel,
    Change,
    ChangeDuration,
    ChangeRefusal,
    GrantTime,
    MoveRoom,
    MoveStart,
    WithdrawGrant,
)
from exam.clock import MINUTE_US, SECOND_US
from exam.course import Approval, SessionCourse
from exam.effects import EffectRefusal
from exam.players import AWAY_US, MAY_RING_US
from tests.exam.test_players import WELL
from tests.world import START_US, World, announce
from web.change_desk import ChangeDesk, ChangeRefusedError, Proposal, find_course

PROCEDURES = load_procedures()
LATER_US = START_US + 30 * MINUTE_US


@contextmanager
def sitting(world: World) -> Iterator[tuple[ChangeDesk, SessionCourse]]:
    """The site lead's desk and the session as it is, in one transaction."""
    with world.exam.write() as connection:
        course = find_course(connection, world.session_id, PROCEDURES)
        assert course is not None
        yield ChangeDesk(connection, PROCEDURES, world.clock.wall_us()), course


def make(world: World, change: Change, told: frozenset[int] = frozenset()) -> Proposal:
    with sitting(world) as (desk, course):
        proposal = desk.propose(course, change, told)
        desk.make(proposal, Who(world.site_lead_account_id, "停电", world.administrator_account_id), told)
    return proposal


def course_of(world: World) -> SessionCourse:
    with sitting(world) as (_, course):
        return course


def start(world: World) -> None:
    """Both rooms started on time, five minutes ago."""
    announce(world, "C5", START_US)
    world.clock.sleep_us(START_US + 5 * MINUTE_US - world.clock.wall_us())


def between_signals(world: World) -> None:
    """At 08:52 nothing is about to sound."""
    world.clock.sleep_us(2 * MINUTE_US)


def add_room(world: World, code: str) -> int:
    with world.exam.write() as connection:
        row = connection.execute(
            "insert into room (code, label, kind) values (?1, ?1, 'contingency_hall') returning id",
            (code,),
        ).fetchone()
    return int(row["id"])


def add_session(world: World, room_id: int) -> None:
    """A second session of the day that sits in the room."""
    with world.exam.write() as connection:
        row = connection.execute(
            "insert into session (batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us) select batch_id, 'T2', kind, subject, procedure_code, planned_start_us,"
            " duration_us from session returning id"
        ).fetchone()
        connection.execute(
            "insert into session_room (session_id, room_id) values (?, ?)", (row["id"], room_id)
        )


def test_a_start_is_moved_with_its_reason_and_every_signal_with_it(world: World) -> None:
    proposal = make(world, MoveStart(LATER_US))
    assert {one.after_us for one in proposal.effects.effects if one.cue_code == "C5"} == {LATER_US}
    assert course_of(world).session.planned_start_us == LATER_US


def test_a_change_that_would_do_harm_is_not_made(world: World) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, 1)
    world.clock.sleep_us(START_US - SECOND_US - world.clock.wall_us())
    with pytest.raises(ChangeRefusedError, match="early, stale") as caught:
        make(world, MoveStart(LATER_US))
    assert {one.refusal for one in caught.value.proposal.effects.refusals} == {EffectRefusal.ABOUT_TO_SOUND}
    assert course_of(world).session.planned_start_us == START_US


def test_a_change_that_makes_no_sense_says_so(world: World) -> None:
    with pytest.raises(ChangeRefusedError, match="not_running") as caught:
        make(world, GrantTime(world.room_1, MINUTE_US))
    assert caught.value.proposal.objection is ChangeRefusal.NOT_RUNNING


def test_working_time_and_cancelling_are_changes_of_the_plan(world: World) -> None:
    make(world, ChangeDuration(90 * MINUTE_US))
    assert course_of(world).session.duration_us == 90 * MINUTE_US
    make(world, Cancel())
    assert course_of(world).session.cancelled_at_us == world.clock.wall_us()


def test_time_is_given_withdrawn_and_delays_are_agreed_to(world: World) -> None:
    start(world)
    given = make(world, GrantTime(world.room_1, MINUTE_US))
    assert given.needs_second_person
    with world.exam.read() as connection:
        (grant,) = load_grants(connection, world.session_id)
    make(world, WithdrawGrant(grant.id))
    make(world, ApproveDelays(world.room_1, None, 40 * MINUTE_US))
    with world.exam.read() as connection:
        assert [one.is_withdrawn for one in load_grants(connection, world.session_id)] == [True]
        approvals = load_approvals(connection, world.session_id)
    assert list(approvals) == [Approval(world.room_1, None, 40 * MINUTE_US)]


def test_a_room_moves_into_a_hall_that_nobody_holds(world: World) -> None:
    hall, other = add_room(world, "S01"), add_room(world, "S02")
    add_session(world, other)
    between_signals(world)
    now_us = world.clock.wall_us()
    with pytest.raises(ChangeRefusedError, match="occupied"):
        make(world, MoveRoom(world.room_1, other, now_us))
    proposal = make(world, MoveRoom(world.room_1, hall, now_us))
    assert proposal.is_silent_there
    assert [(one.from_room_id, one.to_room_id) for one in course_of(world).moves] == [(world.room_1, hall)]


def test_a_hall_with_a_player_that_can_ring_is_not_silent(world: World) -> None:
    hall = add_room(world, "S01")
    between_signals(world)
    with world.exam.write() as connection:
        keep_heartbeats(connection, [replace(WELL, room_id=hall, seen_at_us=world.clock.wall_us())])
    assert not make(world, MoveRoom(world.room_1, hall, world.clock.wall_us())).is_silent_there


@pytest.mark.parametrize(
    ("ago_us", "is_untold"),
    [(AWAY_US, False), (AWAY_US + 1, True), (MAY_RING_US, True), (MAY_RING_US + 1, False)],
)
def test_a_room_whose_player_went_away_lately_may_ring_by_the_old_plan(
    world: World, ago_us: int, is_untold: bool
) -> None:
    with world.exam.write() as connection:
        seen_us = world.clock.wall_us() - ago_us
        keep_heartbeats(connection, [replace(WELL, room_id=world.room_1, seen_at_us=seen_us)])
    with sitting(world) as (desk, course):
        assert desk.untold(course) == (frozenset({world.room_1}) if is_untold else frozenset())


def test_a_room_that_cannot_be_told_holds_the_change_up_until_somebody_went_there(world: World) -> None:
    between_signals(world)
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, 1)
        seen_us = world.clock.wall_us() - AWAY_US - 1
        keep_heartbeats(connection, [replace(WELL, room_id=world.room_1, seen_at_us=seen_us)])
    with pytest.raises(ChangeRefusedError):
        make(world, MoveStart(LATER_US))
    make(world, MoveStart(LATER_US), frozenset({world.room_1, world.room_2}))
    with world.exam.read() as connection:
        (row,) = connection.execute("select told_by_hand from plan_change").fetchall()
    assert row["told_by_hand"] == "R01"


def test_a_session_that_nobody_knows_has_no_course(world: World) -> None:
    with world.exam.read() as connection:
        assert find_course(connection, 99, PROCEDURES) is None
        assert find_course(connection, world.session_id, {}) is None
