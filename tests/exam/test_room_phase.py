from dataclasses import replace

import pytest

from config.procedures import load_procedures
from exam.clock import MINUTE_US
from exam.day import Session, SessionKind
from exam.room_phase import ARMING_URGENT_US, RoomPhase, needs_arming, room_phase
from exam.room_times import RoomTimes, StationTimes

START_US = 1_795_309_200_000_000
HOUR_US = 60 * MINUTE_US
SESSION = Session(1, 1, "T1", SessionKind.THEORY, "理论知识", "theory", START_US, HOUR_US, (1,))
PROCEDURE = load_procedures()["theory"]


@pytest.mark.parametrize(
    ("minutes", "phase"),
    [
        (-16, RoomPhase.PREPARING),
        (-15, RoomPhase.CHECK_IN),
        (0, RoomPhase.CHECK_IN),
        (1, RoomPhase.AWAITS_START),
    ],
)
def test_before_the_signal_the_plan_speaks(minutes: int, phase: RoomPhase) -> None:
    assert room_phase(PROCEDURE, SESSION, RoomTimes(), START_US + minutes * MINUTE_US) is phase


def test_after_the_signal_only_the_signals_count() -> None:
    late_us = START_US + 7 * MINUTE_US
    started = RoomTimes(started_at_us=late_us, ends_at_us=late_us + HOUR_US)
    assert room_phase(PROCEDURE, SESSION, started, late_us + HOUR_US) is RoomPhase.RUNNING
    assert room_phase(PROCEDURE, SESSION, started, late_us + HOUR_US + 1) is RoomPhase.AWAITS_STOP
    stopped = RoomTimes(late_us, late_us + HOUR_US)
    assert room_phase(PROCEDURE, SESSION, stopped, late_us + 2 * HOUR_US) is RoomPhase.STOPPED


def test_a_cancelled_session_has_no_other_phase() -> None:
    cancelled = replace(SESSION, cancelled_at_us=START_US)
    assert room_phase(PROCEDURE, cancelled, RoomTimes(START_US), START_US) is RoomPhase.CANCELLED
    assert not needs_arming(cancelled, START_US)


def test_arming_is_asked_for_from_half_an_hour_before_until_the_planned_end() -> None:
    assert not needs_arming(SESSION, START_US - ARMING_URGENT_US - 1)
    assert needs_arming(SESSION, START_US - ARMING_URGENT_US)
    assert needs_arming(SESSION, START_US + HOUR_US - 1)
    assert not needs_arming(SESSION, START_US + HOUR_US)
    assert not needs_arming(replace(SESSION, armed_at_us=1), START_US)


def test_a_room_that_stands_still_or_goes_on_in_parts_says_so() -> None:
    held = RoomTimes(START_US, None, START_US + HOUR_US, is_held=True)
    assert room_phase(PROCEDURE, SESSION, held, START_US + 2 * HOUR_US) is RoomPhase.INTERRUPTED
    end_us = START_US + HOUR_US
    extended = RoomTimes(START_US, end_us, end_us, extended=(StationTimes(3, end_us + MINUTE_US),))
    assert room_phase(PROCEDURE, SESSION, extended, end_us) is RoomPhase.EXTENDED
    over = replace(extended, extended=(StationTimes(3, end_us + MINUTE_US, end_us + MINUTE_US),))
    assert room_phase(PROCEDURE, SESSION, over, end_us) is RoomPhase.STOPPED
