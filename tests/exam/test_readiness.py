from dataclasses import replace
from datetime import date, timedelta

from exam.clock import MINUTE_US, site_time
from exam.day import Room, RoomKind
from exam.readiness import (
    LineState,
    ReadinessLine,
    Topic,
    day_of,
    grouped,
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


def sound(
    room: str, state: LineState = LineState.OPEN, by: str = "", at_us: int | None = None
) -> ReadinessLine:
    return ReadinessLine(Topic.SOUND, room, state, "还没有人确认", by, at_us, "请试音")


def test_rooms_of_which_the_same_was_found_stand_together_where_the_first_stands() -> None:
    clock = ReadinessLine(Topic.CLOCKS, "", LineState.OPEN, "还没有核对")
    camera = ReadinessLine(Topic.CAMERAS, "R01", LineState.OPEN, "还没有人确认", next_step="请试音")
    ready = sound("R03", LineState.READY)
    found = grouped([sound("R01"), clock, ready, camera, sound("R02")])
    assert [one.subjects for one in found] == [["R01", "R02"], [], ["R03"], ["R01"]]
    assert [one.first for one in found] == [sound("R01"), clock, ready, camera]


def test_a_group_names_everybody_once_and_the_first_and_last_moment() -> None:
    [found] = grouped(
        [sound("R01", by="王芳", at_us=7), sound("R02", by="李强", at_us=5), sound("R03", by="王芳")]
    )
    assert found.people == ["王芳", "李强"]
    assert found.found_us == (5, 7)
    assert grouped([sound("R01", at_us=5)])[0].found_us == (5,)
    assert grouped([sound("R01")])[0].found_us == ()
