import pytest

from exam.clock import MINUTE_US
from exam.delay_entries import DelayRefusal, delay_refusal
from exam.room_times import RoomTimes
from tests.exam.day_with_cues import HOUR_US, START_US

RUNNING = RoomTimes(START_US, None, START_US + HOUR_US)
NOW_US = START_US + 30 * MINUTE_US


@pytest.mark.parametrize(
    ("from_min", "until_min", "refusal"),
    [
        (5, 12, None),
        (-1, 1, None),
        (5, 30, None),
        (12, 12, DelayRefusal.WRONG_WAY_ROUND),
        (25, 31, DelayRefusal.IN_THE_FUTURE),
        (-9, 0, DelayRefusal.BEFORE_START),
    ],
)
def test_a_delay_lies_between_the_start_and_now(
    from_min: int, until_min: int, refusal: DelayRefusal | None
) -> None:
    stretch = START_US + from_min * MINUTE_US, START_US + until_min * MINUTE_US
    assert delay_refusal(RUNNING, *stretch, NOW_US) is refusal


def test_a_room_that_has_not_started_or_has_finished_has_no_delays() -> None:
    stretch = START_US + MINUTE_US, START_US + 2 * MINUTE_US
    assert delay_refusal(RoomTimes(), *stretch, NOW_US) is DelayRefusal.NOT_RUNNING
    over = RoomTimes(START_US, START_US + 20 * MINUTE_US, START_US + HOUR_US)
    assert delay_refusal(over, *stretch, NOW_US) is DelayRefusal.OVER
