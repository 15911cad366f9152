from dataclasses import replace

import pytest

from exam.clock import MINUTE_US, SECOND_US
from exam.day import Announced, Session
from exam.presses import (
    AFTERMATH_US,
    SAME_PRESS_US,
    Press,
    PressedRoom,
    PressRefusal,
    PressVerdict,
    is_going_on,
    judge_press,
)
from exam.procedure import Procedure
from tests.exam.day_with_cues import (
    CHAIRED,
    HOUR_US,
    PRESSED,
    SESSION,
    START_US,
    THEORY,
    course,
    emitted,
    missed,
)


def press(
    code: str,
    now_us: int,
    *announced: Announced,
    procedure: Procedure = PRESSED,
    session: Session = SESSION,
) -> PressVerdict:
    return judge_press(PressedRoom(course(*announced, procedure=procedure, session=session), 1), code, now_us)


def test_the_assessor_starts_at_the_planned_start_and_not_before() -> None:
    assert press("C5", START_US - 1).refusal is PressRefusal.TOO_EARLY
    assert press("C5", START_US).press == Press(SESSION.id, 1, "C5", 1, START_US)
    assert press("C5", START_US + HOUR_US).press is not None


def test_a_second_press_finds_the_first() -> None:
    started = emitted("C5", START_US)
    assert press("C5", START_US + SECOND_US, started) == PressVerdict(already=started)


def test_a_room_that_has_not_started_cannot_stop() -> None:
    assert press("C8", START_US + HOUR_US).refusal is PressRefusal.NOT_STARTED


def test_nobody_stops_a_practical_room_early() -> None:
    started = emitted("C5", START_US + SECOND_US)
    assert press("C8", START_US + HOUR_US, started).refusal is PressRefusal.TOO_EARLY
    assert press("C8", START_US + HOUR_US + SECOND_US, started).press is not None


def test_the_chair_closes_a_review_when_the_last_candidate_was_heard() -> None:
    started = emitted("C5", START_US)
    assert press("C8", START_US + SECOND_US, started, procedure=CHAIRED).press is not None
    assert press("C5", START_US - 1, procedure=CHAIRED).refusal is PressRefusal.TOO_EARLY


def test_nothing_is_started_after_the_stop() -> None:
    assert press("C5", START_US + HOUR_US, emitted("C8", START_US)).refusal is PressRefusal.STOPPED


def test_an_automatic_signal_can_be_pressed_only_when_it_can_no_longer_sound_by_itself() -> None:
    still_open = press("C5", START_US + 2 * SECOND_US, procedure=THEORY)
    assert still_open.refusal is PressRefusal.AUTOMATIC
    made_good = press("C5", START_US + 3 * SECOND_US, missed("C5", START_US), procedure=THEORY)
    assert made_good.press == Press(SESSION.id, 1, "C5", 2, START_US)


def test_a_correction_may_be_needed_again_but_a_double_touch_is_one_press() -> None:
    first = emitted("X1", START_US)
    assert press("X1", START_US).press == Press(SESSION.id, 1, "X1", 1, START_US)
    assert press("X1", START_US + SAME_PRESS_US - 1, first).already == first
    again_us = START_US + SAME_PRESS_US
    assert press("X1", again_us, first).press == Press(SESSION.id, 1, "X1", 2, again_us)


def test_a_press_in_another_room_is_another_press() -> None:
    assert press("X1", START_US + SECOND_US, emitted("X1", START_US, 2)).press is not None


@pytest.mark.parametrize(
    ("session", "code", "refusal"),
    [
        (SESSION, "Z9", PressRefusal.UNKNOWN_CUE),
        (replace(SESSION, cancelled_at_us=START_US - HOUR_US), "C5", PressRefusal.CANCELLED),
    ],
)
def test_what_does_not_exist_or_was_cancelled_cannot_be_pressed(
    session: Session, code: str, refusal: PressRefusal
) -> None:
    assert press(code, START_US, session=session) == PressVerdict(refusal=refusal)


def test_far_from_a_session_nothing_rings() -> None:
    opens_us = START_US - 15 * MINUTE_US
    closes_us = START_US + HOUR_US + AFTERMATH_US
    for now_us, refusal in (
        (opens_us - 1, PressRefusal.OUTSIDE_WINDOW),
        (opens_us, None),
        (closes_us, None),
        (closes_us + 1, PressRefusal.OUTSIDE_WINDOW),
    ):
        assert press("X1", now_us).refusal is refusal


def test_the_window_stays_open_while_a_room_stands_still() -> None:
    evacuated = emitted("X2", START_US + MINUTE_US)
    assert press("X3", START_US + 9 * HOUR_US, emitted("C5", START_US), evacuated).press is not None


def test_only_an_evacuated_room_is_resumed() -> None:
    assert press("X3", START_US).refusal is PressRefusal.NOT_EVACUATED
    evacuated = emitted("X2", START_US - MINUTE_US)
    assert press("X3", START_US, evacuated).press == Press(SESSION.id, 1, "X3", 1, START_US)
    resumed = emitted("X3", START_US)
    assert press("X3", START_US + MINUTE_US, evacuated, resumed).refusal is PressRefusal.NOT_EVACUATED


def test_an_evacuated_room_is_neither_started_nor_stopped() -> None:
    evacuated = emitted("X2", START_US - MINUTE_US)
    assert press("C5", START_US, evacuated).refusal is PressRefusal.HELD


def test_after_a_corrected_stop_the_assessor_stops_again() -> None:
    end_us = START_US + HOUR_US
    wrong = [emitted("C5", START_US), emitted("C8", end_us), emitted("X1", end_us + SECOND_US)]
    assert press("C8", end_us + MINUTE_US, *wrong).press == Press(SESSION.id, 1, "C8", 2, end_us)


def test_a_session_is_going_on_from_its_opening_until_its_last_room_has_stopped() -> None:
    opens_us = START_US - 15 * MINUTE_US
    assert [is_going_on(course(), at_us) for at_us in (opens_us - 1, opens_us)] == [False, True]
    stops = [emitted("C8", START_US + HOUR_US, room) for room in (1, 2)]
    starts = [emitted("C5", START_US, room) for room in (1, 2)]
    assert is_going_on(course(*starts, stops[0]), START_US + HOUR_US)
    assert not is_going_on(course(*starts, *stops), START_US + HOUR_US)
    assert not is_going_on(course(session=replace(SESSION, cancelled_at_us=1)), START_US)
