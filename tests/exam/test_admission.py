"""The admission rule: a table with every outcome, its boundaries, and what must hold for all facts."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam.admission import (
    ACTIONABLE,
    AdmissionRequest,
    Admitted,
    Facts,
    Kind,
    Known,
    Outcome,
    Phase,
    Policy,
    Seat,
    Step,
    TicketProof,
    judge,
    phase,
)
from exam.clock import MINUTE_US, SECOND_US
from exam.identity import DocumentType
from exam.outcomes import DECLARABLE, DOUBTS, HOLDING
from exam.sitting_phase import as_of
from tests.exam.admission_cases import (
    ANOTHER_DAY,
    ASK,
    AT_OTHER_ROOM,
    AT_ROOM,
    BAD_NUMBER,
    BARRED,
    DAY_US,
    EMPTY,
    KIOSK,
    NUMBER,
    OTHER_KIOSK,
    OTHER_ROOM,
    PASSPORT_HOLDER,
    POLICY,
    PRACTICAL,
    REVIEW,
    ROOM,
    SOMEBODY_ELSE,
    STARTED,
    THEORY,
    Case,
    facts,
    in_at,
    judged,
)
from tests.world import START_US

CASES = [
    Case("on time", facts(THEORY), (Outcome.OK_ADMITTED,)),
    Case("on time at the door of his room", facts(THEORY), (Outcome.OK_ADMITTED,), asked=AT_ROOM),
    Case("the moment check-in opens", facts(THEORY), (Outcome.OK_ADMITTED,), -15),
    Case("the start is delayed, nobody is late", facts(THEORY), (Outcome.OK_ADMITTED,), 20),
    Case("the clock stepped back behind the signal", facts(STARTED), (Outcome.OK_ADMITTED,), -1),
    Case("the start signal just sounded", facts(STARTED), (Outcome.OK_LATE,), 0),
    Case("just before the cut-off", facts(STARTED), (Outcome.OK_LATE,), 29.99),
    Case(
        "the cut-off counts from the room's own start",
        facts(replace(THEORY, started_at_us=START_US + 5 * MINUTE_US)),
        (Outcome.OK_LATE,),
        34.99,
    ),
    Case("at the cut-off", facts(STARTED), (Outcome.LATE_CUTOFF,), 30),
    Case("before check-in opens", facts(THEORY), (Outcome.TOO_EARLY,), -15.01),
    Case("a review opens 20 minutes before", facts(REVIEW), (Outcome.OK_ADMITTED,), 220),
    Case("a practical opens 15 minutes before", facts(PRACTICAL), (Outcome.TOO_EARLY,), 224),
    Case(
        "late for a practical",
        facts(replace(PRACTICAL, started_at_us=PRACTICAL.planned_start_us)),
        (Outcome.LATE_REFERRED,),
        241,
    ),
    Case("another day", facts(ANOTHER_DAY), (Outcome.WRONG_DAY,)),
    Case("another day, at another door", facts(ANOTHER_DAY), (Outcome.WRONG_DAY,), asked=AT_OTHER_ROOM),
    Case("cancelled", facts(replace(THEORY, is_cancelled=True)), (Outcome.SESSION_CLOSED,)),
    Case(
        "stopped by the signal",
        facts(replace(STARTED, stopped_at_us=START_US + 90 * MINUTE_US)),
        (Outcome.SESSION_CLOSED,),
        95,
    ),
    Case("never started and over", facts(THEORY), (Outcome.SESSION_CLOSED,), 90),
    Case("the other door", facts(THEORY), (Outcome.WRONG_ROOM,), asked=AT_OTHER_ROOM),
    Case(
        "the other door, too early",
        facts(THEORY),
        (Outcome.WRONG_ROOM, Outcome.TOO_EARLY),
        -30,
        asked=AT_OTHER_ROOM,
    ),
    Case(
        "the other door, too late",
        facts(STARTED),
        (Outcome.LATE_CUTOFF, Outcome.WRONG_ROOM),
        31,
        asked=AT_OTHER_ROOM,
    ),
    Case(
        "afternoon candidate while the morning checks in",
        replace(facts(PRACTICAL), sittings_here=(THEORY, PRACTICAL)),
        (Outcome.WRONG_SESSION,),
    ),
    Case(
        "morning over, afternoon to come",
        facts(replace(STARTED, stopped_at_us=1), PRACTICAL),
        (Outcome.TOO_EARLY,),
        95,
    ),
    Case(
        "missed the morning, the afternoon checks in", facts(THEORY, PRACTICAL), (Outcome.OK_ADMITTED,), 230
    ),
    Case(
        "two sessions check in at once",
        facts(THEORY, replace(THEORY, session_id=9, planned_start_us=START_US + MINUTE_US)),
        (Outcome.AMBIGUOUS,),
    ),
    Case("same kiosk, at once", facts(THEORY, admission=in_at(-10.5)), (Outcome.OK_ALREADY_HERE,)),
    Case("same kiosk, a minute later", facts(THEORY, admission=in_at(-11)), (Outcome.ALREADY_IN,)),
    Case("another kiosk, at once", facts(THEORY, admission=in_at(-10, OTHER_KIOSK)), (Outcome.ALREADY_IN,)),
    Case("already in, after the cut-off", facts(STARTED, admission=in_at(-10)), (Outcome.ALREADY_IN,), 40),
    Case(
        "already in, after the end",
        facts(replace(STARTED, stopped_at_us=START_US + 90 * MINUTE_US), admission=in_at(-10)),
        (Outcome.SESSION_CLOSED,),
        91,
    ),
    Case("barred", facts(THEORY, known=BARRED), (Outcome.CANDIDATE_BLOCKED,)),
    Case(
        "barred, and at the wrong door",
        facts(THEORY, known=BARRED),
        (Outcome.CANDIDATE_BLOCKED, Outcome.WRONG_ROOM),
        asked=AT_OTHER_ROOM,
    ),
    Case("barred without a seat", facts(known=BARRED), (Outcome.CANDIDATE_BLOCKED, Outcome.NOT_ON_ROSTER)),
    Case("on the roster without a seat", facts(), (Outcome.NOT_ON_ROSTER,)),
    Case("both documents unknown", EMPTY, (Outcome.NOT_ON_ROSTER,)),
    Case("the ticket is unknown", replace(facts(THEORY), by_ticket=()), (Outcome.NOT_ON_ROSTER,)),
    Case("the ID number is unknown", replace(facts(THEORY), by_id_number=()), (Outcome.ID_TICKET_MISMATCH,)),
    Case(
        "documents of two people",
        replace(facts(THEORY), by_id_number=(SOMEBODY_ELSE,), seats=()),
        (Outcome.ID_TICKET_MISMATCH,),
    ),
    Case(
        "only the ticket",
        facts(THEORY),
        (Outcome.NEED_SECOND_DOC,),
        asked=replace(ASK, id_number=None),
    ),
    Case("only the ID card", facts(THEORY), (Outcome.NEED_SECOND_DOC,), asked=replace(ASK, ticket_no=None)),
    Case(
        "a short read",
        replace(facts(), by_ticket=()),
        (Outcome.SCAN_BAD_FORM,),
        asked=replace(ASK, ticket_no="92600000001"),
    ),
    Case(
        "a short read of a known number is that number",
        facts(THEORY),
        (Outcome.OK_ADMITTED,),
        asked=replace(ASK, ticket_no="92600000001"),
    ),
    Case("a wrong check digit", facts(), (Outcome.ID_CHECKSUM,), asked=replace(ASK, id_number=BAD_NUMBER)),
    Case(
        "everything unreadable at once",
        EMPTY,
        (Outcome.ID_CHECKSUM, Outcome.NEED_SECOND_DOC),
        asked=replace(ASK, ticket_no=None, id_number="123"),
    ),
    Case(
        "a short read and a wrong number",
        replace(EMPTY, ticket_forms=("[0-9]{12}",)),
        (Outcome.SCAN_BAD_FORM, Outcome.ID_CHECKSUM),
        asked=replace(ASK, ticket_no="1", id_number=BAD_NUMBER),
    ),
    Case(
        "a passport number",
        facts(THEORY, known=PASSPORT_HOLDER),
        (Outcome.ID_FORMAT_OTHER,),
        asked=replace(ASK, id_number="E12345678"),
    ),
    Case(
        "a passport of digits only",
        facts(THEORY, known=PASSPORT_HOLDER),
        (Outcome.ID_FORMAT_OTHER,),
        asked=replace(ASK, id_number="123456789"),
    ),
    Case(
        "a passport, its holder not known yet",
        EMPTY,
        (Outcome.ID_FORMAT_OTHER, Outcome.NEED_SECOND_DOC),
        asked=replace(ASK, ticket_no=None, id_number="E12345678"),
    ),
    Case(
        "a residence card with a resident number",
        facts(THEORY, known=Known(7, DocumentType.FOREIGN_RESIDENCE, is_blocked=False)),
        (Outcome.OK_ADMITTED,),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict_names_every_true_reason_most_helpful_first(case: Case) -> None:
    assert judged(case).reasons == case.reasons


def test_at_thirty_minutes_to_the_microsecond_nobody_enters() -> None:
    cut_off_us = START_US + 30 * MINUTE_US
    assert judge(ASK, facts(STARTED), POLICY, cut_off_us - 1).outcome is Outcome.OK_LATE
    assert judge(ASK, facts(STARTED), POLICY, cut_off_us).outcome is Outcome.LATE_CUTOFF


def test_a_repeat_is_forgiven_for_less_than_a_minute() -> None:
    admitted = facts(THEORY, admission=Admitted(KIOSK, START_US - MINUTE_US))
    assert judge(ASK, admitted, POLICY, START_US - 1).outcome is Outcome.OK_ALREADY_HERE
    assert judge(ASK, admitted, POLICY, START_US).outcome is Outcome.ALREADY_IN
    strict = Policy(repeat_us=SECOND_US)
    assert judge(ASK, admitted, strict, START_US - 1).outcome is Outcome.ALREADY_IN


def test_the_verdict_says_whom_it_is_about_only_when_both_documents_agree() -> None:
    agreed = judge(ASK, facts(THEORY), POLICY, START_US)
    assert (agreed.candidate_id, agreed.seat) == (7, facts(THEORY).seats[0])
    apart = judge(ASK, replace(facts(THEORY), by_id_number=(SOMEBODY_ELSE,)), POLICY, START_US)
    assert (apart.candidate_id, apart.seat) == (None, None)


def test_of_two_coming_sessions_the_nearer_is_meant_and_of_two_past_ones_the_later() -> None:
    later = replace(THEORY, session_id=5, planned_start_us=START_US + 120 * MINUTE_US)
    before = judge(ASK, facts(later, THEORY), POLICY, START_US - 60 * MINUTE_US)
    after = judge(ASK, facts(THEORY, later), POLICY, START_US + 600 * MINUTE_US)
    assert before.seat is not None
    assert after.seat is not None
    assert (before.seat.sitting, after.seat.sitting) == (THEORY, later)


def test_of_two_other_days_the_coming_one_is_named() -> None:
    yesterday = replace(THEORY, session_id=5, planned_start_us=START_US - DAY_US)
    verdict = judge(ASK, facts(yesterday, replace(ANOTHER_DAY, session_id=6)), POLICY, START_US)
    assert verdict.seat is not None
    assert verdict.seat.sitting.session_id == 6


def test_the_site_day_ends_at_midnight_in_shanghai() -> None:
    midnight_us = START_US + 15 * 60 * MINUTE_US
    assert phase(THEORY, midnight_us - 1) is Phase.CLOSED
    assert phase(THEORY, midnight_us) is Phase.OTHER_DAY


def test_a_stop_signal_that_came_later_had_not_sounded() -> None:
    stopped = replace(STARTED, stopped_at_us=START_US + 90 * MINUTE_US)
    assert as_of(stopped, START_US + 90 * MINUTE_US) == stopped
    assert as_of(stopped, START_US + 90 * MINUTE_US - 1) == STARTED
    assert as_of(STARTED, START_US) == STARTED


moments = st.integers(START_US - DAY_US, START_US + DAY_US)
signals = st.one_of(st.none(), st.integers(START_US - 10 * MINUTE_US, START_US + 60 * MINUTE_US))
sittings = st.builds(
    replace,
    st.sampled_from([THEORY, PRACTICAL, REVIEW]),
    started_at_us=signals,
    stopped_at_us=signals,
    is_cancelled=st.booleans(),
)
seats = st.builds(
    Seat,
    st.just(7),
    st.integers(1, 50),
    sittings,
    st.one_of(st.none(), st.builds(Admitted, st.sampled_from([KIOSK, OTHER_KIOSK]), moments)),
    is_taken=st.booleans(),
    left_at_us=st.one_of(st.none(), moments),
    held_for=st.sampled_from([None, *HOLDING]),
    settled=st.frozensets(st.sampled_from(sorted(DOUBTS)), max_size=2),
    is_withdrawn=st.booleans(),
)
people = st.lists(
    st.builds(Known, st.integers(7, 8), st.sampled_from(DocumentType), st.booleans()), max_size=2
)
any_facts = st.builds(
    Facts,
    st.sampled_from([(), ("9926[0-9]{8}",)]),
    people.map(tuple),
    people.map(tuple),
    st.lists(seats, max_size=3).map(tuple),
    st.lists(sittings, max_size=3).map(tuple),
)
requests = st.builds(
    AdmissionRequest,
    st.sampled_from([None, "992600000001", "12"]),
    st.sampled_from([None, NUMBER, BAD_NUMBER, "E12345678"]),
    st.just(KIOSK),
    st.frozensets(st.sampled_from([ROOM, OTHER_ROOM])),
    ticket_proof=st.sampled_from(TicketProof),
    declared=st.frozensets(st.sampled_from(sorted(DECLARABLE)), max_size=2),
)
policies = st.builds(Policy, steps=st.frozensets(st.sampled_from(Step)), theory_first=st.booleans())


@given(requests, any_facts, policies, moments)
def test_whatever_the_facts_there_is_an_answer_and_its_reasons_are_in_order(
    asked: AdmissionRequest, known: Facts, policy: Policy, now_us: int
) -> None:
    verdict = judge(asked, known, policy, now_us)
    places = [ACTIONABLE.index(reason) for reason in verdict.reasons]
    assert places
    assert all(one < other for one, other in pairwise(places))


@given(requests, any_facts, policies, moments)
def test_nobody_is_admitted_without_two_agreeing_documents_and_an_open_seat(
    asked: AdmissionRequest, known: Facts, policy: Policy, now_us: int
) -> None:
    verdict = judge(asked, known, policy, now_us)
    if verdict.kind is not Kind.ADMITTED:
        return
    assert asked.ticket_no is not None
    assert asked.id_number == NUMBER
    agreed = {one.candidate_id for one in known.by_ticket} & {one.candidate_id for one in known.by_id_number}
    assert verdict.candidate_id in agreed
    assert verdict.seat is not None
    assert verdict.seat.admission is None
    assert (verdict.seat.is_taken, verdict.seat.is_withdrawn, verdict.seat.held_for) == (False, False, None)
    assert asked.ticket_proof is not TicketProof.FAILED
    assert verdict.reasons in {(Outcome.OK_ADMITTED,), (Outcome.OK_LATE,)}
    sitting = verdict.seat.sitting
    if sitting.started_at_us is not None and sitting.late_cutoff_us is not None:
        assert now_us < sitting.started_at_us + sitting.late_cutoff_us
