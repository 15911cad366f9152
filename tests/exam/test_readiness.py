from dataclasses import replace
from datetime import date, timedelta

from exam.clock import MINUTE_US, site_time
from exam.day import Room, RoomKind
from exam.readiness import (
    LineState,
    ReadinessLine,
    Topic,
    day_of,
    is_spare_room_large_enough,
    next_exam_day,
    open_lines,
    spare_rooms,
)
from tests.exam.day_with_cues import SESSION, START_US

DAY = site_time(START_US).date()
HALL = Room(9, "E01", "应急考场", RoomKind.CONTINGENCY_HALL)


def test_the_next_exam_day_is_today_or_later_and_has_a_session_that_takes_place() -> None:
    later = replace(SESSION, planned_start_us=START_US + 48 * 60 * MINUTE_US)
    assert day_of(SESSION) == DAY
    assert next_exam_day([later, SESSION], DAY) == DAY
    assert next_exam_day([later, SESSION], DAY + timedelta(days=1)) == DAY + timedelta(days=2)
    assert next_exam_day([replace(SESSION, cancelled_at_us=1)], DAY) is None
    assert next_exam_day([], date(2026, 1, 1)) is None


def test_a_spare_room_is_a_contingency_hall_that_no_session_of_the_day_needs() -> None:
    rooms = [HALL, Room(1, "R01", "第1考场", RoomKind.THEORY)]
    assert spare_rooms(rooms, [SESSION]) == [HALL]
    assert spare_rooms(rooms, [replace(SESSION, room_ids=(9,))]) == []


def test_the_fullest_room_has_to_fit_into_one_spare_room() -> None:
    assert is_spare_room_large_enough([10, 30], [28, 30])
    assert not is_spare_room_large_enough([10, 20], [28])
    assert is_spare_room_large_enough([], []), "nobody is seated yet"


def test_what_is_open_is_told_apart() -> None:
    ready = ReadinessLine(Topic.DISKS, "", LineState.READY, "够用")
    unfinished = replace(ready, topic=Topic.CLOCKS, state=LineState.OPEN)
    assert open_lines([ready, replace(ready, state=LineState.NOTED), unfinished]) == [unfinished]
