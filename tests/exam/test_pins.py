"""Staff PINs: which are refused, how often they may be tried, and what is signed with them."""

import pytest

from exam.clock import MINUTE_US, SECOND_US
from exam.pin_attempts import (
    COUNTED_US,
    FIRST_WAIT_US,
    FREE,
    LONGEST_WAIT_US,
    NOTED_AT,
    Standing,
    is_noted,
    standing,
)
from exam.pins import pin_fault
from exam.staff_acts import StaffAct

T_US = 1_000 * MINUTE_US


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "12345a", "１２３４５６", " 12345"])
def test_a_pin_is_six_plain_digits(pin: str) -> None:
    assert "6位数字" in str(pin_fault(pin))


@pytest.mark.parametrize(
    "pin",
    [
        *("000000", "121212", "123123", "112233", "123321", "123456", "234567", "567890"),
        *("987654", "010010"),
    ],
)
def test_what_is_easy_to_guess_is_refused(pin: str) -> None:
    assert "过于简单" in str(pin_fault(pin))


def test_most_pins_will_do() -> None:
    good = sum(pin_fault(f"{number:06d}") is None for number in range(0, 1_000_000, 7))
    assert good / (1_000_000 / 7) > 0.99
    assert pin_fault("730419") is None


def test_after_three_wrong_tries_each_waits_longer_up_to_five_minutes() -> None:
    waits = []
    for count in range(10):
        until_us = standing([T_US] * count, T_US).until_us
        waits.append(0 if until_us is None else (until_us - T_US) // SECOND_US)
    assert waits == [0, 0, 0, 10, 20, 40, 80, 160, 300, 300]


def test_when_the_wait_is_over_one_may_try_again() -> None:
    wrong = [T_US] * (FREE + 1)
    until_us = T_US + FIRST_WAIT_US
    assert standing(wrong, until_us - 1) == Standing(may_try=False, until_us=until_us)
    assert standing(wrong, until_us) == Standing(may_try=True)


def test_tries_of_long_ago_count_no_more() -> None:
    assert standing([T_US] * 20, T_US + COUNTED_US) == Standing(may_try=True)
    assert is_noted([T_US] * NOTED_AT, T_US)
    assert not is_noted([T_US] * (NOTED_AT - 1), T_US)
    assert not is_noted([T_US] * NOTED_AT, T_US + COUNTED_US)


def test_tries_of_a_clock_that_was_far_ahead_hold_up_nobody_for_longer() -> None:
    a_little = [T_US + LONGEST_WAIT_US] * 10
    assert standing(a_little, T_US).until_us == T_US + 2 * LONGEST_WAIT_US
    assert standing([T_US + LONGEST_WAIT_US + 1] * 10, T_US) == Standing(may_try=True)


def test_what_is_signed_holds_every_field_in_one_way() -> None:
    act = StaffAct(3, "u", "n", 9, "redirect", {"session_id": 1, "reason": "换考场"})
    expected = (
        '{"act":"redirect","kiosk_uuid":"u","nonce":"n","pin_id":3,"signed_at_us":9,'
        '"subject":{"reason":"换考场","session_id":1}}'
    )
    assert act.message() == b"kaochang staff act/1\n" + expected.encode()
