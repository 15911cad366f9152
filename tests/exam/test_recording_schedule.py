from dataclasses import replace

import pytest

from exam.clock import MINUTE_US, SECOND_US
from exam.course import Move, SessionCourse
from exam.procedure import Anchor
from exam.recording_schedule import (
    LEAVING_US,
    TAIL_US,
    UNSTOPPED_ALARM_US,
    UNSTOPPED_US,
    UNTICKED_US,
    Schedule,
    handover_allowance_us,
    schedules,
)
from tests.exam.day_with_cues import HOUR_US, PRESSED, RELEASE, SESSION, START_US, THEORY, emitted

ALLOWANCE_US = 15 * MINUTE_US
OWED = replace(THEORY, room_opens_us=HOUR_US, handover_us=ALLOWANCE_US)
TICKED = replace(OWED, handover_step="C9")
PLAN_US = START_US + HOUR_US + ALLOWANCE_US
STOP_US = START_US + 40 * MINUTE_US
COURSE = SessionCourse(replace(SESSION, room_ids=(1,)), OWED, [])
STOPPED = replace(COURSE, announced=[emitted("C5", START_US), emitted("C8", STOP_US)])


def only(course: SessionCourse, now_us: int = START_US) -> Schedule:
    (one,) = schedules(course, now_us)
    return one


def test_before_any_signal_the_interval_hangs_on_the_plan() -> None:
    found = only(COURSE)
    assert (found.from_us, found.until_us) == (START_US - HOUR_US, PLAN_US)
    assert (found.started_at_us, found.stopped_at_us, found.is_open_ended) == (None, None, False)
    assert found.scheduled_us == 135 * MINUTE_US


def test_the_actual_start_moves_the_end_but_not_the_opening() -> None:
    late_us = START_US + 5 * MINUTE_US
    found = only(replace(COURSE, announced=[emitted("C5", late_us)]))
    assert (found.from_us, found.until_us) == (START_US - HOUR_US, PLAN_US + 5 * MINUTE_US)


@pytest.mark.parametrize(
    ("late_us", "until_us", "is_open_ended", "is_overdue"),
    [
        (-1, PLAN_US, False, False),
        (0, PLAN_US, True, False),
        (MINUTE_US, PLAN_US + MINUTE_US, True, False),
        (UNSTOPPED_ALARM_US, PLAN_US + UNSTOPPED_ALARM_US, True, True),
        (UNSTOPPED_US, PLAN_US + UNSTOPPED_US, False, True),
        (UNSTOPPED_US + HOUR_US, PLAN_US + UNSTOPPED_US, False, True),
    ],
)
def test_without_a_stop_signal_the_end_moves_on_with_the_clock_up_to_a_loud_cap(
    late_us: int, until_us: int, is_open_ended: bool, is_overdue: bool
) -> None:
    found = only(replace(COURSE, announced=[emitted("C5", START_US)]), PLAN_US + late_us)
    assert (found.until_us, found.is_open_ended, found.is_overdue) == (until_us, is_open_ended, is_overdue)
    assert found.kept_until_us == PLAN_US + UNSTOPPED_US


def test_every_room_stops_by_its_own_signal() -> None:
    course = replace(STOPPED, session=SESSION)
    first, second = schedules(course, START_US)
    assert (first.room_id, first.until_us) == (1, STOP_US + ALLOWANCE_US)
    assert (second.room_id, second.until_us) == (2, PLAN_US)


@pytest.mark.parametrize(
    ("ticked_us", "until_us", "kept_until_us"),
    [
        (None, STOP_US + ALLOWANCE_US, STOP_US + ALLOWANCE_US + UNTICKED_US),
        (STOP_US + MINUTE_US, STOP_US + MINUTE_US, STOP_US + MINUTE_US + TAIL_US),
        (STOP_US + 20 * MINUTE_US, STOP_US + 20 * MINUTE_US, STOP_US + 20 * MINUTE_US + TAIL_US),
        (STOP_US - SECOND_US, STOP_US, STOP_US + TAIL_US),
        (
            STOP_US + 9 * HOUR_US,
            STOP_US + ALLOWANCE_US + UNTICKED_US,
            STOP_US + ALLOWANCE_US + UNTICKED_US + TAIL_US,
        ),
    ],
)
def test_the_tick_of_the_handover_ends_it_else_the_allowance(
    ticked_us: int | None, until_us: int, kept_until_us: int
) -> None:
    confirmed = {} if ticked_us is None else {(1, "C9"): ticked_us}
    found = only(replace(STOPPED, procedure=TICKED, confirmed=confirmed))
    assert (found.until_us, found.kept_until_us) == (until_us, kept_until_us)


def test_after_a_stop_given_by_mistake_cameras_see_the_plan_out_until_a_handover_is_ticked() -> None:
    early_us = START_US + 5 * MINUTE_US
    course = replace(COURSE, procedure=TICKED, announced=[emitted("C5", START_US), emitted("C8", early_us)])
    found = only(course)
    assert (found.until_us, found.kept_until_us) == (early_us + ALLOWANCE_US, PLAN_US)
    ticked_us = early_us + MINUTE_US
    found = only(replace(course, confirmed={(1, "C9"): ticked_us}))
    assert (found.until_us, found.kept_until_us) == (ticked_us, ticked_us + TAIL_US)


def test_a_procedure_without_a_handover_step_ends_after_its_allowance() -> None:
    found = only(STOPPED)
    assert (found.until_us, found.kept_until_us) == (STOP_US + ALLOWANCE_US, PLAN_US)
    late = replace(COURSE, announced=[emitted("C5", START_US), emitted("C8", PLAN_US)])
    assert only(late).kept_until_us == PLAN_US + ALLOWANCE_US + TAIL_US


def test_a_last_step_after_the_allowance_is_still_recorded() -> None:
    slow = replace(RELEASE, offset_us=20 * MINUTE_US)
    procedure = replace(OWED, cues=(*(cue for cue in OWED.cues if cue.anchor is not Anchor.END), slow))
    assert only(replace(COURSE, procedure=procedure)).until_us == START_US + HOUR_US + 20 * MINUTE_US


def test_a_procedure_that_names_no_bounds_is_recorded_from_check_in_to_its_last_step() -> None:
    found = only(replace(COURSE, procedure=THEORY))
    assert (found.from_us, found.until_us) == (START_US - ALLOWANCE_US, START_US + HOUR_US + MINUTE_US)
    assert handover_allowance_us(PRESSED) == 0


def test_a_session_cancelled_beforehand_owes_nothing() -> None:
    gone = replace(COURSE.session, cancelled_at_us=START_US - 2 * HOUR_US)
    assert schedules(replace(COURSE, session=gone), START_US) == ()


def test_a_session_cancelled_while_the_room_was_open_owes_what_was_before() -> None:
    gone = replace(COURSE.session, cancelled_at_us=START_US)
    found = only(replace(COURSE, session=gone))
    assert (found.until_us, found.kept_until_us) == (START_US, START_US + LEAVING_US)


def test_a_cancellation_noted_after_the_end_changes_nothing() -> None:
    gone = replace(COURSE.session, cancelled_at_us=STOP_US + HOUR_US)
    assert schedules(replace(STOPPED, session=gone), START_US) == schedules(STOPPED, START_US)


MOVED_US = START_US + 10 * MINUTE_US


def test_a_moved_session_is_recorded_in_both_rooms() -> None:
    move = Move(from_room_id=1, to_room_id=9, moves_at_us=MOVED_US, recorded_at_us=MOVED_US - MINUTE_US)
    other = Move(from_room_id=5, to_room_id=6, moves_at_us=MOVED_US, recorded_at_us=MOVED_US)
    old, new = schedules(replace(STOPPED, moves=(other, move)), START_US)
    assert (old.room_id, old.from_us, old.until_us) == (1, START_US - HOUR_US, MOVED_US + LEAVING_US)
    assert (new.room_id, new.from_us, new.until_us) == (9, MOVED_US - MINUTE_US, STOP_US + ALLOWANCE_US)
    assert new.started_at_us == START_US


def test_a_move_entered_late_takes_nothing_off_the_old_room() -> None:
    entered_us = MOVED_US + 25 * MINUTE_US
    move = Move(from_room_id=1, to_room_id=9, moves_at_us=MOVED_US, recorded_at_us=entered_us)
    old, new = schedules(replace(STOPPED, moves=(move,)), entered_us)
    assert old.until_us == entered_us + LEAVING_US
    assert new.from_us == MOVED_US


def test_signals_and_ticks_given_only_in_the_new_room_count_there() -> None:
    move = Move(from_room_id=1, to_room_id=9, moves_at_us=MOVED_US, recorded_at_us=MOVED_US + MINUTE_US)
    signals = [emitted("C5", START_US), emitted("C8", STOP_US, room_id=9)]
    confirmed = {(9, "C9"): STOP_US + MINUTE_US}
    course = SessionCourse(COURSE.session, TICKED, signals, confirmed, (move,))
    _, new = schedules(course, START_US)
    assert (new.from_us, new.stopped_at_us, new.until_us) == (MOVED_US, STOP_US, STOP_US + MINUTE_US)


def test_people_who_move_when_everything_is_over_extend_nothing() -> None:
    late_us = STOP_US + ALLOWANCE_US - MINUTE_US
    move = Move(from_room_id=1, to_room_id=9, moves_at_us=late_us, recorded_at_us=late_us)
    old, new = schedules(replace(STOPPED, moves=(move,)), START_US)
    assert old.until_us == STOP_US + ALLOWANCE_US
    assert new.scheduled_us == MINUTE_US
