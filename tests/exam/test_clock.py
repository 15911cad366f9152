"""The clocks: the machine's own, and the one that stands still."""

from datetime import UTC, datetime

import pytest

from exam.clock import SECOND_US, SimulatedClock, SystemClock, from_us, site_time, to_us


def test_sleeping_on_the_simulated_clock_moves_both_clocks_at_once() -> None:
    clock = SimulatedClock(now_us=1_000, uptime_us=5)
    clock.sleep_us(SECOND_US)
    assert (clock.wall_us(), clock.monotonic_us()) == (1_000 + SECOND_US, 5 + SECOND_US)


def test_a_negative_wait_is_no_wait() -> None:
    clock = SimulatedClock(now_us=1_000)
    clock.sleep_us(-5)
    assert clock.wall_us() == 1_000


def test_a_clock_step_moves_the_wall_but_not_the_monotonic_clock() -> None:
    clock = SimulatedClock(now_us=10 * SECOND_US, uptime_us=7)
    clock.step_wall(-3 * SECOND_US)
    assert (clock.wall_us(), clock.monotonic_us()) == (7 * SECOND_US, 7)


def test_the_system_clock_waits_at_least_as_long_as_asked() -> None:
    clock = SystemClock()
    before_us = clock.monotonic_us()
    clock.sleep_us(2_000)
    assert clock.monotonic_us() - before_us >= 2_000


def test_the_system_clock_does_not_wait_for_zero() -> None:
    clock = SystemClock()
    clock.sleep_us(0)
    assert clock.wall_us() > to_us(datetime(2026, 1, 1, tzinfo=UTC))


def test_the_system_clock_counts_time_asleep_since_the_boot() -> None:
    clock = SystemClock()
    assert clock.boottime_us() >= clock.monotonic_us() - SECOND_US
    assert clock.slept_us() >= -SECOND_US


def test_moments_survive_the_way_there_and_back_to_the_microsecond() -> None:
    moment = datetime(2026, 11, 22, 1, 0, 0, 123_457, tzinfo=UTC)
    assert from_us(to_us(moment)) == moment


def test_people_at_the_site_read_beijing_time() -> None:
    assert site_time(to_us(datetime(2026, 11, 22, 1, 0, tzinfo=UTC))).strftime("%H:%M %z") == "09:00 +0800"


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_us(datetime(2026, 11, 22))  # noqa: DTZ001 - the fault under test
