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
    Report,
    Trouble,
    is_lost,
    reported,
    troubles,
)

NOW_US = 1_000 * MINUTE_US
REPORT = Report(
    sent_at_us=NOW_US,
    queue_length=0,
    needs_human=0,
    roster_revision=3,
    disk_free_bytes=DISK_LOW_BYTES,
    is_out_of_service=False,
)
WELL = Beat(REPORT, NOW_US - SECOND_US, 0, {})


def found(beat: Beat, now_us: int = NOW_US) -> list[tuple[Trouble, int]]:
    return [(one.trouble, one.since_us) for one in troubles(beat, now_us)]


def test_a_kiosk_that_is_well_needs_nobody() -> None:
    assert reported(REPORT, 0, 3) == set()
    assert found(WELL) == []


@pytest.mark.parametrize(
    ("changed", "offset_us", "trouble"),
    [
        ({}, OFFSET_LIMIT_US + 1, Trouble.CLOCK),
        ({}, -OFFSET_LIMIT_US - 1, Trouble.CLOCK),
        ({"roster_revision": 2}, 0, Trouble.STALE_ROSTER),
        ({"roster_revision": None}, 0, Trouble.STALE_ROSTER),
        ({"needs_human": 1}, 0, Trouble.NEEDS_HUMAN),
        ({"disk_free_bytes": DISK_LOW_BYTES - 1}, OFFSET_LIMIT_US, Trouble.DISK),
    ],
)
def test_each_trouble_is_seen_in_the_report(
    changed: dict[str, int], offset_us: int, trouble: Trouble
) -> None:
    assert reported(replace(REPORT, **changed), offset_us, 3) == {trouble}


def test_a_silent_kiosk_is_lost_but_no_trouble_unless_it_holds_records() -> None:
    late_us = WELL.heard_at_us + LOST_US + 1
    assert not is_lost(WELL, late_us - 1)
    assert is_lost(WELL, late_us)
    assert found(WELL, late_us) == []
    holding = replace(WELL, report=replace(REPORT, queue_length=2))
    assert found(holding, late_us) == [(Trouble.LOST_WITH_QUEUE, WELL.heard_at_us)]
    assert found(holding) == []


def test_troubles_are_named_with_their_beginning_in_one_order() -> None:
    beat = replace(WELL, since={Trouble.DISK: 7, Trouble.CLOCK: 5, Trouble.NEEDS_HUMAN: 6})
    assert found(beat) == [(Trouble.CLOCK, 5), (Trouble.NEEDS_HUMAN, 6), (Trouble.DISK, 7)]


def test_what_a_silent_kiosk_said_of_clock_and_roster_no_longer_counts() -> None:
    beat = replace(WELL, since={Trouble.CLOCK: 5, Trouble.STALE_ROSTER: 5, Trouble.NEEDS_HUMAN: 6})
    assert found(beat, NOW_US + LOST_US) == [(Trouble.NEEDS_HUMAN, 6)]


def test_a_roster_that_is_just_being_fetched_is_no_trouble() -> None:
    beat = replace(WELL, since={Trouble.STALE_ROSTER: NOW_US - BEHIND_US})
    assert found(beat) == []
    assert found(beat, NOW_US + 1) == [(Trouble.STALE_ROSTER, NOW_US - BEHIND_US)]
