from dataclasses import replace
from datetime import time

import pytest

from exam.clock import MINUTE_US, SECOND_US
from exam.clock_restart import (
    LONGEST_US,
    SURE_US,
    Word,
    hangs_on_time,
    may_hang_on_time,
    read_word,
    told_by_person,
    told_by_rooms,
)
from exam.clock_step import KeptClock
from exam.course import SessionCourse
from exam.players import CLOCK_LIMIT_US, MAY_RING_US
from exam.server_time import KnownTime
from tests.exam.day_with_cues import HOUR_US, SESSION, START_US, course, emitted

KEPT = KeptClock("boot-0", 0, 0, START_US, "before")
UP_US = 20 * SECOND_US


def armed(*, cancelled_at_us: int | None = None) -> SessionCourse:
    return course(session=replace(SESSION, armed_at_us=1, cancelled_at_us=cancelled_at_us))


def ended() -> SessionCourse:
    signals = [
        emitted(cue, at_us, room)
        for room in (1, 2)
        for cue, at_us in (("C5", START_US), ("C8", START_US + 1))
    ]
    return course(*signals)


def test_an_exam_that_goes_on_hangs_on_the_time_armed_or_not() -> None:
    assert hangs_on_time(course(), START_US + MINUTE_US)
    assert not hangs_on_time(ended(), START_US + HOUR_US)


def test_an_armed_session_that_rooms_may_begin_alone_hangs_on_the_time() -> None:
    assert hangs_on_time(armed(), START_US - MAY_RING_US)
    assert not hangs_on_time(armed(), START_US - MAY_RING_US - 1)
    assert not hangs_on_time(course(session=replace(SESSION, armed_at_us=None)), START_US - MAY_RING_US)
    assert not hangs_on_time(armed(cancelled_at_us=2), START_US - MAY_RING_US)


def test_a_session_without_its_procedure_may_hang_on_the_time_while_it_is_armed() -> None:
    one = replace(SESSION, armed_at_us=1)
    over_us = START_US + one.duration_us + MAY_RING_US
    assert may_hang_on_time(one, START_US - MAY_RING_US)
    assert may_hang_on_time(one, over_us)
    assert not may_hang_on_time(one, over_us + 1)
    assert not may_hang_on_time(replace(one, armed_at_us=None), START_US)


def test_a_word_is_the_consoles_time_by_the_clock_it_went_by_before() -> None:
    told = KnownTime("before", START_US + 3 * MINUTE_US, 4_000)
    assert read_word(KEPT, told, UP_US) == Word(START_US + 3 * MINUTE_US - UP_US, 4_000)


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (KEPT, KnownTime("another", START_US + MINUTE_US, 4_000)),
        (replace(KEPT, name=""), KnownTime("", START_US + MINUTE_US, 4_000)),
        (KEPT, KnownTime("before", START_US + MINUTE_US, SURE_US + 1)),
        (KEPT, KnownTime("before", START_US - CLOCK_LIMIT_US - 1, 4_000)),
        (KEPT, KnownTime("before", START_US + LONGEST_US + 1, 4_000)),
    ],
)
def test_what_is_of_another_clock_or_badly_known_or_too_old_is_no_word(
    kept: KeptClock, told: KnownTime
) -> None:
    assert read_word(kept, told, UP_US) is None


def test_the_middle_of_what_the_words_are_sure_of_is_the_time() -> None:
    fresh, older = Word(START_US, 3_000), Word(START_US + 90_000, 100_000)
    long_on_its_way, ahead = Word(START_US - 2 * SECOND_US, 2_000), Word(START_US + SECOND_US, 2_000)
    assert told_by_rooms([older, fresh, long_on_its_way]) == START_US - 10_000
    assert told_by_rooms([ahead, older, fresh]) == START_US - 3_000
    assert told_by_rooms([ahead, fresh]) == START_US - 3_000
    assert told_by_rooms([long_on_its_way]) == START_US - 2 * SECOND_US - 2_000


def test_words_that_contradict_one_another_are_settled_by_the_greater_number_or_by_nobody() -> None:
    one, another = Word(START_US, 3_000), Word(START_US + 5_000, 2_000)
    stood_still, set_ahead = Word(START_US - 40 * SECOND_US, 1_000), Word(START_US + 180 * SECOND_US, 1_000)
    assert told_by_rooms([set_ahead, one, stood_still, another]) == START_US - 3_000
    assert told_by_rooms([one, set_ahead]) is None
    assert told_by_rooms([]) is None


def test_a_watch_shows_the_first_such_moment_after_the_console_was_last_seen() -> None:
    assert told_by_person(time(16, 5), START_US) == START_US + 5 * MINUTE_US
    assert told_by_person(time(16, 0, 0), START_US + 400_000) == START_US + 400_000
    midnight_us = START_US + 8 * HOUR_US
    assert told_by_person(time(0, 1), midnight_us - MINUTE_US) == midnight_us + MINUTE_US


def test_a_watch_that_shows_an_earlier_moment_is_not_believed() -> None:
    assert told_by_person(time(15, 59), START_US) is None
    assert told_by_person(time(3, 59, 59), START_US) is not None
    assert told_by_person(time(4, 0, 1), START_US) is None
