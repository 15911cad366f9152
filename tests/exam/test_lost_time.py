from dataclasses import replace

from exam.clock import MINUTE_US, SECOND_US
from exam.course import Grant, Loss
from exam.day import Announced
from exam.lost_time import LossKind, LostTime, full_minutes, lost_time, undecided
from tests.exam.day_with_cues import HOUR_US, START_US, course, emitted

STARTED = emitted("C5", START_US)
END_US = START_US + HOUR_US
# Kyungdong 2023: the end bell 90 seconds early.
WRONG = emitted("C8", END_US - 90 * SECOND_US)
CORRECTED = emitted("X1", END_US - 60 * SECOND_US)


def lost(*announced: Announced, grants: tuple[Grant, ...] = ()) -> list[LostTime]:
    return lost_time(replace(course(*announced), grants=grants), 1)


def test_nothing_is_lost_on_a_good_day() -> None:
    assert lost(STARTED, emitted("C8", END_US + SECOND_US)) == []
    assert lost() == []


def test_a_wrong_stop_costs_the_time_until_its_correction_and_is_proposed_in_full_minutes() -> None:
    (one,) = lost(STARTED, WRONG, CORRECTED)
    assert (one.kind, one.lost_us, one.proposed_us) == (LossKind.WRONG_STOP, 30 * SECOND_US, MINUTE_US)
    assert (one.loss, one.awaits_decision) == (Loss(1, "X1", 1), True)
    assert full_minutes(MINUTE_US) == MINUTE_US


def test_a_decision_closes_it_until_it_is_withdrawn() -> None:
    declined = Grant(4, 1, 0, Loss(1, "X1", 1))
    (one,) = lost(STARTED, WRONG, CORRECTED, grants=(declined,))
    assert (one.decision, one.awaits_decision) == (declined, False)
    (one,) = lost(STARTED, WRONG, CORRECTED, grants=(replace(declined, is_withdrawn=True),))
    assert one.awaits_decision


def test_a_wrong_start_gave_time_and_nothing_is_taken_back() -> None:
    early = emitted("C5", START_US - 5 * MINUTE_US)
    (one,) = lost(early, emitted("X1", START_US - 4 * MINUTE_US))
    assert (one.kind, one.lost_us, one.awaits_decision) == (LossKind.WRONG_START, -MINUTE_US, False)


def test_an_interruption_is_told_with_what_it_took_of_the_working_time() -> None:
    out, back = emitted("X2", START_US - MINUTE_US), emitted("X3", START_US + 2 * MINUTE_US)
    (one,) = lost(out, emitted("C5", START_US), back)
    assert (one.kind, one.from_us, one.lost_us) == (LossKind.INTERRUPTION, START_US, 2 * MINUTE_US)
    assert one.awaits_decision
    assert lost(STARTED, out) == []
    assert lost(out, emitted("X3", START_US - SECOND_US), STARTED) == []
    assert lost(out, back) == []


def test_an_end_that_was_early_or_late_is_told_and_not_decided() -> None:
    (early,) = lost(STARTED, WRONG)
    assert (early.kind, early.lost_us, early.awaits_decision) == (
        LossKind.EARLY_STOP,
        90 * SECOND_US,
        False,
    )
    (late,) = lost(STARTED, emitted("C8", END_US + 5 * SECOND_US))
    assert (late.kind, late.lost_us) == (LossKind.LATE_STOP, -5 * SECOND_US)


def test_after_the_end_nothing_can_be_given_back() -> None:
    right = emitted("C8", END_US, occurrence=2)
    (one,) = lost(STARTED, WRONG, CORRECTED, right)
    assert (one.kind, one.awaits_decision) == (LossKind.WRONG_STOP, False)


def test_the_site_lead_is_asked_for_all_rooms_of_a_session_that_is_on() -> None:
    made = course(STARTED, WRONG, CORRECTED)
    assert [one.loss.room_id for one in undecided(made)] == [1]
    gone = replace(made, session=replace(made.session, cancelled_at_us=END_US))
    assert undecided(gone) == []
