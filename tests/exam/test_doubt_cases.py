"""Doubts: two of the room look, the site lead decides, and open ones keep a room from closing."""

from dataclasses import replace

import pytest

from exam.admission_facts import Conditional, IdentityRule, Policy
from exam.doubt_cases import (
    CaseFacts,
    CaseRefusal,
    CaseStep,
    Finding,
    NewStep,
    TakenStep,
    allowance,
    case_refusal,
    deadline_us,
    may_close_room,
    open_in,
)
from exam.outcomes import Outcome
from exam.signers import Duty, Signer, is_same_person

T1, ROOM = 1, 10
HERE = frozenset({Duty(T1, ROOM, "proctor")})
WANG = Signer(1, 101, frozenset({"proctor"}), HERE)
LIU = Signer(2, 102, frozenset({"proctor"}), HERE)
ELSEWHERE = Signer(3, 103, frozenset({"proctor"}), frozenset({Duty(T1, 11, "proctor")}))
LEAD = Signer(4, 104, frozenset({"site_lead"}))
CASE = CaseFacts(Outcome.FACE_DOUBT, T1, ROOM, is_inside=True)


def look(signer: Signer = WANG, finding: Finding = Finding.SAME, reason: str = "") -> NewStep:
    return NewStep(CaseStep.LOOKED, finding, signer, reason)


def decision(signer: Signer = LEAD, finding: Finding = Finding.CONFIRMED, reason: str = "已核对") -> NewStep:
    return NewStep(CaseStep.DECIDED, finding, signer, reason)


def reopening(signer: Signer = LEAD, reason: str = "又有疑问") -> NewStep:
    return NewStep(CaseStep.REOPENED, Finding.NONE, signer, reason)


def after(case: CaseFacts, *steps: NewStep) -> CaseFacts:
    taken = tuple(TakenStep(one.step, one.finding, one.signer) for one in steps)
    return replace(case, steps=(*case.steps, *taken))


LOOKED_TWICE = after(CASE, look(), look(LIU))
DECIDED = after(LOOKED_TWICE, decision())


def test_two_people_of_the_room_look_and_the_site_lead_decides() -> None:
    assert case_refusal(CASE, look()) is None
    assert case_refusal(after(CASE, look()), look(LIU)) is None
    assert case_refusal(LOOKED_TWICE, decision()) is None
    assert (DECIDED.is_open, DECIDED.decision) == (False, Finding.CONFIRMED)


@pytest.mark.parametrize(
    ("case", "step", "refusal"),
    [
        (CASE, look(ELSEWHERE), CaseRefusal.NO_DUTY),
        (CASE, look(LEAD), CaseRefusal.NO_DUTY),
        (CASE, look(finding=Finding.CONFIRMED), CaseRefusal.NOT_A_FINDING),
        (CASE, look(finding=Finding.DIFFERENT), CaseRefusal.NO_REASON),
        (CASE, look(finding=Finding.UNSURE, reason="  "), CaseRefusal.NO_REASON),
        (after(CASE, look()), look(), CaseRefusal.SAME_PERSON),
        (after(CASE, look()), look(replace(WANG, account_id=9)), CaseRefusal.SAME_PERSON),
        (after(CASE, look()), decision(), CaseRefusal.NEEDS_LOOKS),
        (LOOKED_TWICE, decision(WANG), CaseRefusal.NOT_SITE_LEAD),
        (LOOKED_TWICE, decision(finding=Finding.SAME), CaseRefusal.NOT_A_FINDING),
        (LOOKED_TWICE, decision(reason=""), CaseRefusal.NO_REASON),
        (DECIDED, look(), CaseRefusal.CLOSED),
        (DECIDED, decision(), CaseRefusal.CLOSED),
        (CASE, reopening(), CaseRefusal.NOT_CLOSED),
        (DECIDED, reopening(WANG), CaseRefusal.NOT_SITE_LEAD),
        (DECIDED, reopening(reason=""), CaseRefusal.NO_REASON),
    ],
)
def test_what_may_not_be_done_is_refused_with_its_reason(
    case: CaseFacts, step: NewStep, refusal: CaseRefusal
) -> None:
    assert case_refusal(case, step) is refusal


def test_a_look_that_finds_a_difference_says_why() -> None:
    assert case_refusal(CASE, look(finding=Finding.DIFFERENT, reason="五官不符")) is None


def test_nobody_can_look_where_nobody_sits_so_the_site_lead_decides_alone() -> None:
    assert case_refusal(replace(CASE, is_inside=False), decision()) is None


def test_a_case_that_is_opened_again_is_looked_at_again() -> None:
    assert case_refusal(DECIDED, reopening()) is None
    again = after(DECIDED, reopening())
    assert (again.is_open, again.looks) == (True, ())
    assert case_refusal(again, decision()) is CaseRefusal.NEEDS_LOOKS


def test_open_cases_of_a_room_keep_it_from_closing_and_no_others() -> None:
    other_room = replace(CASE, room_id=11)
    nowhere = replace(CASE, room_id=None)
    assert may_close_room([DECIDED, other_room, nowhere], T1, ROOM)
    assert not may_close_room([DECIDED, CASE], T1, ROOM)
    assert open_in([DECIDED, CASE, other_room], T1, ROOM) == [CASE]


def test_the_site_says_what_may_be_done_without_proof() -> None:
    owed = Conditional(IdentityRule.DEADLINE, 60)
    policy = Policy(without_document=owed, in_doubt=Conditional(IdentityRule.REFUSE))
    assert allowance(policy, Outcome.NO_ID) == owed
    assert allowance(policy, Outcome.FACE_DOUBT).rule is IdentityRule.REFUSE
    assert deadline_us(owed, 1000) == 1060
    assert deadline_us(Conditional(), 1000) is None


def test_who_is_the_same_person() -> None:
    assert is_same_person(WANG, WANG)
    assert is_same_person(WANG, replace(WANG, account_id=77))
    assert is_same_person(WANG, replace(LIU, staff_id=None))
    assert is_same_person(replace(WANG, staff_id=None), LIU)
    assert not is_same_person(WANG, LIU)


def test_a_duty_counts_only_with_the_role_that_goes_with_it() -> None:
    assert WANG.works_in(T1, ROOM)
    assert not replace(WANG, roles=frozenset({"auditor"})).works_in(T1, ROOM)
    assert not replace(WANG, duties=frozenset({Duty(T1, ROOM, "inspector")})).works_in(T1, ROOM)
    assert LEAD.is_lead()
    assert not WANG.is_lead()
