"""What a rehearsal leaves out, what it waits for, and what it says became of a signal."""

from dataclasses import replace

import pytest

from exam.clock import MINUTE_US, SECOND_US, LeapingClock, SimulatedClock, SteadyClock
from exam.course import SessionCourse
from exam.cues import RoomCue, session_cues
from exam.players import AWAY_US
from exam.rehearsal import (
    LEAD_US,
    Became,
    Rehearsed,
    RehearsedSignal,
    Sounded,
    became_of,
    is_rehearsed,
    leap_us,
    next_moment,
    next_sound,
    not_followed,
    pressed_at,
)
from tests.exam.day_with_cues import PRESSED, START_US, course, emitted, missed
from tests.exam.test_players import WELL

BEFORE_US = START_US - 60 * MINUTE_US


def cue(code: str, of: SessionCourse | None = None) -> RoomCue:
    return next(one for one in session_cues(of or course()) if one.cue.code == code)


def test_a_leap_is_to_a_steady_clock_what_sleep_is_and_nothing_goes_back() -> None:
    machine = SimulatedClock(START_US, uptime_us=5)
    leaping = LeapingClock(machine)
    steady = SteadyClock(leaping)
    leaping.leap(60 * MINUTE_US)
    assert (leaping.wall_us(), steady.wall_us()) == (START_US + 60 * MINUTE_US,) * 2
    assert steady.apart_us() == 0
    assert (leaping.monotonic_us(), leaping.boottime_us()) == (5, 60 * MINUTE_US + 5)
    leaping.sleep_us(7)
    assert machine.wall_us() == START_US + 7
    with pytest.raises(ValueError, match="back in time"):
        leaping.leap(-1)


def test_the_next_moment_is_that_of_the_next_sound_to_which_nothing_has_happened() -> None:
    cues = session_cues(course())
    assert next_moment(cues, BEFORE_US) == START_US - 15 * MINUTE_US
    assert next_moment(cues, START_US - 15 * MINUTE_US) == START_US
    assert next_moment(session_cues(course(emitted("C5", START_US))), START_US - MINUTE_US) == START_US
    both = course(emitted("C5", START_US), emitted("C5", START_US, room_id=2))
    assert next_sound(session_cues(both), START_US - MINUTE_US) == START_US + 45 * MINUTE_US
    assert next_moment(cues, START_US + 600 * MINUTE_US) is None


def test_what_is_only_shown_has_its_moment_too() -> None:
    both = [emitted("C5", START_US), emitted("C5", START_US, room_id=2)]
    cues = session_cues(course(*both))
    assert next_moment(cues, START_US) == START_US + 30 * MINUTE_US
    assert next_sound(cues, START_US) == START_US + 45 * MINUTE_US


def test_time_is_left_out_up_to_the_lead_and_little_of_it_not_at_all() -> None:
    assert leap_us(BEFORE_US, START_US) == 60 * MINUTE_US - LEAD_US
    assert leap_us(START_US - LEAD_US - 9 * SECOND_US, START_US) == 0
    assert leap_us(START_US + SECOND_US, START_US) == 0


def test_only_what_people_press_on_the_day_is_pressed_for_them() -> None:
    assert pressed_at(session_cues(course()), START_US) == []
    by_people = session_cues(course(procedure=PRESSED))
    found = pressed_at(by_people, START_US)
    assert [(one.cue.code, one.room_id) for one in found] == [("C5", 1), ("C5", 2)]
    assert is_rehearsed(found[0])


def test_players_that_were_there_are_waited_for_until_they_have_measured_anew() -> None:
    leapt_us = 60 * MINUTE_US
    now_us = WELL.seen_at_us + leapt_us
    offset_us = WELL.offset_us or 0
    follows = replace(WELL, seen_at_us=now_us + SECOND_US, offset_us=offset_us - leapt_us)
    assert not_followed([WELL], [follows], leapt_us, now_us) == []
    assert not_followed([WELL], [WELL], leapt_us, now_us) == [WELL], "not heard of since"
    assert not_followed([WELL], [], leapt_us, now_us) == [WELL]
    old = replace(follows, offset_us=offset_us)
    assert not_followed([WELL], [old], leapt_us, now_us) == [WELL], "still by the time before"
    unknown = replace(follows, offset_us=None, error_us=None)
    assert not_followed([WELL], [unknown], leapt_us, now_us) == [WELL]
    assert not_followed([replace(WELL, offset_us=None)], [follows], leapt_us, now_us) == []
    away = replace(WELL, seen_at_us=WELL.seen_at_us - AWAY_US - 1)
    assert not_followed([away], [], leapt_us, now_us) == []


def test_a_signal_was_heard_where_a_player_says_so_and_the_latest_counts() -> None:
    given = cue("C5", course(emitted("C5", START_US)))
    on_time, late = Sounded(START_US + 3_000, ""), Sounded(START_US + 40_000, "")
    assert became_of(given, START_US, [on_time, late]) == (Became.HEARD, 40_000, "")
    broken = Sounded(None, "no_output")
    assert became_of(given, START_US, [broken, on_time]) == (Became.HEARD, 3_000, "no_output")
    assert became_of(given, START_US, [broken]) == (Became.SILENT, None, "no_output")
    assert became_of(given, START_US, []) == (Became.SILENT, None, "")
    assert became_of(cue("C5", course(missed("C5", START_US))), START_US, [])[0] is Became.MISSED
    assert became_of(cue("C5"), START_US, []) == (Became.NOT_REACHED, None, "")


def signal(became: Became, room: str = "第1考场") -> RehearsedSignal:
    return RehearsedSignal("T1", room, "C5", "开考信号", START_US, became)


def test_a_rehearsal_is_whole_when_everything_had_its_turn() -> None:
    signals = (signal(Became.HEARD), signal(Became.SILENT, "第2考场"), signal(Became.MISSED))
    done = Rehearsed("2026-11-22", 1, 2, signals)
    assert done.is_whole
    assert done.failed == signals[1:]
    assert not replace(done, signals=(*signals, signal(Became.NOT_REACHED))).is_whole
