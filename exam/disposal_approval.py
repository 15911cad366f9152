"""Who may propose, approve and witness a disposal (销毁清册; R19): three people at least, nobody twice.

Pure; the console asks it before it writes an approval, and disposal asks it again before every file.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PROPOSES: Final = "archivist"
LEADS: Final = "site_lead"
NEVER: Final = "administrator"
# Begins the name of a person who is on the staff list.
STAFF: Final = "staff:"
# Who may be the second approver.
SECOND: Final = frozenset({"site_lead", "supervisor", "quality_supervisor", "inspector"})
APPROVALS: Final = 2
WITNESSES: Final = 2


class ApprovalFault(StrEnum):
    """Why people's part of a disposal is not complete."""

    NOT_PROPOSED_BY_ARCHIVIST = "not_proposed_by_archivist"
    TOO_FEW_APPROVALS = "too_few_approvals"
    NO_SITE_LEAD = "no_site_lead"
    SAME_PERSON = "same_person"
    WRONG_ROLE = "wrong_role"
    ADMINISTRATOR = "administrator"
    TOO_FEW_WITNESSES = "too_few_witnesses"
    OTHER_PLAN = "other_plan"
    NO_BADGE = "no_badge"
    REGISTERED_TIME = "registered_time"


@dataclass(frozen=True, slots=True)
class Act:
    """What one account did: with which roles it had then, and to which plan (its digest).

    `person` is the staff id as text, or the account's own when it belongs to nobody on the staff list.
    """

    account_id: int
    person: str
    roles: frozenset[str]
    plan_digest: str

    @property
    def has_badge(self) -> bool:
        """Whether it is known who this is: without a badge one person could be many."""
        return self.person.startswith(STAFF)


def proposal_faults(proposal: Act) -> list[ApprovalFault]:
    """What speaks against this account proposing."""
    faults = []
    if PROPOSES not in proposal.roles:
        faults.append(ApprovalFault.NOT_PROPOSED_BY_ARCHIVIST)
    if NEVER in proposal.roles:
        faults.append(ApprovalFault.ADMINISTRATOR)
    if not proposal.has_badge:
        faults.append(ApprovalFault.NO_BADGE)
    return faults


def approval_faults(proposal: Act, earlier: Sequence[Act], approval: Act) -> list[ApprovalFault]:
    """What speaks against this account approving after the proposal and the earlier approvals."""
    faults = []
    if approval.plan_digest != proposal.plan_digest:
        faults.append(ApprovalFault.OTHER_PLAN)
    if takes_part(approval, (proposal, *earlier)):
        faults.append(ApprovalFault.SAME_PERSON)
    if NEVER in approval.roles:
        faults.append(ApprovalFault.ADMINISTRATOR)
    if not approval.has_badge:
        faults.append(ApprovalFault.NO_BADGE)
    if not approval.roles & SECOND:
        faults.append(ApprovalFault.WRONG_ROLE)
    return faults


def completeness_faults(proposal: Act, approvals: Sequence[Act]) -> list[ApprovalFault]:
    """What is missing or wrong in proposal and approvals together; empty: approved."""
    faults = proposal_faults(proposal)
    for at, approval in enumerate(approvals):
        faults += approval_faults(proposal, approvals[:at], approval)
    if len(approvals) < APPROVALS:
        faults.append(ApprovalFault.TOO_FEW_APPROVALS)
    if not any(LEADS in approval.roles for approval in approvals):
        faults.append(ApprovalFault.NO_SITE_LEAD)
    return list(dict.fromkeys(faults))


def witness_faults(names: Collection[str]) -> list[ApprovalFault]:
    """监销: two named people watch the destruction and sign the register."""
    return [ApprovalFault.TOO_FEW_WITNESSES] if len(set(names)) < WITNESSES else []


def registrar_faults(registrars: Sequence[Act], acts: Sequence[Act]) -> list[ApprovalFault]:
    """Time from outside counts only when somebody registered its source who has no other part in the plan."""
    apart = [each for each in registrars if not takes_part(each, acts)]
    if registrars and not apart:
        return [ApprovalFault.REGISTERED_TIME]
    return [] if not apart or any(each.has_badge for each in apart) else [ApprovalFault.NO_BADGE]


def takes_part(one: Act, acts: Collection[Act]) -> bool:
    """Whether this person is among those who acted."""
    return any(_is_same(one, other) for other in acts)


def _is_same(one: Act, other: Act) -> bool:
    return one.account_id == other.account_id or one.person == other.person
