"""What is wrong with a player, and when a room may be asked for a test tone."""

from dataclasses import replace
from typing import Any

import pytest

from exam.clock import MINUTE_US, SECOND_US
from exam.players import (
    AWAY_US,
    CLOCK_LIMIT_US,
    MAY_RING_US,
    PlayerKind,
    PlayerState,
    PlayerTrouble,
    RoomSitting,
    can_ring,
    may_ring_alone,
    may_test,
    player_troubles,
)

NOW_US = 10_000 * SECOND_US
WELL = PlayerState(
    room_id=1,
    player="player-0001",
    kind=PlayerKind.PAGE,
    label="平板",
    seen_at_us=NOW_US - SECOND_US,
    offset_us=-30 * SECOND_US,
    error_us=4_000,
    audio_ready=6,
    audio_wanted=6,
    is_allowed=True,
    is_awake=True,
    has_output=True,
    is_audible=None,
    played_key=None,
    played_at_us=None,
    played_error="",
)


def test_a_player_whose_clock_is_wrong_but_measured_rings_all_the_same() -> None:
    assert player_troubles(WELL, NOW_US) == []
    assert can_ring(WELL, NOW_US)


@pytest.mark.parametrize(
    ("changed", "trouble", "rings"),
    [
        ({"seen_at_us": NOW_US - AWAY_US - 1}, PlayerTrouble.AWAY, False),
        ({"is_allowed": False}, PlayerTrouble.NOT_ALLOWED, False),
        ({"has_output": False}, PlayerTrouble.NO_OUTPUT, False),
        ({"offset_us": None, "error_us": None}, PlayerTrouble.CLOCK_UNKNOWN, False),
        ({"error_us": CLOCK_LIMIT_US + 1}, PlayerTrouble.CLOCK_UNSURE, True),
        ({"audio_ready": 5}, PlayerTrouble.AUDIO_MISSING, False),
        ({"is_audible": False}, PlayerTrouble.SILENT, False),
        ({"is_awake": False}, PlayerTrouble.ASLEEP, True),
    ],
)
def test_each_trouble_is_named(changed: dict[str, Any], trouble: PlayerTrouble, rings: bool) -> None:
    state = replace(WELL, **changed)
    assert player_troubles(state, NOW_US) == [trouble]
    assert can_ring(state, NOW_US) is rings


START_US = NOW_US
HOUR_US = 60 * MINUTE_US


@pytest.mark.parametrize(
    ("now_us", "started_us", "stopped_us", "allowed"),
    [
        (START_US - 30 * MINUTE_US - 1, None, None, True),
        (START_US - 30 * MINUTE_US, None, None, False),
        (START_US + HOUR_US, None, None, False),
        (START_US + HOUR_US + 1, None, None, True),  # nobody ever started
        (START_US + 2 * HOUR_US, START_US, None, False),  # its stop never came
        (START_US + 2 * HOUR_US + 1, START_US, None, True),
        (START_US + MINUTE_US, START_US, START_US + 1, True),
    ],
)
def test_a_test_tone_never_falls_into_an_exam(
    now_us: int, started_us: int | None, stopped_us: int | None, allowed: bool
) -> None:
    assert may_test([RoomSitting(START_US, HOUR_US, started_us, stopped_us)], now_us) is allowed


def test_a_cancelled_session_needs_no_quiet() -> None:
    assert may_test([RoomSitting(START_US, HOUR_US, None, None, is_cancelled=True)], START_US)
    assert may_test([], START_US)


def test_a_player_that_was_there_within_two_hours_may_ring_alone() -> None:
    assert may_ring_alone(WELL, WELL.seen_at_us + MAY_RING_US)
    assert not may_ring_alone(WELL, WELL.seen_at_us + MAY_RING_US + 1)
