"""The codes of check-in: each has a kind, and each is reached by the rule that gives it."""

from exam.outcomes import (
    ACTIONABLE,
    AFTER_TRIES,
    DECLARABLE,
    DOUBTS,
    HOLDING,
    KINDS,
    Kind,
    Outcome,
    ordered,
    outcome_of,
)


def test_every_code_has_a_kind_and_its_own_name() -> None:
    assert set(KINDS) == set(Outcome)
    assert all(outcome.name == outcome.value for outcome in Outcome)
    assert len(Outcome) == 58


def test_a_code_nobody_knows_is_a_referral() -> None:
    assert outcome_of("OK_LATE") is Outcome.OK_LATE
    assert outcome_of("OK_FROM_THE_FUTURE") is Outcome.NOT_JUDGED
    assert KINDS[outcome_of("")] is Kind.REFERRED


def test_of_several_reasons_the_most_helpful_comes_first_and_none_twice() -> None:
    reasons = [Outcome.TOO_EARLY, Outcome.CANDIDATE_BLOCKED, Outcome.TOO_EARLY, Outcome.SCAN_NONE]
    assert ordered(reasons) == (Outcome.SCAN_NONE, Outcome.CANDIDATE_BLOCKED, Outcome.TOO_EARLY)
    assert tuple(Outcome) == ACTIONABLE


def test_whoever_fails_too_often_is_sent_to_a_person() -> None:
    assert all(KINDS[failure] is Kind.RETRY for failure in AFTER_TRIES)
    assert all(KINDS[helper] is Kind.REFERRED for helper in AFTER_TRIES.values())


def test_doubts_are_for_people_and_a_kiosk_declares_nothing_that_admits() -> None:
    assert all(KINDS[doubt] is Kind.REFERRED for doubt in DOUBTS)
    assert HOLDING < DOUBTS
    assert {KINDS[outcome] for outcome in DECLARABLE} == {Kind.RETRY, Kind.REFERRED}
