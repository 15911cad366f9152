import pytest

from exam.clock import SECOND_US, SimulatedClock, SteadyClock
from exam.clock_step import (
    ASKED_US,
    NOTED_US,
    ClockAct,
    KeptClock,
    LastStep,
    StepChoice,
    first_offset_us,
    followed_us,
    judge_apart,
)

HOUR_US = 3600 * SECOND_US
OPEN = LastStep(1, HOUR_US, None)
KEPT = LastStep(1, HOUR_US, StepChoice.KEPT)
DONE = LastStep(1, HOUR_US, StepChoice.ADOPTED)


def test_a_steady_clock_goes_on_by_elapsed_time_whatever_the_machine_is_set_to() -> None:
    machine = SimulatedClock(1_000 * SECOND_US, uptime_us=5 * SECOND_US)
    clock = SteadyClock(machine)
    assert clock.wall_us() == machine.wall_us()
    machine.step_wall(HOUR_US)
    clock.sleep_us(SECOND_US)
    assert clock.wall_us() == 1_001 * SECOND_US
    assert clock.monotonic_us() == 6 * SECOND_US
    assert clock.apart_us() == HOUR_US
    clock.adopt(HOUR_US)
    assert (clock.apart_us(), clock.wall_us()) == (0, machine.wall_us())


def test_a_machine_that_sleeps_loses_no_time() -> None:
    machine = SimulatedClock(1_000 * SECOND_US)
    clock = SteadyClock(machine)
    machine.suspend(HOUR_US)
    assert (clock.wall_us(), clock.apart_us()) == (1_000 * SECOND_US + HOUR_US, 0)
    assert (clock.monotonic_us(), clock.boottime_us()) == (0, HOUR_US)


class Interrupted(SimulatedClock):
    """A machine on which something else runs in the middle of the first comparison."""

    reads = 0

    def wall_us(self) -> int:
        self.reads += 1
        if self.reads == 2:
            self.sleep_us(SECOND_US)
        return super().wall_us()


def test_a_comparison_that_was_interrupted_counts_less_than_a_quick_one() -> None:
    machine = Interrupted(10 * SECOND_US)
    clock = SteadyClock(machine)
    assert clock.apart_us() == 0
    assert machine.uptime_us == SECOND_US


@pytest.mark.parametrize(
    ("apart_us", "last", "is_live", "act"),
    [
        (0, None, True, ClockAct.NOTHING),
        (NOTED_US, None, True, ClockAct.FOLLOW),
        (-ASKED_US, None, True, ClockAct.FOLLOW),
        (ASKED_US, None, True, ClockAct.NOTHING),
        (ASKED_US, None, False, ClockAct.FOLLOW),
        (ASKED_US + 1, None, True, ClockAct.ASK),
        (-HOUR_US, None, True, ClockAct.ASK),
        (HOUR_US, None, False, ClockAct.ADOPT),
        (-HOUR_US, None, False, ClockAct.ADOPT),
        (-25 * HOUR_US, None, False, ClockAct.ASK),
        (HOUR_US, OPEN, True, ClockAct.NOTHING),
        (HOUR_US + NOTED_US, OPEN, True, ClockAct.NOTHING),
        (2 * HOUR_US, OPEN, True, ClockAct.ASK),
        (NOTED_US, OPEN, True, ClockAct.AGREE),
        (HOUR_US, KEPT, True, ClockAct.NOTHING),
        (0, KEPT, True, ClockAct.AGREE),
        (HOUR_US - ASKED_US, KEPT, True, ClockAct.NOTHING),
        (HOUR_US + ASKED_US + 1, KEPT, True, ClockAct.ASK),
        (HOUR_US, DONE, True, ClockAct.ASK),
        (0, DONE, True, ClockAct.NOTHING),
    ],
)
def test_what_the_console_does_when_the_clocks_come_apart(
    apart_us: int, last: LastStep | None, is_live: bool, act: ClockAct
) -> None:
    assert judge_apart(apart_us, last, is_live=is_live) is act


def test_a_small_difference_is_followed_too_slowly_to_be_heard() -> None:
    assert followed_us(SECOND_US, SECOND_US) == SECOND_US // 1000
    assert followed_us(-SECOND_US, SECOND_US) == -SECOND_US // 1000
    assert followed_us(10, SECOND_US) == 10
    assert followed_us(SECOND_US, -1) == 0


class TestStarting:
    SEEN_US = 1_000 * SECOND_US

    def kept(self, apart_us: int = 0) -> KeptClock:
        return KeptClock("boot", 990 * SECOND_US, apart_us, self.SEEN_US)

    def test_the_first_time_the_machine_is_believed(self) -> None:
        assert first_offset_us(None, "boot", 50, 20) == 30

    def test_in_the_same_boot_it_goes_on_as_before(self) -> None:
        assert first_offset_us(self.kept(), "boot", 9 * HOUR_US, 20) == 990 * SECOND_US

    def test_after_a_restart_of_the_machine_its_clock_is_as_wrong_as_before(self) -> None:
        wall_us = self.SEEN_US + HOUR_US + 60 * SECOND_US
        assert first_offset_us(self.kept(HOUR_US), "other", wall_us, 0) == wall_us - HOUR_US

    def test_a_clock_that_was_set_right_meanwhile_is_believed(self) -> None:
        wall_us = self.SEEN_US + 60 * SECOND_US
        assert first_offset_us(self.kept(HOUR_US), "other", wall_us, 0) == wall_us

    def test_time_never_goes_back_behind_what_was_seen(self) -> None:
        assert first_offset_us(self.kept(), "other", 5, 3) == self.SEEN_US - 3
