"""Which clocks are right enough for the exam, and what a person read on another clock."""

from dataclasses import replace
from datetime import datetime

import pytest

from exam.clock import MINUTE_US, SECOND_US, SITE_ZONE, to_us
from exam.clock_check import (
    ClockKind,
    ClockReading,
    ClockSource,
    ClockVerdict,
    Counted,
    Tolerance,
    check_clocks,
    clock_verdict,
    next_minute_us,
    reading_by_hand,
)

NOW_US = to_us(datetime(2026, 11, 22, 8, 50, tzinfo=SITE_ZONE))
WITHIN = Tolerance(SECOND_US, MINUTE_US)
CAMERA = ClockReading(ClockKind.CAMERA, "前方", "第1考场", ClockSource.RTCP, 400_000, None, NOW_US)


@pytest.mark.parametrize(
    ("reading", "verdict"),
    [
        (CAMERA, ClockVerdict.RIGHT),
        (replace(CAMERA, offset_us=-SECOND_US), ClockVerdict.RIGHT),
        (replace(CAMERA, offset_us=SECOND_US + 1), ClockVerdict.WRONG),
        (replace(CAMERA, offset_us=-SECOND_US - 1), ClockVerdict.WRONG),
        (replace(CAMERA, error_us=SECOND_US + 1), ClockVerdict.UNSURE),
        (replace(CAMERA, measured_at_us=NOW_US - MINUTE_US - 1), ClockVerdict.STALE),
        (replace(CAMERA, measured_at_us=NOW_US + MINUTE_US + 1), ClockVerdict.STALE),
        (replace(CAMERA, offset_us=None), ClockVerdict.UNMEASURED),
        (ClockReading(ClockKind.CAMERA, "前方"), ClockVerdict.UNMEASURED),
    ],
)
def test_a_clock_is_right_only_when_that_is_known(reading: ClockReading, verdict: ClockVerdict) -> None:
    assert clock_verdict(reading, WITHIN, NOW_US) is verdict


def test_of_a_player_counts_how_well_it_knows_the_time_and_not_what_its_own_clock_shows() -> None:
    page = replace(CAMERA, kind=ClockKind.PAGE, offset_us=-30 * SECOND_US, error_us=20_000)
    by_error = replace(WITHIN, counted=Counted.ERROR)
    assert clock_verdict(page, by_error, NOW_US) is ClockVerdict.RIGHT
    assert clock_verdict(replace(page, error_us=2 * SECOND_US), by_error, NOW_US) is ClockVerdict.WRONG
    assert clock_verdict(replace(page, error_us=None), by_error, NOW_US) is ClockVerdict.UNMEASURED


def test_those_that_need_somebody_stand_first_among_their_kind() -> None:
    right, wrong = CAMERA, replace(CAMERA, label="后方", offset_us=9 * SECOND_US)
    console = ClockReading(ClockKind.CONSOLE, "")
    checked = check_clocks([right, wrong, console], dict.fromkeys(ClockKind, WITHIN), NOW_US)
    assert [(one.reading, one.is_right) for one in checked] == [
        (console, False),
        (wrong, False),
        (right, True),
    ]


@pytest.mark.parametrize(
    ("written", "offset_us"),
    [
        ("08:50:00", 0),
        ("08:49:58", 2 * SECOND_US),
        (" 8：50：03 ", -3 * SECOND_US),
        ("08:50", 0),
        ("20:49:59", -(12 * 3600 - 1) * SECOND_US),
        ("20:50:01", (12 * 3600 - 1) * SECOND_US),
    ],
)
def test_what_a_reference_showed_is_compared_with_the_nearest_such_moment(
    written: str, offset_us: int
) -> None:
    assert reading_by_hand(written, NOW_US) == offset_us


def test_shortly_after_midnight_the_reference_may_still_show_yesterday() -> None:
    midnight_us = to_us(datetime(2026, 11, 22, 0, 0, 1, tzinfo=SITE_ZONE))
    assert reading_by_hand("23:59:59", midnight_us) == 2 * SECOND_US
    assert reading_by_hand("00:00:01", midnight_us - 2 * SECOND_US) == -2 * SECOND_US


@pytest.mark.parametrize(
    "written", ["", "9点", "24:00:00", "08:60:00", "08:50:60", "1:2:3:4", "-1:00:00", "8"]
)
def test_what_is_no_time_is_not_taken_for_one(written: str) -> None:
    assert reading_by_hand(written, NOW_US) is None


def test_the_next_full_minute_leaves_time_to_get_ready() -> None:
    assert next_minute_us(NOW_US) == NOW_US + MINUTE_US
    assert next_minute_us(NOW_US + 31 * SECOND_US) == NOW_US + 2 * MINUTE_US
