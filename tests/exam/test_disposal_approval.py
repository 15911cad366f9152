"""A disposal needs an archivist, the site lead and one more: three people, no administrator."""

from exam.disposal_approval import (
    Act,
    ApprovalFault,
    approval_faults,
    completeness_faults,
    proposal_faults,
    registrar_faults,
    witness_faults,
)

DIGEST = "ab" * 32


def act(account: int, *roles: str, person: str = "", digest: str = DIGEST) -> Act:
    return Act(account, person or f"staff:{account}", frozenset(roles), digest)


ARCHIVIST = act(1, "archivist")
LEAD = act(2, "site_lead")
SUPERVISOR = act(3, "supervisor")


def test_archivist_site_lead_and_supervisor_together_are_enough() -> None:
    assert completeness_faults(ARCHIVIST, [LEAD, SUPERVISOR]) == []
    assert completeness_faults(ARCHIVIST, [SUPERVISOR, LEAD]) == []
    assert completeness_faults(ARCHIVIST, [LEAD, act(4, "site_lead")]) == []
    assert completeness_faults(ARCHIVIST, [LEAD, act(4, "quality_supervisor")]) == []
    assert completeness_faults(ARCHIVIST, [LEAD, act(4, "inspector")]) == []


def test_only_an_archivist_who_is_no_administrator_proposes() -> None:
    assert proposal_faults(LEAD) == [ApprovalFault.NOT_PROPOSED_BY_ARCHIVIST]
    assert proposal_faults(act(1, "archivist", "administrator")) == [ApprovalFault.ADMINISTRATOR]
    assert proposal_faults(ARCHIVIST) == []
    assert completeness_faults(LEAD, [act(5, "site_lead"), SUPERVISOR]) == [
        ApprovalFault.NOT_PROPOSED_BY_ARCHIVIST
    ]


def test_too_few_approvals_or_none_of_the_site_lead_are_not_enough() -> None:
    assert completeness_faults(ARCHIVIST, []) == [
        ApprovalFault.TOO_FEW_APPROVALS,
        ApprovalFault.NO_SITE_LEAD,
    ]
    assert completeness_faults(ARCHIVIST, [LEAD]) == [ApprovalFault.TOO_FEW_APPROVALS]
    assert completeness_faults(ARCHIVIST, [SUPERVISOR, act(4, "inspector")]) == [ApprovalFault.NO_SITE_LEAD]


def test_nobody_acts_twice_not_even_with_two_accounts() -> None:
    both = act(1, "archivist", "site_lead")
    assert approval_faults(both, [], both) == [ApprovalFault.SAME_PERSON]
    assert approval_faults(ARCHIVIST, [LEAD], LEAD) == [ApprovalFault.SAME_PERSON]
    again = act(9, "supervisor", person=LEAD.person)
    assert approval_faults(ARCHIVIST, [LEAD], again) == [ApprovalFault.SAME_PERSON]
    assert completeness_faults(ARCHIVIST, [LEAD, again]) == [ApprovalFault.SAME_PERSON]


def test_an_administrator_a_proctor_and_an_approval_of_another_plan_do_not_count() -> None:
    assert approval_faults(ARCHIVIST, [], act(4, "site_lead", "administrator")) == [
        ApprovalFault.ADMINISTRATOR
    ]
    assert approval_faults(ARCHIVIST, [], act(4, "proctor")) == [ApprovalFault.WRONG_ROLE]
    assert approval_faults(ARCHIVIST, [], act(2, "site_lead", digest="cd" * 32)) == [ApprovalFault.OTHER_PLAN]


def test_an_account_without_a_badge_may_be_anybodys() -> None:
    nobody = act(4, "supervisor", person="account:4")
    assert approval_faults(ARCHIVIST, [LEAD], nobody) == [ApprovalFault.NO_BADGE]
    assert proposal_faults(act(1, "archivist", person="account:1")) == [ApprovalFault.NO_BADGE]
    assert registrar_faults([nobody], [ARCHIVIST, LEAD]) == [ApprovalFault.NO_BADGE]
    assert registrar_faults([nobody, act(5)], [ARCHIVIST, LEAD]) == []


def test_every_fault_is_told_once() -> None:
    wrong = [act(4, "proctor"), act(5, "proctor")]
    assert completeness_faults(ARCHIVIST, wrong) == [ApprovalFault.WRONG_ROLE, ApprovalFault.NO_SITE_LEAD]


def test_time_counts_when_somebody_apart_registered_its_source() -> None:
    acts, apart = [ARCHIVIST, LEAD], act(4, "quality_supervisor")
    assert registrar_faults([], acts) == []
    assert registrar_faults([apart, LEAD], acts) == []
    assert registrar_faults([act(9, person=LEAD.person)], acts) == [ApprovalFault.REGISTERED_TIME]


def test_two_different_people_watch() -> None:
    assert witness_faults(["甲", "乙"]) == []
    assert witness_faults(["甲", "甲"]) == [ApprovalFault.TOO_FEW_WITNESSES]
    assert witness_faults(["甲"]) == [ApprovalFault.TOO_FEW_WITNESSES]
