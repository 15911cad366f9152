"""What a player noted is read by the server's new clock: once, and never from or to one without a name."""

import pytest

from exam.clock import SECOND_US
from exam.clock_change import ClockChange, as_sent
from exam.server_time import Exchange, ServerTime

CHANGE = ClockChange("before", "after", 3 * SECOND_US)
REPORT = {"cue": "C5", "started_at_us": 1_000, "ended_at_us": None, "offset_us": 5, "clock": "before"}


def heard(*clocks: str, by_us: int = SECOND_US) -> list[ClockChange | None]:
    """What a player learns that asks again and again; every answer is so much ahead of the one before."""
    time = ServerTime()
    return [
        ClockChange.heard(time, Exchange(at, 50 + at + at * by_us, at, clock))
        for at, clock in enumerate(clocks)
    ]


def test_another_name_is_a_change_by_as_much_as_the_clocks_are_apart() -> None:
    assert heard("a", "a", "b") == [None, None, ClockChange("a", "b", SECOND_US)]


def test_a_clock_of_another_name_that_tells_the_same_is_a_change_too() -> None:
    assert heard("a", "b", by_us=0) == [None, ClockChange("a", "b", 0)]


@pytest.mark.parametrize("clocks", [("a", "", "a"), ("", "a"), ("", "")])
def test_nothing_is_carried_from_or_to_a_clock_without_a_name(clocks: tuple[str, ...]) -> None:
    assert heard(*clocks) == [None] * len(clocks)


def test_a_moment_is_shifted_once() -> None:
    once = CHANGE.of_moment(10, "before")
    assert once == (10 + 3 * SECOND_US, "after")
    assert CHANGE.of_moment(*once) == once
    assert CHANGE.of_moment(10, "") == (10, "")


def test_a_report_is_shifted_once_and_its_clock_is_not_sent() -> None:
    once = CHANGE.of_report(REPORT)
    assert once == REPORT | {
        "started_at_us": 1_000 + 3 * SECOND_US,
        "offset_us": 5 - 3 * SECOND_US,
        "clock": "after",
    }
    assert CHANGE.of_report(once) == once
    assert "clock" not in as_sent(once)


def test_a_report_of_a_life_before_clocks_had_names_stays_as_it_is() -> None:
    nameless = as_sent(REPORT)
    assert CHANGE.of_report(nameless) == nameless
