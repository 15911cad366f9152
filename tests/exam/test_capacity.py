import pytest

from exam.capacity import LOW_HOURS, Capacity, Owed, Readiness, Room, forecast
from exam.clock import MINUTE_US

HOUR_US = 60 * MINUTE_US
NOW_US = 1_795_309_200_000_000
GB = 10**9
A, B = "camera-a", "camera-b"


def owed(*cameras: str, hours: float = 1, after: float = 0) -> Owed:
    from_us = NOW_US + round(after * HOUR_US)
    return Owed(frozenset(cameras), from_us, from_us + round(hours * HOUR_US))


def test_a_camera_hour_at_the_usual_rate_needs_its_bytes_and_the_margin() -> None:
    found = forecast([owed(A, B)], {A: 0, B: 0}, [Room(1, 100 * GB)], NOW_US)
    assert found.needed_bytes == 2 * 3600 * 5_200_000 // 8
    assert found.hours_left == pytest.approx(100 * GB / (2 * 5_200_000 / 8) / 3600)
    assert found.readiness is Readiness.ENOUGH


def test_a_measured_rate_counts_in_place_of_the_usual_one() -> None:
    found = forecast([owed(A)], {A: 1_000_000, B: 1_000_000}, [Room(1, GB)], NOW_US)
    assert found.needed_bytes == 3600 * 1_300_000 // 8
    assert found.hours_left == pytest.approx(GB / (2 * 1_300_000 / 8) / 3600)


def test_only_what_is_ahead_counts_and_overlaps_count_once() -> None:
    begun = owed(A, hours=2, after=-1)
    overlapping = owed(A, hours=1, after=0.5)
    over = owed(B, hours=1, after=-3)
    found = forecast([overlapping, begun, over], {A: 8_000_000 * 10 // 13}, [Room(1, GB)], NOW_US)
    assert found.needed_bytes == pytest.approx(1.5 * 3600 * 1_000_000, rel=1e-4)


def test_a_camera_nobody_measured_is_taken_at_the_usual_rate() -> None:
    assert forecast([owed("unknown")], {}, [Room(1, GB)], NOW_US).needed_bytes == 3600 * 5_200_000 // 8


def test_folders_on_one_disk_share_its_room_and_the_reserve_is_told_apart() -> None:
    rooms = [Room(1, 5 * GB), Room(1, 5 * GB), Room(2, 3 * GB), Room(3, GB, is_reserve=True)]
    found = forecast([], {A: 0}, rooms, NOW_US)
    assert (found.free_bytes, found.reserve_bytes) == (8 * GB, GB)
    shared = forecast([], {A: 0}, [Room(1, 5 * GB), Room(1, 5 * GB, is_reserve=True)], NOW_US)
    assert (shared.free_bytes, shared.reserve_bytes) == (5 * GB, 0)


def test_a_site_whose_plan_does_not_fit_is_short() -> None:
    found = forecast([owed(A, hours=10)], {A: 0}, [Room(1, 20 * GB)], NOW_US)
    assert (found.readiness, found.used_share) == (Readiness.SHORT, 1.0)


def test_little_time_left_is_told_even_when_the_plan_fits() -> None:
    found = forecast([owed(A)], {A: 0}, [Room(1, 20 * GB)], NOW_US)
    assert found.hours_left is not None
    assert found.hours_left < LOW_HOURS
    assert found.readiness is Readiness.LOW
    assert found.used_share == pytest.approx(2.34 / 20)


def test_no_room_at_all_is_its_own_word() -> None:
    for rooms in ([], [Room(1, -5)]):
        found = forecast([owed(A)], {A: 0}, rooms, NOW_US)
        assert (found.readiness, found.free_bytes, found.used_share) == (Readiness.NONE, 0, 1.0)


def test_without_cameras_nobody_can_say_how_long_the_room_lasts() -> None:
    assert forecast([], {}, [Room(1, GB)], NOW_US) == Capacity(0, GB, 0, None, Readiness.ENOUGH)


def test_a_day_that_owes_nothing_takes_nothing() -> None:
    assert forecast([], {A: 0}, [], NOW_US).used_share == 0.0
