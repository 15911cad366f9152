"""Staff PINs: which are refused, how often they may be tried, and what is signed with them."""

import pytest

from exam.clock import MINUTE_US
from exam.pin_attempts import FREE, LOCKED_AT, PAUSE_US, Standing, standing
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


def test_five_wrong_tries_pause_a_quarter_of_an_hour() -> None:
    wrong = [T_US + number for number in range(FREE)]
    assert standing([], None, T_US) == Standing(may_try=True, tries_left=5)
    assert standing(wrong[:-1], None, T_US) == Standing(may_try=True, tries_left=1)
    until_us = wrong[-1] + PAUSE_US
    assert standing(wrong, None, until_us - 1) == Standing(may_try=False, tries_left=0, until_us=until_us)
    assert standing(wrong, None, until_us) == Standing(may_try=True, tries_left=5)


def test_after_the_pause_each_wrong_try_counts_on_to_the_lock() -> None:
    wrong = [T_US] * FREE + [T_US + PAUSE_US] * (LOCKED_AT - FREE)
    assert standing(wrong[:-1], None, T_US + PAUSE_US).tries_left == 1
    locked = standing(wrong, None, T_US + 10 * PAUSE_US)
    assert locked == Standing(may_try=False, tries_left=0, needs_lead=True)


def test_the_lead_unlocks_and_what_was_wrong_before_counts_no_more() -> None:
    wrong = [T_US] * LOCKED_AT
    assert standing(wrong, T_US, T_US + 1) == Standing(may_try=True, tries_left=5)
    assert standing([*wrong, T_US + 2], T_US, T_US + 3).tries_left == 4


def test_tries_of_a_clock_that_was_far_ahead_hold_up_nobody_for_longer() -> None:
    day_us = 24 * 60 * MINUTE_US
    a_little = [T_US + PAUSE_US] * 5
    assert standing(a_little, None, T_US).until_us == T_US + 2 * PAUSE_US
    assert standing([T_US + day_us] * 5, None, T_US) == Standing(may_try=True, tries_left=5)
    assert standing([T_US + day_us] * 10, None, T_US).needs_lead


def test_what_is_signed_holds_every_field_in_one_way() -> None:
    act = StaffAct(3, "u", "n", 9, "redirect", {"session_id": 1, "reason": "换考场"})
    expected = (
        '{"act":"redirect","kiosk_uuid":"u","nonce":"n","pin_id":3,"signed_at_us":9,'
        '"subject":{"reason":"换考场","session_id":1}}'
    )
    assert act.message() == b"kaochang staff act/1\n" + expected.encode()
