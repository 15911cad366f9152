"""When a kiosk's self-test has passed, and how many kiosks a morning needs."""

from dataclasses import replace

import pytest

from exam.admission_facts import Step
from exam.clock import MINUTE_US, SECOND_US
from exam.kiosk_capacity import Wave, cycle_us, need, needed
from exam.self_test import ALWAYS, Check, Result, Standing, Tried, standing

GOOD = [Tried(check, Result.GOOD) for check in Check]


def with_result(check: Check, result: Result) -> list[Tried]:
    return [replace(one, result=result) if one.check is check else one for one in GOOD]


def test_a_kiosk_whose_every_part_works_has_passed() -> None:
    assert standing(GOOD) is Standing.PASSED


@pytest.mark.parametrize("check", Check)
def test_one_bad_part_fails_the_whole(check: Check) -> None:
    assert standing(with_result(check, Result.BAD)) is Standing.FAILED


@pytest.mark.parametrize("check", Check)
def test_what_the_site_has_not_fitted_is_no_fault_but_for_what_every_kiosk_has(check: Check) -> None:
    expected = Standing.FAILED if check in ALWAYS else Standing.PASSED
    assert standing(with_result(check, Result.ABSENT)) is expected


def test_something_must_read_tickets() -> None:
    blind = [
        replace(one, result=Result.ABSENT) if one.check in {Check.CAMERA, Check.SCANNER} else one
        for one in GOOD
    ]
    assert standing(blind) is Standing.FAILED


def test_a_check_that_was_not_done_leaves_the_test_incomplete() -> None:
    assert standing(GOOD[:-1]) is Standing.INCOMPLETE
    assert standing([]) is Standing.INCOMPLETE


@pytest.mark.parametrize(
    ("candidates", "each_s", "kiosks"), [(300, 9, 3), (300, 15, 5), (300, 30, 10), (301, 9, 4), (0, 9, 0)]
)
def test_candidates_times_seconds_within_the_window(candidates: int, each_s: int, kiosks: int) -> None:
    assert needed(candidates, each_s * SECOND_US, 15 * MINUTE_US) == kiosks


def test_photo_and_signature_make_a_candidate_take_twenty_five_seconds() -> None:
    assert cycle_us([]) == 10 * SECOND_US
    assert cycle_us([Step.PHOTO, Step.SIGNATURE, Step.PHOTO]) == 25 * SECOND_US


WAVE = Wave(0, 15 * MINUTE_US, {1: 60, 2: 60, 3: 0})


def test_a_kiosk_for_the_whole_site_counts_for_every_room() -> None:
    assert not need(WAVE, [frozenset(), frozenset()], []).is_short
    short = need(WAVE, [frozenset()], [])
    assert (short.needed, short.available, short.is_short, short.unserved) == (2, 1, True, ())


def test_a_room_that_no_kiosk_serves_is_named() -> None:
    found = need(WAVE, [frozenset({1}), frozenset({1, 9})], [])
    assert (found.available, found.unserved, found.is_short) == (2, (2,), True)


def test_a_kiosk_of_other_rooms_does_not_count() -> None:
    assert need(WAVE, [frozenset({9})], []).available == 0
