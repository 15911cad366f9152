"""What of a kiosk's last words needs a person."""

from dataclasses import replace

import pytest

from exam.clock import MINUTE_US, SECOND_US
from exam.kiosk_health import (
    BEHIND_US,
    DISK_LOW_BYTES,
    LOST_US,
    OFFSET_LIMIT_US,
    Beat,
    Trouble,
    is_lost,
    is_off,
    troubles,
)

NOW_US = 1_000 * MINUTE_US
WELL = Beat(
    heard_at_us=NOW_US - SECOND_US,
    offset_us=0,
    offset_since_us=None,
    queue_length=0,
    needs_human=0,
    roster_revision=3,
    behind_since_us=None,
    disk_free_bytes=DISK_LOW_BYTES,
    is_out_of_service=False,
)


def found(beat: Beat, now_us: int = NOW_US) -> list[tuple[Trouble, int]]:
    return [(one.trouble, one.since_us) for one in troubles(beat, now_us)]


def test_a_kiosk_that_is_well_needs_nobody() -> None:
    assert found(WELL) == []


def test_a_silent_kiosk_is_lost_but_no_trouble_unless_it_holds_records() -> None:
    late_us = WELL.heard_at_us + LOST_US + 1
    assert not is_lost(WELL, late_us - 1)
    assert is_lost(WELL, late_us)
    assert found(WELL, late_us) == []
    holding = replace(WELL, queue_length=2)
    assert found(holding, late_us) == [(Trouble.LOST_WITH_QUEUE, WELL.heard_at_us)]
    assert found(holding) == []


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_is_off_beyond_five_seconds_either_way(sign: int) -> None:
    assert not is_off(sign * OFFSET_LIMIT_US)
    assert is_off(sign * (OFFSET_LIMIT_US + 1))


@pytest.mark.parametrize(
    ("changed", "trouble", "since_us"),
    [
        ({"offset_since_us": 5}, Trouble.CLOCK, 5),
        ({"behind_since_us": NOW_US - BEHIND_US - 1}, Trouble.STALE_ROSTER, NOW_US - BEHIND_US - 1),
        ({"needs_human": 1}, Trouble.NEEDS_HUMAN, WELL.heard_at_us),
        ({"disk_free_bytes": DISK_LOW_BYTES - 1}, Trouble.DISK, WELL.heard_at_us),
    ],
)
def test_each_trouble_is_named_with_its_beginning(
    changed: dict[str, int], trouble: Trouble, since_us: int
) -> None:
    assert found(replace(WELL, **changed)) == [(trouble, since_us)]


def test_a_roster_that_is_just_being_fetched_is_no_trouble() -> None:
    assert found(replace(WELL, behind_since_us=NOW_US - BEHIND_US)) == []
