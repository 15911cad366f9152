from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam.certificate import (
    UNRECORDED,
    Account,
    Finding,
    Reckoning,
    Stretch,
    account_for,
    reckon,
)
from exam.recording_schedule import Schedule

MINUTE = Schedule(0, 60, None, None)


def stretch(account: Account, from_us: int, until_us: int, reason: str = "") -> Stretch:
    return Stretch(account, from_us, until_us, reason)


def test_what_nothing_was_said_about_is_unaccounted() -> None:
    found = account_for(MINUTE, [stretch(Account.RECORDED, 10, 20), stretch(Account.GAP, 30, 40, "stalled")])
    assert found == (
        stretch(Account.UNACCOUNTED, 0, 10, UNRECORDED),
        stretch(Account.RECORDED, 10, 20),
        stretch(Account.UNACCOUNTED, 20, 30, UNRECORDED),
        stretch(Account.GAP, 30, 40, "stalled"),
        stretch(Account.UNACCOUNTED, 40, 60, UNRECORDED),
    )


def test_overlaps_count_once_and_neighbours_of_one_kind_are_one() -> None:
    found = account_for(
        MINUTE,
        [
            stretch(Account.RECORDED, -10, 20),
            stretch(Account.RECORDED, 15, 30),
            stretch(Account.RECORDED, 16, 18),
            stretch(Account.GAP, 25, 40, "stalled"),
            stretch(Account.GAP, 40, 50, "unreachable"),
            stretch(Account.OPEN, 50, 90, "future"),
        ],
    )
    assert found == (
        stretch(Account.RECORDED, 0, 30),
        stretch(Account.GAP, 30, 40, "stalled"),
        stretch(Account.GAP, 40, 50, "unreachable"),
        stretch(Account.OPEN, 50, 60, "future"),
    )


@given(
    st.lists(
        st.builds(stretch, st.sampled_from(Account), st.integers(-20, 80), st.integers(-20, 80)), max_size=8
    )
)
def test_every_scheduled_moment_is_in_exactly_one_sum(stretches: list[Stretch]) -> None:
    found = account_for(MINUTE, stretches)
    assert found[0].from_us == 0
    assert found[-1].until_us == 60
    assert all(one.until_us == after.from_us for one, after in pairwise(found))
    assert reckon(found).scheduled_us == 60


@pytest.mark.parametrize(
    ("sums", "finding"),
    [
        (Reckoning(recorded_us=9), Finding.COMPLETE),
        (Reckoning(recorded_us=9, open_us=1), Finding.COMPLETE),
        (Reckoning(recorded_us=9, gap_us=1), Finding.ACCOUNTED),
        (Reckoning(recorded_us=9, gap_us=1, unaccounted_us=1), Finding.UNACCOUNTED),
        (Reckoning(open_us=1), Finding.NOTHING_DUE),
    ],
)
def test_the_worst_second_decides_what_is_stated(sums: Reckoning, finding: Finding) -> None:
    assert sums.finding is finding


def test_a_share_is_rounded_down_and_open_time_is_no_part_of_it() -> None:
    assert Reckoning(recorded_us=999_999, gap_us=1).covered_share == 9_999
    assert Reckoning(recorded_us=5, open_us=5).covered_share == 10_000
    assert Reckoning(open_us=5).covered_share is None


def test_open_time_makes_a_result_provisional() -> None:
    assert Reckoning(recorded_us=5, open_us=1).is_provisional
    assert not Reckoning(recorded_us=5).is_provisional
    assert Reckoning(1, 2, 3, 4) + Reckoning(10, 20, 30, 40) == Reckoning(11, 22, 33, 44)
