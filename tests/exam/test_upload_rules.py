"""Conflict rules: what becomes of check-ins that kiosks decided alone, one test for each rule."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam.admission import Admitted, Verdict
from exam.clock import MINUTE_US, SECOND_US
from exam.outcomes import DOUBTS, KINDS, Kind, Outcome
from exam.upload_rules import ALARMING, AlarmKind, Decided, Settlement, alarms_of, settle, told_otherwise
from tests.exam.admission_cases import KIOSK, OTHER_KIOSK, THEORY, facts
from tests.world import START_US

AT_US = START_US - 5 * MINUTE_US
SEAT = facts(THEORY).seats[0]
LET_IN = Decided(Outcome.OK_OFFLINE, KIOSK, AT_US, SECOND_US, place_id=SEAT.place_id)
WOULD_ADMIT = Verdict((Outcome.OK_ADMITTED,), 7, SEAT)


def would(*reasons: Outcome) -> Verdict:
    return Verdict(reasons, 7, SEAT)


def standing(seconds: float, kiosk_id: int = OTHER_KIOSK, **more: object) -> Admitted:
    """An admission so many seconds after (or before) ours."""
    return Admitted(kiosk_id, AT_US + round(seconds * SECOND_US), **more)  # type: ignore[arg-type]


def settled(admission: Admitted | None = None, **changed: object) -> Settlement:
    seat = replace(SEAT, admission=admission, **changed)  # type: ignore[arg-type]
    return settle(LET_IN, WOULD_ADMIT, seat)


def test_a_clean_entry_stands_as_made_offline() -> None:
    assert settled() == Settlement((Outcome.OK_OFFLINE,), admits=True)
    late = settle(LET_IN, would(Outcome.OK_LATE), SEAT)
    assert late == Settlement((Outcome.OK_LATE,), admits=True)


def test_the_same_candidate_at_the_same_kiosk_is_here_already() -> None:
    assert settled(standing(-30, KIOSK)) == Settlement((Outcome.OK_ALREADY_HERE,))


def test_of_two_kiosks_the_earlier_entry_stands_and_the_later_is_a_conflict() -> None:
    later = settled(standing(-30))
    assert later == Settlement(
        (Outcome.DUP_CONFLICT,), alarms=(AlarmKind.DUP_CONFLICT,), doubt=Outcome.DUP_CONFLICT
    )
    earlier = settled(standing(30))
    assert (earlier.outcome, earlier.admits, earlier.displaces) == (Outcome.OK_OFFLINE, True, True)
    assert (earlier.alarms, earlier.doubt) == ((AlarmKind.DUP_CONFLICT,), Outcome.DUP_CONFLICT)


@pytest.mark.parametrize("seconds", [-3, -1, 0, 2, 3])
def test_within_the_uncertainty_of_both_clocks_nobody_wins(seconds: float) -> None:
    verdict = settled(standing(seconds, uncertainty_us=2 * SECOND_US))
    assert (verdict.outcome, verdict.admits, verdict.displaces) == (Outcome.DUP_CONFLICT, False, True)
    assert settled(standing(3.1, uncertainty_us=2 * SECOND_US)).admits


def test_a_third_entry_during_an_open_conflict_is_left_to_people() -> None:
    third = settled(held_for=Outcome.DUP_CONFLICT)
    assert (third.outcome, third.admits, third.displaces) == (Outcome.DUP_CONFLICT, False, False)


def test_what_people_decided_gives_way_to_no_upload() -> None:
    verdict = settled(standing(600, by_people=True))
    assert (verdict.outcome, verdict.admits, verdict.displaces) == (Outcome.DUP_CONFLICT, False, False)
    at_once = settled(standing(0, by_people=True))
    assert not at_once.displaces


@pytest.mark.parametrize(
    "meanwhile",
    [Outcome.TICKET_VOID, Outcome.CANDIDATE_BLOCKED, Outcome.NAME_MISMATCH, Outcome.NOT_JUDGED],
)
def test_a_ticket_voided_or_a_person_barred_meanwhile_stays_provisionally(meanwhile: Outcome) -> None:
    verdict = settle(LET_IN, would(meanwhile), SEAT)
    assert verdict == Settlement(
        (Outcome.OK_PROVISIONAL, meanwhile),
        admits=True,
        alarms=(AlarmKind.VOID_MEANWHILE,),
        doubt=meanwhile,
    )


def test_a_seat_that_moved_meanwhile_is_the_new_seat_and_the_rooms_are_told() -> None:
    moved = settle(replace(LET_IN, place_id=999), WOULD_ADMIT, SEAT)
    assert moved == Settlement((Outcome.OK_OFFLINE,), admits=True, alarms=(AlarmKind.SEAT_MOVED,))
    silent = settle(replace(LET_IN, place_id=None), WOULD_ADMIT, SEAT)
    assert silent.alarms == ()


def test_a_place_where_somebody_else_sits_admits_nobody() -> None:
    verdict = settled(is_taken=True)
    assert verdict == Settlement((Outcome.SEAT_TAKEN,), alarms=(AlarmKind.SEAT_TAKEN,))
    earlier = settled(standing(30), is_taken=True)
    assert (earlier.outcome, earlier.admits, earlier.displaces) == (Outcome.SEAT_TAKEN, False, False)
    assert AlarmKind.DUP_CONFLICT in earlier.alarms


@pytest.mark.parametrize("late", [Outcome.LATE_CUTOFF, Outcome.LATE_REFERRED])
def test_an_entry_after_the_cut_off_stands_and_is_reviewed(late: Outcome) -> None:
    verdict = settle(LET_IN, would(late, Outcome.WRONG_ROOM), SEAT)
    assert verdict.reasons == (Outcome.LATE_CUTOFF_REVIEW, late, Outcome.WRONG_ROOM)
    assert (verdict.admits, verdict.alarms) == (True, (AlarmKind.LATE_CUTOFF_REVIEW,))
    assert verdict.doubt is None


def test_an_entry_that_the_server_would_have_sent_elsewhere_stands_and_is_told() -> None:
    verdict = settle(LET_IN, would(Outcome.WRONG_ROOM, Outcome.TOO_EARLY), SEAT)
    assert verdict.reasons == (Outcome.OK_OFFLINE, Outcome.WRONG_ROOM, Outcome.TOO_EARLY)
    assert (verdict.admits, verdict.alarms, verdict.doubt) == (True, (AlarmKind.RULES_DIFFER,), None)


def test_somebody_whom_the_roster_does_not_know_is_inside_and_told() -> None:
    verdict = settle(LET_IN, Verdict((Outcome.NOT_ON_ROSTER,)), None)
    assert (verdict.outcome, verdict.admits) == (Outcome.NOT_ON_ROSTER, False)
    assert (verdict.alarms, verdict.doubt) == ((AlarmKind.UNKNOWN_INSIDE,), Outcome.NOT_ON_ROSTER)


def test_whoever_left_and_came_in_again_elsewhere_is_told() -> None:
    left = settled(standing(-600), left_at_us=AT_US - 1)
    assert left == Settlement((Outcome.LEFT_NO_RETURN,), alarms=(AlarmKind.RE_ENTERED,))
    before = settled(standing(-600), left_at_us=AT_US)
    assert before.outcome is Outcome.DUP_CONFLICT


def test_a_refusal_is_kept_and_whoever_would_have_been_let_in_may_be_outside() -> None:
    refused = replace(LET_IN, outcome=Outcome.NOT_ON_ROSTER)
    assert settle(refused, WOULD_ADMIT, SEAT) == Settlement(
        (Outcome.NOT_ON_ROSTER,), alarms=(AlarmKind.MAYBE_OUTSIDE,)
    )
    assert settle(refused, would(Outcome.NOT_ON_ROSTER), None) == Settlement((Outcome.NOT_ON_ROSTER,))
    retried = replace(LET_IN, outcome=Outcome.SCAN_NONE)
    assert settle(retried, WOULD_ADMIT, SEAT) == Settlement((Outcome.SCAN_NONE,))


def test_whoever_was_let_in_meanwhile_waits_nowhere() -> None:
    refused = replace(LET_IN, outcome=Outcome.NOT_ON_ROSTER)
    inside = replace(SEAT, admission=standing(60))
    assert settle(refused, WOULD_ADMIT, inside) == Settlement((Outcome.NOT_ON_ROSTER,))
    other = replace(inside, sitting=replace(THEORY, session_id=THEORY.session_id + 1))
    assert settle(refused, WOULD_ADMIT, other).alarms == (AlarmKind.MAYBE_OUTSIDE,)


def test_a_doubt_at_the_kiosk_is_an_alarm_and_a_case() -> None:
    doubted = replace(LET_IN, outcome=Outcome.FACE_DOUBT)
    verdict = settle(doubted, would(Outcome.FACE_DOUBT), SEAT)
    assert (verdict.alarms, verdict.doubt) == ((AlarmKind.FACE_DOUBT,), Outcome.FACE_DOUBT)


@pytest.mark.parametrize(
    ("stored_admits", "shown", "alarm"),
    [
        (True, Outcome.NOT_ON_ROSTER, AlarmKind.SENT_AWAY),
        (True, Outcome.LATE_CUTOFF, AlarmKind.SENT_AWAY),
        (True, Outcome.OK_OFFLINE, None),
        (True, Outcome.OK_ALREADY_HERE, None),
        (False, Outcome.OK_OFFLINE, AlarmKind.INSIDE_THOUGH_REFUSED),
        (False, Outcome.TOO_EARLY, None),
    ],
)
def test_a_kiosk_that_told_otherwise_than_the_record_is_an_alarm(
    stored_admits: bool, shown: Outcome, alarm: AlarmKind | None
) -> None:
    assert told_otherwise(stored_admits=stored_admits, shown=shown) is alarm


def test_alarms_come_from_reasons_and_every_alarming_reason_is_one() -> None:
    assert alarms_of((Outcome.ID_TICKET_MISMATCH, Outcome.TOO_EARLY)) == (AlarmKind.MISMATCH,)
    assert all(KINDS[reason] is Kind.REFERRED for reason in ALARMING)
    assert DOUBTS - set(ALARMING) == {Outcome.ID_EXPIRED}


verdicts = st.lists(st.sampled_from(Outcome), min_size=1, max_size=3).map(lambda all_: would(*all_))
seats = st.builds(
    replace,
    st.just(SEAT),
    admission=st.one_of(
        st.none(),
        st.builds(
            Admitted,
            st.sampled_from([KIOSK, OTHER_KIOSK]),
            st.integers(AT_US - MINUTE_US, AT_US + MINUTE_US),
            st.sampled_from([0, SECOND_US, 10**12]),
            st.booleans(),
        ),
    ),
    is_taken=st.booleans(),
    left_at_us=st.sampled_from([None, AT_US - 1, AT_US + 1]),
    held_for=st.sampled_from([None, Outcome.DUP_CONFLICT, Outcome.FACE_DOUBT]),
)


@given(st.sampled_from(Outcome), verdicts, st.one_of(st.none(), seats))
def test_whoever_was_let_in_is_admitted_or_told_and_nobody_else_is(
    outcome: Outcome, verdict: Verdict, seat: object
) -> None:
    decided = replace(LET_IN, outcome=outcome)
    result = settle(decided, verdict, seat)  # type: ignore[arg-type]
    assert result.reasons
    if not decided.let_in:
        assert not result.admits
        assert not result.displaces
    elif not result.admits:
        assert result.alarms or result.outcome is Outcome.OK_ALREADY_HERE
    if result.admits:
        assert seat is not None
        assert seat.admission is None or result.displaces  # type: ignore[attr-defined]
        assert not seat.is_taken  # type: ignore[attr-defined]
