"""Who may do what about check-in: permissions, second signatures, and what stands in the way."""

from dataclasses import replace

import pytest

from exam.admission import Known, ReEntry, reasons_against
from exam.admission_authority import (
    OUTCOMES,
    Act,
    ActFacts,
    ActVerdict,
    Refusal,
    Signed,
    judge_act,
    needs_second,
)
from exam.admission_facts import Conditional, IdentityRule
from exam.clock import MINUTE_US
from exam.identity import DocumentType
from exam.outcomes import Outcome
from exam.signers import Duty, Signer
from tests.exam.admission_cases import POLICY, PRACTICAL, ROOM, STARTED, THEORY, WHO, facts, in_at
from tests.world import START_US

DUTY = frozenset({Duty(THEORY.session_id, ROOM, "proctor")})
LEAD = Signer(1, 101, frozenset({"site_lead"}))
OFFICER = Signer(2, 102, frozenset({"exams_officer"}))
PROCTOR = Signer(3, 103, frozenset({"proctor"}), DUTY)
ELSEWHERE = Signer(4, 104, frozenset({"proctor"}))
ASSESSOR = Signer(
    5, 105, frozenset({"assessor"}), frozenset({Duty(THEORY.session_id, ROOM, "lead_assessor")})
)
AUDITOR = Signer(6, 106, frozenset({"auditor"}))
SEAT = facts(THEORY).seats[0]
IN = replace(SEAT, admission=in_at(-5))
RUNNING = replace(facts(STARTED).seats[0], admission=in_at(-5))
EARLY_EXIT_US = 30 * MINUTE_US
BEFORE_US, AT_35_US = START_US - MINUTE_US, START_US + 35 * MINUTE_US
CLEAR = ActFacts(seat=SEAT, has_subject=True, is_identified=True)
LATE = replace(CLEAR, reasons=frozenset({Outcome.LATE_CUTOFF}))
DOUBT = replace(CLEAR, doubt=Outcome.NO_ID)
LEAVING = ActFacts(seat=RUNNING, early_exit_us=EARLY_EXIT_US)


def by(
    signer: Signer = LEAD, second: Signer | None = None, reason: str = "已核对", approval: str = ""
) -> Signed:
    return Signed(signer, second, reason, approval)


def judged(act: Act, signed: Signed, known: ActFacts, now_us: int = BEFORE_US) -> ActVerdict:
    return judge_act(act, signed, known, now_us)


def reasons(*outcomes: Outcome) -> ActFacts:
    return replace(CLEAR, reasons=frozenset(outcomes))


@pytest.mark.parametrize(
    ("act", "signed", "known", "now_us", "refusal"),
    [
        # Undo: who is in the room before the start, the lead always.
        (Act.UNDO, by(PROCTOR), CLEAR, BEFORE_US, None),
        (Act.UNDO, by(ELSEWHERE), CLEAR, BEFORE_US, Refusal.NO_DUTY),
        (Act.UNDO, by(AUDITOR), CLEAR, BEFORE_US, Refusal.NOT_ALLOWED),
        (Act.UNDO, by(PROCTOR), replace(CLEAR, seat=RUNNING), AT_35_US, Refusal.NOT_ALLOWED),
        (Act.UNDO, by(LEAD), replace(CLEAR, seat=RUNNING), AT_35_US, None),
        (Act.UNDO, by(OFFICER), CLEAR, BEFORE_US, None),
        (Act.UNDO, by(reason=" "), CLEAR, BEFORE_US, Refusal.NO_REASON),
        (Act.UNDO, by(), ActFacts(), BEFORE_US, Refusal.NOTHING_THERE),
        (Act.UNDO, by(PROCTOR), ActFacts(has_subject=True), BEFORE_US, Refusal.NO_DUTY),
        # Until its room is closed; without a tick, two hours after the stop or on another day.
        (Act.UNDO, by(), replace(CLEAR, room_closed_at_us=AT_35_US + 1), AT_35_US, None),
        (Act.UNDO, by(), replace(CLEAR, room_closed_at_us=AT_35_US), AT_35_US, Refusal.ROOM_CLOSED),
        # Exit from T0+30.
        (Act.EXIT, by(PROCTOR), LEAVING, START_US + EARLY_EXIT_US, None),
        (Act.EXIT, by(PROCTOR), LEAVING, START_US + EARLY_EXIT_US - 1, Refusal.TOO_EARLY_TO_LEAVE),
        (Act.EXIT, by(PROCTOR), replace(LEAVING, seat=IN), BEFORE_US, Refusal.TOO_EARLY_TO_LEAVE),
        (Act.EXIT, by(PROCTOR), replace(LEAVING, early_exit_us=None), AT_35_US, Refusal.NOT_ALLOWED),
        (Act.EXIT, by(ASSESSOR), replace(LEAVING, early_exit_us=None), AT_35_US, None),
        (Act.EXIT, by(), ActFacts(), AT_35_US, Refusal.NOBODY),
        (Act.EXIT, by(), replace(LEAVING, seat=facts(STARTED).seats[0]), AT_35_US, Refusal.NOT_IN),
        (Act.EXIT, by(), replace(LEAVING, seat=replace(RUNNING, left_at_us=1)), AT_35_US, Refusal.HAS_LEFT),
        (
            Act.EXIT,
            by(),
            replace(LEAVING, seat=replace(RUNNING, sitting=replace(STARTED, stopped_at_us=1))),
            AT_35_US,
            Refusal.OVER,
        ),
        # Late entry: the site lead and another person (R4).
        (Act.OVERRIDE, by(LEAD, OFFICER), LATE, AT_35_US, None),
        (Act.OVERRIDE, by(LEAD, PROCTOR), LATE, AT_35_US, None),
        (Act.OVERRIDE, by(LEAD), LATE, AT_35_US, Refusal.NEEDS_SECOND),
        (Act.OVERRIDE, by(LEAD, LEAD), LATE, AT_35_US, Refusal.SAME_PERSON),
        (Act.OVERRIDE, by(LEAD, replace(OFFICER, staff_id=101)), LATE, AT_35_US, Refusal.SAME_PERSON),
        (Act.OVERRIDE, by(LEAD, AUDITOR), LATE, AT_35_US, Refusal.SECOND_NOT_ALLOWED),
        (Act.OVERRIDE, by(OFFICER, LEAD), LATE, AT_35_US, Refusal.NOT_ALLOWED),
        (Act.OVERRIDE, by(PROCTOR, LEAD), LATE, AT_35_US, Refusal.NOT_ALLOWED),
        # Where the procedure names no limit, those decide who examine (R5).
        (Act.OVERRIDE, by(ASSESSOR), reasons(Outcome.LATE_REFERRED), AT_35_US, None),
        (Act.OVERRIDE, by(LEAD), reasons(Outcome.LATE_REFERRED), AT_35_US, None),
        (Act.OVERRIDE, by(PROCTOR), reasons(Outcome.LATE_REFERRED), AT_35_US, Refusal.NOT_ALLOWED),
        (Act.OVERRIDE, by(LEAD), CLEAR, BEFORE_US, None),
        (Act.OVERRIDE, by(LEAD), reasons(Outcome.WRONG_STAGE), BEFORE_US, None),
        (Act.OVERRIDE, by(LEAD), replace(LATE, is_identified=False), AT_35_US, Refusal.NEEDS_SECOND),
        (Act.OVERRIDE, by(LEAD), replace(CLEAR, is_identified=False), BEFORE_US, Refusal.IN_DOUBT),
        (Act.OVERRIDE, by(LEAD), reasons(Outcome.FACE_DOUBT), BEFORE_US, Refusal.IN_DOUBT),
        (Act.OVERRIDE, by(LEAD), reasons(Outcome.ALREADY_IN), BEFORE_US, Refusal.ALREADY_IN),
        (Act.OVERRIDE, by(LEAD), reasons(Outcome.TOO_EARLY), BEFORE_US, Refusal.NOT_OPEN),
        (Act.OVERRIDE, by(LEAD), reasons(Outcome.SESSION_CLOSED), BEFORE_US, Refusal.OVER),
        (
            Act.OVERRIDE,
            by(LEAD, OFFICER),
            reasons(Outcome.CANDIDATE_BLOCKED),
            BEFORE_US,
            Refusal.NOT_THIS_WAY,
        ),
        (Act.OVERRIDE, by(LEAD), ActFacts(seat=SEAT), BEFORE_US, Refusal.NOTHING_THERE),
        (Act.OVERRIDE, by(LEAD, OFFICER), reasons(Outcome.LEFT_NO_RETURN), AT_35_US, Refusal.POLICY),
        # Provisional entry: identity is the site lead's alone (13(2)).
        (Act.PROVISIONAL, by(LEAD), DOUBT, BEFORE_US, None),
        (Act.PROVISIONAL, by(OFFICER), DOUBT, BEFORE_US, Refusal.NOT_ALLOWED),
        (Act.PROVISIONAL, by(PROCTOR), DOUBT, BEFORE_US, Refusal.NOT_ALLOWED),
        (Act.PROVISIONAL, by(LEAD), replace(DOUBT, seat=None), BEFORE_US, Refusal.NOBODY),
        (Act.PROVISIONAL, by(LEAD), CLEAR, BEFORE_US, Refusal.POLICY),
        (Act.PROVISIONAL, by(LEAD), replace(LATE, doubt=Outcome.NO_ID), AT_35_US, Refusal.NEEDS_SECOND),
        (Act.PROVISIONAL, by(LEAD, OFFICER), replace(LATE, doubt=Outcome.NO_ID), AT_35_US, None),
        (
            Act.PROVISIONAL,
            by(LEAD, OFFICER),
            replace(reasons(Outcome.CANDIDATE_BLOCKED, Outcome.FACE_DOUBT), doubt=Outcome.FACE_DOUBT),
            BEFORE_US,
            None,
        ),
        (
            Act.PROVISIONAL,
            by(LEAD),
            replace(reasons(Outcome.DUP_CONFLICT), doubt=Outcome.FACE_DOUBT),
            BEFORE_US,
            Refusal.CONFLICT,
        ),
        (
            Act.PROVISIONAL,
            by(LEAD, OFFICER),
            replace(reasons(Outcome.LEFT_NO_RETURN), doubt=Outcome.FACE_DOUBT),
            AT_35_US,
            Refusal.HAS_LEFT,
        ),
        # Walk-ins come with an approval.
        (Act.WALK_IN, by(approval="渝职鉴〔2026〕7号"), CLEAR, BEFORE_US, None),
        (Act.WALK_IN, by(), CLEAR, BEFORE_US, Refusal.NO_APPROVAL),
        (Act.WALK_IN, by(approval="7"), LATE, AT_35_US, Refusal.NEEDS_SECOND),
        (Act.WALK_IN, by(LEAD, OFFICER, approval="7"), LATE, AT_35_US, None),
        (Act.WALK_IN, by(approval="7"), replace(CLEAR, is_known=True), BEFORE_US, Refusal.KNOWN),
        (Act.WALK_IN, by(approval="7"), replace(CLEAR, place_is_free=False), BEFORE_US, Refusal.PLACE_TAKEN),
        (Act.WALK_IN, by(OFFICER, approval="7"), CLEAR, BEFORE_US, Refusal.NOT_ALLOWED),
        # Seats (R21).
        (Act.SEAT_CHANGE, by(), CLEAR, BEFORE_US, None),
        (Act.EMERGENCY_ROOM, by(), replace(CLEAR, seat=RUNNING), AT_35_US, None),
        (Act.EMERGENCY_ROOM, by(PROCTOR), CLEAR, BEFORE_US, Refusal.NOT_ALLOWED),
        (Act.EMERGENCY_ROOM, by(), replace(CLEAR, place_fits=False), BEFORE_US, Refusal.WRONG_PLACE),
        (Act.SEAT_CHANGE, by(), replace(CLEAR, seat=None), BEFORE_US, Refusal.NOBODY),
        (
            Act.SEAT_CHANGE,
            by(),
            replace(CLEAR, seat=replace(RUNNING, left_at_us=1)),
            AT_35_US,
            Refusal.HAS_LEFT,
        ),
        (
            Act.SEAT_CHANGE,
            by(),
            replace(CLEAR, seat=replace(SEAT, sitting=replace(THEORY, is_cancelled=True))),
            BEFORE_US,
            Refusal.OVER,
        ),
        # Anybody at work points the way; tickets are voided by those responsible.
        (Act.REDIRECT, by(ELSEWHERE), ActFacts(), BEFORE_US, None),
        (Act.REDIRECT, by(AUDITOR), ActFacts(), BEFORE_US, Refusal.NOT_ALLOWED),
        (Act.BLOCK, by(OFFICER), CLEAR, BEFORE_US, None),
        (Act.BLOCK, by(OFFICER), ActFacts(), BEFORE_US, Refusal.NOBODY),
        (Act.BLOCK, by(OFFICER), replace(CLEAR, is_known=True), BEFORE_US, Refusal.BLOCKED),
        (Act.UNBLOCK, by(), replace(CLEAR, is_known=True), BEFORE_US, Refusal.NEEDS_SECOND),
        (Act.UNBLOCK, by(OFFICER), replace(CLEAR, is_known=True), BEFORE_US, Refusal.NOT_ALLOWED),
        (Act.UNBLOCK, by(LEAD, PROCTOR), replace(CLEAR, is_known=True), BEFORE_US, None),
        (Act.UNBLOCK, by(LEAD, PROCTOR), CLEAR, BEFORE_US, Refusal.NOT_BLOCKED),
        (Act.VOID_TICKET, by(OFFICER), CLEAR, BEFORE_US, None),
        (Act.VOID_TICKET, by(OFFICER), ActFacts(), BEFORE_US, Refusal.NOBODY),
        (Act.VOID_TICKET, by(), replace(CLEAR, is_known=True), BEFORE_US, Refusal.KNOWN),
        # Of two entries under one name the site lead says which counts.
        (
            Act.SETTLE_CONFLICT,
            by(),
            replace(CLEAR, seat=replace(SEAT, held_for=Outcome.DUP_CONFLICT)),
            BEFORE_US,
            None,
        ),
        (Act.SETTLE_CONFLICT, by(), CLEAR, BEFORE_US, Refusal.NOTHING_THERE),
        (Act.SETTLE_CONFLICT, by(), ActFacts(), BEFORE_US, Refusal.NOTHING_THERE),
        (Act.SETTLE_CONFLICT, by(), replace(CLEAR, seat=IN), BEFORE_US, Refusal.ALREADY_IN),
    ],
)
def test_who_may_do_what_and_why_not(
    act: Act, signed: Signed, known: ActFacts, now_us: int, refusal: Refusal | None
) -> None:
    assert judge_act(act, signed, known, now_us).refusal is refusal


def test_coming_back_is_the_site_leads_where_the_site_allows_it_with_a_second_person() -> None:
    allowing = replace(reasons(Outcome.LEFT_NO_RETURN), policy=replace(POLICY, re_entry=ReEntry.SITE_LEAD))
    assert judged(Act.OVERRIDE, by(LEAD, OFFICER), allowing).refusal is None
    assert judged(Act.OVERRIDE, by(LEAD), allowing).refusal is Refusal.NEEDS_SECOND


def test_a_site_that_wants_proof_lets_nobody_in_without() -> None:
    strict = replace(POLICY, without_document=Conditional(IdentityRule.REFUSE))
    assert judged(Act.PROVISIONAL, by(), replace(DOUBT, policy=strict)).refusal is Refusal.POLICY
    in_doubt = replace(DOUBT, policy=strict, doubt=Outcome.NAME_MISMATCH)
    assert judged(Act.PROVISIONAL, by(), in_doubt).refusal is None


def test_what_is_wrong_with_the_signatures_is_told_apart_from_what_stands_in_the_way() -> None:
    verdict = judged(Act.OVERRIDE, by(PROCTOR), reasons(Outcome.SESSION_CLOSED))
    assert (verdict.unsigned, verdict.obstacle) == (Refusal.NOT_ALLOWED, Refusal.OVER)
    assert verdict.refusal is Refusal.NOT_ALLOWED


def test_every_act_that_lets_somebody_in_or_out_has_its_outcome() -> None:
    assert judged(Act.PROVISIONAL, by(), DOUBT).outcome is Outcome.OK_PROVISIONAL
    assert set(OUTCOMES) == set(Act) - {
        Act.UNDO,
        Act.BY_HAND,  # the rule of the door answers
        Act.REDIRECT,
        Act.VOID_TICKET,
        Act.BLOCK,
        Act.UNBLOCK,
    }
    assert not needs_second(Act.UNDO, LATE)


def test_what_the_rule_has_against_an_identified_person() -> None:
    barred = Known(7, DocumentType.ID_CARD, is_blocked=True)
    late_us = START_US + 31 * MINUTE_US
    late = facts(STARTED).seats[0]
    assert reasons_against(WHO, SEAT, [SEAT], POLICY, BEFORE_US) == set()
    assert reasons_against(WHO, late, [late], POLICY, late_us) == {Outcome.LATE_CUTOFF}
    assert reasons_against(barred, late, [late], POLICY, late_us) == {
        Outcome.LATE_CUTOFF,
        Outcome.CANDIDATE_BLOCKED,
    }
    practical = facts(PRACTICAL).seats[0]
    first = replace(POLICY, theory_first=True)
    at_us = PRACTICAL.planned_start_us - MINUTE_US
    assert reasons_against(WHO, practical, [SEAT, practical], first, at_us) == {Outcome.WRONG_STAGE}
    assert reasons_against(WHO, IN, [IN], POLICY, BEFORE_US) == {Outcome.ALREADY_IN}
