from datetime import datetime

import pytest

from exam.clock import MINUTE_US, SITE_ZONE, to_us
from exam.day import RoomKind
from exam.recording_decision import (
    LEAD_US,
    NEVER_US,
    Decision,
    Ground,
    HandAct,
    HandOrder,
    Hold,
    ModeChange,
    Owed,
    RecordingMode,
    RoomOrders,
    RoomRecording,
    decide,
    owed_by_room,
    owed_for_exam_day,
    owed_for_session,
    owed_spans,
)
from exam.recording_schedule import Schedule

HOUR_US = 60 * MINUTE_US
OPENS_US = to_us(datetime(2026, 11, 22, 8, 0, tzinfo=SITE_ZONE))
OVER_US = OPENS_US + 3 * HOUR_US
KEPT_US = OVER_US + MINUTE_US
SESSION = Owed(OPENS_US, OVER_US, Ground.SESSION, KEPT_US)
NOON_US = OPENS_US + 4 * HOUR_US
INSIDE_US = OPENS_US + HOUR_US


def start(at_us: int) -> HandOrder:
    return HandOrder(HandAct.START, at_us)


def stop(at_us: int) -> HandOrder:
    return HandOrder(HandAct.STOP, at_us)


def orders(*by_hand: HandOrder) -> RoomOrders:
    return RoomOrders(by_hand=by_hand)


@pytest.mark.parametrize(
    ("now_us", "decision"),
    [
        (OPENS_US - LEAD_US - 1, Decision(RoomRecording.STAND_BY, OPENS_US, Ground.SESSION)),
        (OPENS_US - LEAD_US, Decision(RoomRecording.RECORD, OVER_US, Ground.SESSION)),
        (OPENS_US, Decision(RoomRecording.RECORD, OVER_US, Ground.SESSION)),
        (OVER_US, Decision(RoomRecording.RECORD, OVER_US, Ground.SESSION)),
        (KEPT_US, Decision(RoomRecording.STAND_BY, None)),
    ],
)
def test_by_schedule_cameras_connect_early_and_stop_after_the_tail(now_us: int, decision: Decision) -> None:
    assert decide(owed_by_room([SESSION], RoomOrders()), now_us) == decision


def test_a_stop_by_hand_holds_back_what_is_on_and_nothing_that_comes_later() -> None:
    later = Owed(NOON_US, NOON_US + HOUR_US, Ground.SESSION)
    owed = owed_by_room([SESSION, later], orders(stop(INSIDE_US)))
    assert owed[0].holds == (Hold(INSIDE_US, OVER_US),)
    assert decide(owed, INSIDE_US) == Decision(RoomRecording.HELD, OVER_US, Ground.SESSION)
    assert decide(owed, OVER_US + 1).state is RoomRecording.RECORD  # the tail: nothing is owed, nothing lost
    assert decide(owed, NOON_US).state is RoomRecording.RECORD


def test_a_start_by_hand_takes_up_again_what_was_stopped_and_ends_with_it() -> None:
    again_us = INSIDE_US + MINUTE_US
    owed = owed_by_room([SESSION], orders(stop(INSIDE_US), start(again_us)))
    assert owed == (Owed(OPENS_US, OVER_US, Ground.SESSION, KEPT_US, holds=(Hold(INSIDE_US, again_us),)),)
    assert decide(owed, again_us) == Decision(RoomRecording.RECORD, OVER_US, Ground.SESSION)


def test_a_start_by_hand_outside_the_schedule_lasts_until_somebody_stops_it() -> None:
    owed = owed_by_room([], orders(start(INSIDE_US)))
    assert decide(owed, INSIDE_US) == Decision(RoomRecording.RECORD, None, Ground.BY_HAND)
    ended = owed_by_room([], orders(start(INSIDE_US), stop(NOON_US)))
    assert ended == (Owed(INSIDE_US, NOON_US, Ground.BY_HAND),)
    assert decide(ended, NOON_US).state is RoomRecording.STAND_BY


def test_a_stop_where_nothing_is_on_changes_nothing() -> None:
    assert owed_by_room([SESSION], orders(stop(NOON_US))) == (SESSION,)


def test_all_day_records_from_the_change_until_the_next() -> None:
    modes = (ModeChange(RecordingMode.ALL_DAY, OPENS_US), ModeChange(RecordingMode.SCHEDULE, NOON_US))
    owed = owed_by_room([], RoomOrders(site_modes=modes))
    assert owed == (Owed(OPENS_US, NOON_US, Ground.ALL_DAY),)
    forever = owed_by_room([], RoomOrders(site_modes=modes[:1]))
    assert decide(forever, NOON_US) == Decision(RoomRecording.RECORD, None, Ground.ALL_DAY)


def test_the_rooms_own_mode_wins_until_it_is_given_back() -> None:
    site = (ModeChange(RecordingMode.ALL_DAY, OPENS_US),)
    room = (ModeChange(RecordingMode.MANUAL, INSIDE_US), ModeChange(None, NOON_US))
    owed = owed_by_room([], RoomOrders(site_modes=site, room_modes=room))
    assert [(one.from_us, one.until_us) for one in owed] == [(OPENS_US, INSIDE_US), (NOON_US, NEVER_US)]


def test_by_hand_a_session_is_owed_but_held_until_somebody_starts() -> None:
    mode = (ModeChange(RecordingMode.MANUAL, OPENS_US - HOUR_US),)
    held = owed_by_room([SESSION], RoomOrders(room_modes=mode))
    assert decide(held, INSIDE_US) == Decision(RoomRecording.HELD, OVER_US, Ground.SESSION)
    started = owed_by_room([SESSION], RoomOrders(room_modes=mode, by_hand=(start(INSIDE_US),)))
    assert decide(started, INSIDE_US) == Decision(RoomRecording.RECORD, None, Ground.BY_HAND)


def test_several_reasons_are_recorded_to_the_end_of_the_last() -> None:
    longer = Owed(OPENS_US, NOON_US, Ground.EXAM_DAY)
    assert decide((SESSION, longer), INSIDE_US) == Decision(RoomRecording.RECORD, NOON_US, Ground.EXAM_DAY)


def test_a_session_nobody_stopped_has_no_end_and_may_be_overdue() -> None:
    running = Schedule(
        OPENS_US, NOON_US, OPENS_US, None, is_open_ended=True, is_overdue=True, kept_until_us=9
    )
    owed = owed_for_session(running)
    assert (owed.until_us, owed.is_overdue) == (NEVER_US, True)
    assert decide([owed], NOON_US) == Decision(RoomRecording.RECORD, None, Ground.SESSION, is_overdue=True)
    assert owed_for_session(Schedule(OPENS_US, OVER_US, None, None)).until_us == OVER_US


def test_rooms_where_papers_lie_are_recorded_the_whole_exam_day() -> None:
    midnight_us = OPENS_US - 8 * HOUR_US
    for kind in (RoomKind.SECURE_ROOM, RoomKind.EXAM_OFFICE):
        assert owed_for_exam_day(kind, [SESSION, SESSION]) == (
            Owed(midnight_us, midnight_us + 24 * HOUR_US, Ground.EXAM_DAY),
        )
    assert owed_for_exam_day(RoomKind.SECURE_ROOM, []) == ()


def test_the_check_in_is_recorded_while_any_session_is_on() -> None:
    overlapping = Owed(INSIDE_US, NOON_US, Ground.SESSION)
    evening = Owed(NOON_US + HOUR_US, NOON_US + 2 * HOUR_US, Ground.SESSION)
    assert owed_for_exam_day(RoomKind.CHECK_IN, [evening, SESSION, overlapping]) == (
        Owed(OPENS_US, NOON_US, Ground.EXAM_DAY),
        Owed(NOON_US + HOUR_US, NOON_US + 2 * HOUR_US, Ground.EXAM_DAY),
    )
    assert owed_for_exam_day(RoomKind.CHECK_IN, []) == ()


def test_an_empty_exam_room_owes_nothing() -> None:
    assert owed_for_exam_day(RoomKind.CONTINGENCY_HALL, [SESSION]) == ()


def test_what_is_owed_for_several_reasons_is_counted_once_and_up_to_now() -> None:
    longer = Owed(INSIDE_US, NEVER_US, Ground.BY_HAND)
    assert owed_spans([longer, SESSION], NOON_US) == [(OPENS_US, NOON_US)]
    assert owed_spans([longer, SESSION], INSIDE_US) == [(OPENS_US, INSIDE_US)]
