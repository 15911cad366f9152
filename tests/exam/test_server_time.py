"""A player's measure of the server's time: the best exchange counts, ages, and is lost in sleep."""

import random
from dataclasses import replace

import pytest

from exam.clock import SECOND_US
from exam.server_time import STEP_US, UNSURE_US, Exchange, KnownTime, Measure, ServerTime

SERVER_US = 1_795_309_200_000_000


def exchange(sent_us: int, out_us: int, back_us: int, ahead_us: int = SERVER_US) -> Exchange:
    """The server's wall clock is `ahead_us` before this machine's monotonic clock."""
    return Exchange(sent_us, sent_us + out_us + ahead_us, sent_us + out_us + back_us)


def test_nothing_is_known_before_the_first_exchange() -> None:
    time = ServerTime()
    assert time.now_us(5) is None
    assert time.error_us(5) == UNSURE_US
    with pytest.raises(ValueError, match="measured"):
        time.monotonic_of(SERVER_US)


def test_an_even_exchange_tells_the_time_exactly() -> None:
    time = ServerTime()
    time.take(exchange(1000, 200, 200))
    assert time.now_us(2000) == SERVER_US + 2000
    assert time.monotonic_of(SERVER_US + 2000) == 2000
    assert time.error_us(1400) == 200


def test_the_error_is_never_more_than_said_whatever_the_way_took() -> None:
    seeded = random.Random(6)
    for _ in range(500):
        out, back = seeded.randrange(200_000), seeded.randrange(200_000)
        measure = Measure.of(exchange(seeded.randrange(10**9), out, back))
        assert abs(measure.offset_us - SERVER_US) <= measure.error_us


def test_the_shorter_round_trip_counts_and_a_longer_one_does_not() -> None:
    time = ServerTime()
    time.take(exchange(0, 10_000, 50_000))
    time.take(exchange(100_000, 1_000, 1_000))
    time.take(exchange(200_000, 90_000, 10_000))
    assert time.now_us(300_000) == SERVER_US + 300_000


def test_an_old_measure_gives_way_to_a_worse_new_one() -> None:
    time = ServerTime()
    time.take(exchange(0, 1_000, 1_000))
    much_later = 3600 * SECOND_US
    assert time.error_us(much_later) == 1_000 + (much_later - 2_000) // 10_000
    time.take(exchange(much_later, 20_000, 20_000, SERVER_US + 30_000))
    assert time.now_us(much_later) == SERVER_US + 30_000 + much_later


def test_a_servers_clock_that_was_set_is_believed_at_once() -> None:
    time = ServerTime()
    time.take(exchange(0, 100, 100))
    time.take(exchange(SECOND_US, 5_000, 5_000, SERVER_US + STEP_US + 10_000))
    assert time.now_us(0) == SERVER_US + STEP_US + 10_000


def test_a_machine_that_slept_knows_nothing_until_it_asks_again() -> None:
    time = ServerTime()
    time.notice_sleep(50)
    time.take(exchange(0, 100, 100))
    time.notice_sleep(90_000)
    assert time.now_us(0) == SERVER_US
    time.notice_sleep(SECOND_US)
    assert time.now_us(0) is None


def test_a_measure_that_has_aged_too_long_is_not_rung_by() -> None:
    time = ServerTime(Measure(SERVER_US, 0, 0))
    assert time.now_us(UNSURE_US * 10_000) is not None
    assert time.now_us(UNSURE_US * 10_000 + 10_000) is None


def test_another_clock_of_the_server_counts_at_once_and_tells_how_far_the_one_before_was_from_it() -> None:
    time = ServerTime()
    assert time.take(replace(exchange(0, 100, 100), clock="before")) == 0
    after = replace(exchange(SECOND_US, 50_000, 50_000, SERVER_US + 1_700), clock="after")
    assert time.take(after) == 1_700
    assert time.now_us(0) == SERVER_US + 1_700


@pytest.mark.parametrize(("before", "after"), [("", "real"), ("real", "")])
def test_nothing_is_carried_to_or_from_a_clock_without_a_name(before: str, after: str) -> None:
    time = ServerTime()
    time.take(replace(exchange(0, 100, 100), clock=before))
    assert time.take(replace(exchange(0, 100, 100, SERVER_US + SECOND_US), clock=after)) == 0
    assert time.now_us(0) == SERVER_US + SECOND_US


@pytest.mark.parametrize(
    "words", ["", "clock 1", "clock x 1", "clock 0 1", "clock 1 -1", f"clock {2**53} 1", "a b c d"]
)
def test_what_cannot_be_a_moment_is_no_word(words: str) -> None:
    assert KnownTime.from_header(words) is None


def test_a_word_is_read_as_it_was_sent() -> None:
    told = KnownTime("clock", SERVER_US, 250)
    assert KnownTime.from_header(told.in_header()) == told


def test_a_machine_tells_the_servers_time_only_while_it_knows_it_and_the_clocks_name() -> None:
    time = ServerTime()
    assert time.known_time(0) is None
    time.take(exchange(0, 100, 100))
    assert time.known_time(0) is None
    time.take(replace(exchange(0, 100, 100), clock="real"))
    assert time.known_time(SECOND_US) == KnownTime("real", SERVER_US + SECOND_US, 199)
