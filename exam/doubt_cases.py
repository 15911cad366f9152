"""A doubt about who somebody is (存疑): who may look, who decides, and when a room may close (13(2), R7).

Pure: steps taken so far in, what may come next out. Two people of the room compare at the seat and sign;
the site lead decides. Software opens cases and never closes one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.admission_facts import Conditional, IdentityRule, Policy
from exam.outcomes import Outcome
from exam.signers import SITE_LEAD, Signer, is_same_person

LOOKS_NEEDED: Final = 2
# What is unproved because a document is missing, unreadable or run out; everything else is a contradiction.
WITHOUT_DOCUMENT: Final = frozenset(
    {Outcome.NO_ID, Outcome.NO_TICKET, Outcome.ID_UNREADABLE, Outcome.ID_EXPIRED, Outcome.ID_FORMAT_OTHER}
)
# What a person can see for himself; the first is the usual one.
SEEN_DOUBTS: Final = (
    Outcome.NO_ID,
    Outcome.FACE_DOUBT,
    Outcome.NAME_MISMATCH,
    Outcome.ID_UNREADABLE,
    Outcome.ID_EXPIRED,
    Outcome.ID_TICKET_MISMATCH,
)


class CaseStep(StrEnum):
    """What people do about a case."""

    LOOKED = "looked"
    DECIDED = "decided"
    # Something new came up after the decision.
    REOPENED = "reopened"


class Finding(StrEnum):
    """What a look or a decision says."""

    NONE = ""
    # Looks.
    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"
    # Decisions.
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    WITHDRAWN = "withdrawn"


LOOKS: Final = frozenset({Finding.SAME, Finding.DIFFERENT, Finding.UNSURE})
DECISIONS: Final = frozenset({Finding.CONFIRMED, Finding.NOT_CONFIRMED, Finding.WITHDRAWN})


class CaseRefusal(StrEnum):
    """Why a step may not be taken."""

    CLOSED = "closed"
    NOT_CLOSED = "not_closed"
    NOT_A_FINDING = "not_a_finding"
    NO_DUTY = "no_duty"
    NOT_SITE_LEAD = "not_site_lead"
    SAME_PERSON = "same_person"
    NEEDS_LOOKS = "needs_looks"
    NO_REASON = "no_reason"


@dataclass(frozen=True, slots=True)
class TakenStep:
    """One step that was taken, and by whom."""

    step: CaseStep
    finding: Finding
    signer: Signer


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One case as the rule sees it."""

    reason: Outcome
    session_id: int | None
    room_id: int | None
    # Somebody sits in the room on the strength of a provisional or conflicting entry: two people must look.
    is_inside: bool
    steps: tuple[TakenStep, ...] = ()

    @property
    def decision(self) -> Finding | None:
        """How it was decided; None while it is open."""
        last = next((one for one in reversed(self.steps) if one.step is not CaseStep.LOOKED), None)
        return last.finding if last is not None and last.step is CaseStep.DECIDED else None

    @property
    def is_open(self) -> bool:
        """Whether the site lead has not decided, or it was opened again."""
        return self.decision is None

    @property
    def looks(self) -> tuple[TakenStep, ...]:
        """Who has looked since it was opened, or opened again."""
        taken: list[TakenStep] = []
        for one in self.steps:
            if one.step is CaseStep.LOOKED:
                taken.append(one)
            elif one.step is CaseStep.REOPENED:
                taken.clear()
        return tuple(taken)


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step that somebody wants to take."""

    step: CaseStep
    finding: Finding
    signer: Signer
    reason: str


def case_refusal(case: CaseFacts, new: NewStep) -> CaseRefusal | None:
    """Why the step may not be taken now; None: it may."""
    if new.step is CaseStep.REOPENED:
        return _reopening_refusal(case, new)
    if not case.is_open:
        return CaseRefusal.CLOSED
    return _look_refusal(case, new) if new.step is CaseStep.LOOKED else _decision_refusal(case, new)


def may_close_room(cases: Iterable[CaseFacts], session_id: int, room_id: int) -> bool:
    """Whether the room's count may be closed: no case of it is open (13(4))."""
    return not open_in(cases, session_id, room_id)


def open_in(cases: Iterable[CaseFacts], session_id: int, room_id: int) -> list[CaseFacts]:
    """The cases that keep the room from closing."""
    return [
        case for case in cases if case.is_open and (case.session_id, case.room_id) == (session_id, room_id)
    ]


def allowance(policy: Policy, reason: Outcome) -> Conditional:
    """What the site allows for somebody who is in doubt for this reason."""
    return policy.without_document if reason in WITHOUT_DOCUMENT else policy.in_doubt


def deadline_us(allowed: Conditional, entered_at_us: int) -> int | None:
    """By when the proof is owed; None: no moment is set."""
    if allowed.rule is not IdentityRule.DEADLINE or allowed.deadline_us is None:
        return None
    return entered_at_us + allowed.deadline_us


def _look_refusal(case: CaseFacts, new: NewStep) -> CaseRefusal | None:
    if new.finding not in LOOKS:
        return CaseRefusal.NOT_A_FINDING
    if not new.signer.works_in(case.session_id, case.room_id):
        return CaseRefusal.NO_DUTY
    if _has_looked(case.looks, new.signer):
        return CaseRefusal.SAME_PERSON
    is_clear = new.finding is Finding.SAME
    return None if is_clear or new.reason.strip() else CaseRefusal.NO_REASON


def _decision_refusal(case: CaseFacts, new: NewStep) -> CaseRefusal | None:
    if new.finding not in DECISIONS:
        return CaseRefusal.NOT_A_FINDING
    if SITE_LEAD not in new.signer.roles:
        return CaseRefusal.NOT_SITE_LEAD
    if case.is_inside and len(case.looks) < LOOKS_NEEDED:
        return CaseRefusal.NEEDS_LOOKS
    return None if new.reason.strip() else CaseRefusal.NO_REASON


def _reopening_refusal(case: CaseFacts, new: NewStep) -> CaseRefusal | None:
    if case.is_open:
        return CaseRefusal.NOT_CLOSED
    if SITE_LEAD not in new.signer.roles:
        return CaseRefusal.NOT_SITE_LEAD
    return None if new.reason.strip() else CaseRefusal.NO_REASON


def _has_looked(looks: Sequence[TakenStep], signer: Signer) -> bool:
    return any(is_same_person(one.signer, signer) for one in looks)
