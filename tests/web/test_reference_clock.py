"""What the programs say that set the machine's clock, in their own words."""

from collections.abc import Sequence

import pytest

from exam.clock import MINUTE_US, SECOND_US, SimulatedClock, SteadyClock
from exam.clock_check import ClockSource
from tests.world import CLOCK_US
from web.reference_clock import (
    CHRONY,
    ReferenceWatch,
    Synchronised,
    ask_program,
    from_chrony,
    from_timesync,
    look,
)

TRACKING = """\
Reference ID    : CB006E01 (203.0.113.1)
Stratum         : 3
Ref time (UTC)  : Sun Nov 22 00:49:30 2026
System time     : 0.412000000 seconds slow of NTP time
Last offset     : -0.000023 seconds
RMS offset      : 0.000034 seconds
Frequency       : 12.345 ppm fast
Residual freq   : -0.001 ppm
Skew            : 0.017 ppm
Root delay      : 0.020000000 seconds
Root dispersion : 0.005000000 seconds
Update interval : 64.2 seconds
Leap status     : Normal
"""
RECEIVER = TRACKING.replace("CB006E01 (203.0.113.1)", "50505300 (PPS0)").replace("slow", "fast")
TIMESYNC = """\
       Server: 203.0.113.7 (ntp.example)
Poll interval: 17min 4s (min: 32s; max 34min 8s)
         Leap: normal
      Version: 4
      Stratum: 2
    Reference: CB006E01
    Precision: 1us (-24)
Root distance: 18.257ms (max: 5s)
       Offset: +1.500s
        Delay: 30ms
       Jitter: 3.226ms
 Packet count: 5
    Frequency: +5.107ppm
"""


def test_chrony_tells_how_far_the_machine_is_off_and_how_well_it_knows() -> None:
    assert from_chrony(TRACKING) == Synchronised(ClockSource.NTP, "203.0.113.1", -412_000, 15_000)
    assert from_chrony(RECEIVER) == Synchronised(ClockSource.GNSS, "PPS0", 412_000, 15_000)


@pytest.mark.parametrize(
    "told", ["", TRACKING.replace("Normal", "Not synchronised"), "506 Cannot talk to daemon"]
)
def test_a_clock_that_chrony_does_not_hold_in_step_has_no_reference(told: str) -> None:
    assert from_chrony(told) is None


def test_timesyncd_tells_how_far_the_server_was_ahead() -> None:
    assert from_timesync(TIMESYNC) == Synchronised(ClockSource.NTP, "203.0.113.7", -1_500_000, 33_257)
    behind = TIMESYNC.replace("+1.500s", "-1min 2.5s")
    assert from_timesync(behind) == Synchronised(ClockSource.NTP, "203.0.113.7", 62_500_000, 33_257)


@pytest.mark.parametrize("told", ["", TIMESYNC.replace("count: 5", "count: 0"), "Server: n/a"])
def test_timesyncd_that_has_heard_nothing_is_no_reference(told: str) -> None:
    assert from_timesync(told) is None


def test_the_second_program_is_asked_where_the_first_has_nothing_to_say() -> None:
    assert look(lambda command: None if command == CHRONY else TIMESYNC) == from_timesync(TIMESYNC)
    assert look(lambda command: TRACKING if command == CHRONY else TIMESYNC) == from_chrony(TRACKING)
    assert look(lambda _command: None) is None


def test_a_program_that_does_not_exist_or_fails_says_nothing() -> None:
    assert ask_program(["no-such-program-here"]) is None
    assert ask_program(["false"]) is None
    assert ask_program(["echo", "Leap: normal"]) == "Leap: normal\n"


def test_programs_are_asked_once_a_minute_and_the_consoles_own_clock_is_compared() -> None:
    asked: list[Sequence[str]] = []

    def ask(command: Sequence[str]) -> str:
        asked.append(command)
        return TRACKING

    machine = SimulatedClock(CLOCK_US)
    clock, watch = SteadyClock(machine), ReferenceWatch(ask)
    first = watch.reading(clock)
    assert first is not None
    assert (first.offset_us, first.error_us, first.measured_at_us) == (-412_000, 15_000, CLOCK_US)
    machine.step_wall(3 * SECOND_US)  # somebody sets the machine; the console goes on as before
    second = watch.reading(clock)
    assert second is not None
    assert second.offset_us == -412_000 - 3 * SECOND_US
    assert len(asked) == 1
    machine.sleep_us(MINUTE_US)
    watch.reading(clock)
    assert len(asked) == 2


def test_without_programs_or_without_answers_there_is_no_reference() -> None:
    assert ReferenceWatch().reading(SimulatedClock(CLOCK_US)) is None
    assert ReferenceWatch(lambda _command: "").reading(SimulatedClock(CLOCK_US)) is None
