from dataclasses import replace

import pytest

from exam.changes import (
    LONGEST_US,
    ApproveDelays,
    Cancel,
    Change,
    ChangeDuration,
    ChangeRefusal,
    GrantTime,
    MoveRoom,
    MoveStart,
    WithdrawGrant,
    needs_second_person,
    objection,
)
from exam.clock import MINUTE_US, SECOND_US
from exam.course import Approval, Grant, Loss, Move, SessionCourse
from tests.exam.day_with_cues import CHAIRED, HOUR_US, SESSION, START_US, course, emitted

NOW_US = START_US - 40 * MINUTE_US
PLAN = course()
RUNNING = course(emitted("C5", START_US, 1), emitted("C5", START_US, 2))
OVER = course(*RUNNING.announced, *(emitted("C8", START_US + HOUR_US, room) for room in (1, 2)))
WRONG_STOP = course(emitted("C5", START_US), emitted("C8", START_US + 1), emitted("X1", START_US + MINUTE_US))
LOSS = Loss(1, "X1", 1)
GRANTED = replace(RUNNING, grants=(Grant(4, 1, MINUTE_US), Grant(5, 1, MINUTE_US, is_withdrawn=True)))


@pytest.mark.parametrize(
    ("plan", "change", "refusal"),
    [
        (PLAN, MoveStart(START_US + MINUTE_US), None),
        (PLAN, MoveStart(START_US), ChangeRefusal.OUT_OF_BOUNDS),
        (PLAN, MoveStart(NOW_US), ChangeRefusal.OUT_OF_BOUNDS),
        (PLAN, MoveStart(START_US + 24 * HOUR_US), ChangeRefusal.OUT_OF_BOUNDS),
        (RUNNING, MoveStart(START_US + MINUTE_US), ChangeRefusal.STARTED),
        (RUNNING, ChangeDuration(HOUR_US + 1), None),
        (RUNNING, ChangeDuration(HOUR_US), ChangeRefusal.OUT_OF_BOUNDS),
        (RUNNING, ChangeDuration(0), ChangeRefusal.OUT_OF_BOUNDS),
        (RUNNING, ChangeDuration(2 * LONGEST_US + 1), ChangeRefusal.OUT_OF_BOUNDS),
        (OVER, ChangeDuration(HOUR_US + 1), ChangeRefusal.OVER),
        (RUNNING, Cancel(), None),
        (OVER, Cancel(), ChangeRefusal.OVER),
        (RUNNING, GrantTime(1, MINUTE_US), None),
        (RUNNING, GrantTime(1, 0), ChangeRefusal.OUT_OF_BOUNDS),
        (RUNNING, GrantTime(1, LONGEST_US + 1), ChangeRefusal.OUT_OF_BOUNDS),
        (PLAN, GrantTime(1, MINUTE_US), ChangeRefusal.NOT_RUNNING),
        (OVER, GrantTime(1, MINUTE_US), ChangeRefusal.OVER),
        (WRONG_STOP, GrantTime(1, 0, LOSS, MINUTE_US), None),
        (WRONG_STOP, GrantTime(1, -1, LOSS, MINUTE_US), ChangeRefusal.OUT_OF_BOUNDS),
        (RUNNING, GrantTime(1, 0, LOSS, MINUTE_US), ChangeRefusal.UNKNOWN_LOSS),
        (GRANTED, WithdrawGrant(4), None),
        (GRANTED, WithdrawGrant(5), ChangeRefusal.UNKNOWN_GRANT),
        (RUNNING, WithdrawGrant(4), ChangeRefusal.UNKNOWN_GRANT),
        (RUNNING, ApproveDelays(1, None, HOUR_US), None),
        (RUNNING, ApproveDelays(1, 3, 0), ChangeRefusal.OUT_OF_BOUNDS),
        (PLAN, ApproveDelays(1, 3, HOUR_US), ChangeRefusal.NOT_RUNNING),
        (RUNNING, MoveRoom(1, 9, NOW_US), None),
        (RUNNING, MoveRoom(1, 1, NOW_US), ChangeRefusal.SAME_ROOM),
        (OVER, MoveRoom(1, 9, NOW_US), ChangeRefusal.OVER),
    ],
)
def test_a_change_that_makes_no_sense_says_why(
    plan: SessionCourse, change: Change, refusal: ChangeRefusal | None
) -> None:
    assert objection(plan, change, NOW_US) is refusal


def test_nothing_is_changed_in_a_cancelled_session_and_nobody_moves_into_an_occupied_room() -> None:
    gone = replace(PLAN, session=replace(SESSION, cancelled_at_us=NOW_US))
    assert objection(gone, Cancel(), NOW_US) is ChangeRefusal.CANCELLED
    occupied = frozenset({9})
    assert objection(RUNNING, MoveRoom(1, 9, NOW_US), NOW_US, occupied) is ChangeRefusal.OCCUPIED
    assert objection(RUNNING, MoveRoom(1, 8, NOW_US), NOW_US, occupied) is None


def test_plan_changes_are_laid_over_the_session() -> None:
    later = MoveStart(START_US + MINUTE_US).laid_over(PLAN, NOW_US)
    assert later.session.planned_start_us == START_US + MINUTE_US
    assert ChangeDuration(7).laid_over(PLAN, NOW_US).session.duration_us == 7
    assert Cancel().laid_over(PLAN, NOW_US).session.cancelled_at_us == NOW_US


def test_given_and_withdrawn_time_is_laid_over_the_session() -> None:
    (given,) = GrantTime(1, MINUTE_US, LOSS).laid_over(RUNNING, NOW_US).grants
    assert (given.room_id, given.granted_us, given.loss) == (1, MINUTE_US, LOSS)
    assert [one.is_withdrawn for one in WithdrawGrant(4).laid_over(GRANTED, NOW_US).grants] == [True, True]
    approved = ApproveDelays(1, 3, HOUR_US).laid_over(RUNNING, NOW_US).approvals
    assert list(approved) == [Approval(1, 3, HOUR_US)]


def test_a_room_moves_from_where_its_people_are_by_then() -> None:
    moved = replace(RUNNING, moves=(Move(1, 9, NOW_US, NOW_US),))
    assert MoveRoom(1, 8, NOW_US).laid_over(moved, NOW_US).moves[-1] == Move(9, 8, NOW_US, NOW_US)
    entered_late = MoveRoom(1, 8, NOW_US - SECOND_US)
    assert entered_late.from_room_id(moved, NOW_US) == 9


def test_only_a_theory_room_extended_by_itself_needs_a_second_person() -> None:
    chaired = course(procedure=CHAIRED, session=replace(SESSION, kind=CHAIRED.session_kind))
    assert needs_second_person(PLAN, GrantTime(1, MINUTE_US))
    assert not needs_second_person(PLAN, GrantTime(1, MINUTE_US, LOSS))
    assert not needs_second_person(chaired, GrantTime(1, MINUTE_US))
    assert not needs_second_person(PLAN, Cancel())
