from dataclasses import replace

import pytest

from evidence.timeline import Interval
from exam.clock import MINUTE_US
from exam.day import Room, RoomKind, Session, SessionKind
from tests.world import DURATION_US, START_US
from web.playback_choice import Choice, Wanted, checked, session_interval, submitted, suggested

ROOMS = [Room(1, "R01", "第1考场", RoomKind.THEORY), Room(2, "R02", "第2考场", RoomKind.THEORY)]
MORNING = Session(7, 1, "T1", SessionKind.THEORY, "理论知识", "theory", START_US, DURATION_US, (2,))
NOON = replace(MORNING, id=8, code="T2", planned_start_us=START_US + 300 * MINUTE_US, room_ids=(1, 2))
SESSIONS = [MORNING, NOON]
NOW_US = START_US + 30 * MINUTE_US
GOOD = Choice("1", "2026-11-22", "09:00", "09:30:15", "质量督导检查", "")


def test_a_session_is_shown_from_before_check_in_until_after_the_end() -> None:
    assert session_interval(MORNING) == Interval(
        START_US - 20 * MINUTE_US, START_US + DURATION_US + 15 * MINUTE_US
    )


def test_a_session_of_an_unknown_procedure_begins_a_little_before_its_start() -> None:
    unknown = replace(MORNING, procedure_code="forgotten")
    assert session_interval(unknown).from_us == START_US - 5 * MINUTE_US


def test_a_stretch_that_is_being_looked_at_is_suggested_as_it_is() -> None:
    asked = {"room": "1", "from": str(START_US), "until": str(START_US + 90_000_000)}
    choice = suggested(asked, ROOMS, SESSIONS, NOW_US)
    assert (choice.room, choice.time_from, choice.time_until) == ("1", "09:00:00", "09:01:30")


def test_without_a_wish_the_latest_session_and_its_first_room_are_suggested() -> None:
    choice = suggested({}, ROOMS, SESSIONS, NOW_US)
    assert (choice.room, choice.date, choice.time_from, choice.time_until) == (
        "2",
        "2026-11-22",
        "08:40:00",
        "10:15:00",
    )


def test_a_moment_chooses_the_session_of_the_room_that_holds_it() -> None:
    other = replace(MORNING, id=9, room_ids=(1,), planned_start_us=START_US + 5 * MINUTE_US)
    choice = suggested({"room": "1", "at": str(START_US)}, ROOMS, [MORNING, other], NOW_US)
    assert (choice.room, choice.time_from, choice.at) == ("1", "08:45:00", str(START_US))


def test_a_moment_in_a_room_without_session_takes_the_session_of_the_hour() -> None:
    choice = suggested({"room": "1", "at": str(START_US)}, ROOMS, [MORNING], NOW_US)
    assert (choice.room, choice.time_from) == ("1", "08:40:00")


def test_a_moment_outside_every_session_is_shown_with_half_an_hour_around_it() -> None:
    at_us = START_US - 180 * MINUTE_US
    choice = suggested({"at": str(at_us)}, ROOMS, SESSIONS, NOW_US)
    assert (choice.room, choice.time_from, choice.time_until) == ("1", "05:30:00", "06:30:00")


def test_a_session_may_be_asked_for_by_number() -> None:
    assert suggested({"session": "8"}, ROOMS, SESSIONS, NOW_US).time_from == "13:40:00"


def test_an_empty_site_suggests_no_room() -> None:
    assert suggested({"room": "x", "at": "-4"}, [], [], NOW_US).room == ""


def test_a_good_choice_becomes_numbers() -> None:
    interval = Interval(START_US, START_US + 30 * MINUTE_US + 15_000_000)
    assert checked(GOOD, ROOMS, NOW_US) == Wanted(1, interval, "质量督导检查", None)
    assert checked(replace(GOOD, at=str(START_US)), ROOMS, NOW_US) == Wanted(
        1, interval, "质量督导检查", START_US
    )
    outside = checked(replace(GOOD, at="12"), ROOMS, NOW_US)
    assert isinstance(outside, Wanted)
    assert outside.at_us is None


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (replace(GOOD, room="3"), "请选择考场"),
        (replace(GOOD, room="一"), "请选择考场"),
        (replace(GOOD, date=""), "请填写日期"),
        (replace(GOOD, time_until="24:61"), "请填写日期"),
        (replace(GOOD, time_until="09:00"), "结束时间应晚于开始时间"),
        (replace(GOOD, time_from="00:00", time_until="12:00:01"), "最多调阅12小时"),
        (replace(GOOD, date="2026-11-23"), "尚未开始"),
        (replace(GOOD, reason="看"), "调阅理由"),
        (replace(GOOD, reason="看" * 201), "调阅理由"),
    ],
)
def test_each_fault_is_one_sentence(changed: Choice, fault: str) -> None:
    faults = checked(changed, ROOMS, NOW_US)
    assert isinstance(faults, list)
    assert len(faults) == 1
    assert fault in faults[0]


def test_every_fault_is_told_at_once() -> None:
    faults = checked(Choice(), ROOMS, NOW_US)
    assert isinstance(faults, list)
    assert len(faults) == 3


def test_a_pressed_reason_wins_over_a_typed_one() -> None:
    assert submitted({"reason": "质量督导检查", "typed_reason": "其他"}).reason == "质量督导检查"
    assert submitted({"reason": "", "typed_reason": " 其他 "}).reason == "其他"
