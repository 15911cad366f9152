from dataclasses import replace

from exam.clock import MINUTE_US
from exam.course import Grant, Move
from exam.plan_sheet import PlanLine, plan_lines
from tests.exam.day_with_cues import HOUR_US, SESSION, START_US, course, emitted


def told(lines: list[PlanLine]) -> list[tuple[str, int, bool, tuple[int, ...]]]:
    return [
        (one.cue.code, (one.planned_at_us - START_US) // MINUTE_US, one.is_projected, one.room_ids)
        for one in lines
    ]


def test_rooms_that_hear_a_cue_together_stand_on_one_line() -> None:
    assert told(plan_lines(course())) == [
        ("C2", -15, False, (1, 2)),
        ("C5", 0, False, (1, 2)),
        ("C6", 30, True, (1, 2)),
        ("C7", 45, True, (1, 2)),
        ("C8", 60, True, (1, 2)),
        ("C9", 61, True, (1, 2)),
    ]


def test_a_room_with_more_time_has_lines_of_its_own_and_one_that_moved_is_named_where_it_is() -> None:
    started = course(emitted("C5", START_US), emitted("C5", START_US, 2))
    longer = replace(started, grants=(Grant(1, 1, 10 * MINUTE_US),))
    ends = [one for one in told(plan_lines(longer)) if one[0] == "C8"]
    assert ends == [("C8", 60, False, (2,)), ("C8", 70, False, (1,))]
    moved = replace(started, moves=(Move(1, 3, START_US + 50 * MINUTE_US, START_US),))
    lines = told(plan_lines(moved))
    assert ("C7", 45, False, (1, 2)) in lines
    assert ("C8", 60, False, (3, 2)) in lines


def test_an_end_that_nobody_knows_yet_is_called_so_and_what_fell_away_is_left_out() -> None:
    evacuated = course(emitted("C5", START_US), emitted("X2", START_US + MINUTE_US))
    assert ("C8", 60, True, (1, 2)) in told(plan_lines(evacuated))
    stopped = course(emitted("C5", START_US), emitted("C8", START_US + HOUR_US))
    assert [one.room_ids for one in plan_lines(stopped) if one.cue.code == "C7"] == [(2,)]


def test_a_cancelled_session_has_no_plan() -> None:
    cancelled = replace(SESSION, cancelled_at_us=START_US - HOUR_US)
    assert plan_lines(course(session=cancelled)) == []
