"""What staff may do about check-in, who may, and with whose second signature (13(2), 13(4), R4, R7, R21).

Pure: an act, who signs it and the facts in, a verdict out. Identity is decided by the site lead alone, late
entry by the site lead and a second person; others undo, let leave and point the way. Whoever acts offline
is judged by the same rule when the act arrives; `obstacle` and `unsigned` then say what was wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from exam.admission_facts import IdentityRule, Policy, ReEntry, Seat, Verdict
from exam.clock import MINUTE_US
from exam.doubt_cases import allowance
from exam.outcomes import DOUBTS, Kind, Outcome
from exam.signers import AT_WORK, LEADS, ROOM_STAFF, SITE_LEAD, Signer, is_same_person
from exam.sitting_phase import Phase, has_started, phase


class Act(StrEnum):
    """What people do. Stable codes: they stand in the record for years, and are signed at kiosks."""

    UNDO = "undo"
    EXIT = "exit"
    # Plain check-in where no kiosk works: people compare the documents, the rule of the door decides.
    BY_HAND = "by_hand"
    # Late entry, a step that is waived, coming back after leaving.
    OVERRIDE = "override"
    PROVISIONAL = "provisional"
    WALK_IN = "walk_in"
    SEAT_CHANGE = "seat_change"
    EMERGENCY_ROOM = "emergency_room"
    REDIRECT = "redirect"
    VOID_TICKET = "void_ticket"
    # Disqualified or barred, for the whole batch; and free to sit again.
    BLOCK = "block"
    UNBLOCK = "unblock"
    # Which of two entries under one name counts.
    SETTLE_CONFLICT = "settle_conflict"


class Refusal(StrEnum):
    """Why an act is not done."""

    # Who signs.
    NOT_ALLOWED = "not_allowed"
    NO_DUTY = "no_duty"
    NEEDS_SECOND = "needs_second"
    SECOND_NOT_ALLOWED = "second_not_allowed"
    SAME_PERSON = "same_person"
    NO_REASON = "no_reason"
    NO_APPROVAL = "no_approval"
    # The facts.
    NOBODY = "nobody"
    NOTHING_THERE = "nothing_there"
    NOT_IN = "not_in"
    ALREADY_IN = "already_in"
    HAS_LEFT = "has_left"
    TOO_EARLY_TO_LEAVE = "too_early_to_leave"
    # The session is over, cancelled or on another day.
    OVER = "over"
    NOT_OPEN = "not_open"
    # Something stands in the way that this act cannot lift.
    NOT_THIS_WAY = "not_this_way"
    IN_DOUBT = "in_doubt"
    CONFLICT = "conflict"
    POLICY = "policy"
    PLACE_TAKEN = "place_taken"
    WRONG_PLACE = "wrong_place"
    KNOWN = "known"
    BLOCKED = "blocked"
    NOT_BLOCKED = "not_blocked"
    # Undo: the room was closed, and its list was handed over.
    ROOM_CLOSED = "room_closed"
    # Its nonce was used for something else: nobody may believe that this was done.
    OTHER_ACT = "other_act"


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signs, and the words that go with it."""

    signer: Signer
    second: Signer | None = None
    reason: str = ""
    # Of a walk-in: number of the approval.
    approval_no: str = ""


@dataclass(frozen=True, slots=True)
class ActFacts:
    """What the rule looks at. Everything that an act does not concern keeps its default."""

    # Whom it concerns, with what is on record about him; None: nobody is known.
    seat: Seat | None = None
    # What the admission rule says against letting him in now, identity and steps at the kiosk aside.
    reasons: frozenset[Outcome] = frozenset()
    policy: Policy = field(default_factory=Policy)
    # How long after the start leaving is allowed; None: the procedure names nothing.
    early_exit_us: int | None = None
    # The doubt for which somebody is to be let in provisionally.
    doubt: Outcome | None = None
    # Undo, override, settling: the attempt it speaks of is on record, and can be.
    has_subject: bool = False
    # Override: both documents named him, and nothing doubted them.
    is_identified: bool = False
    # Seat change, emergency room, walk-in: the new place is free, and is such a place.
    place_is_free: bool = True
    place_fits: bool = True
    # Walk-in: the number is on the roster already. Voiding: the ticket is void already.
    # Blocking: he is barred.
    is_known: bool = False
    # Undo: when the step that closes the room was ticked; None: it was not.
    room_closed_at_us: int | None = None
    # By hand: what the rule of the door answers, and whether a doubt about him was never settled.
    by_hand: Verdict | None = None
    was_doubted: bool = False


@dataclass(frozen=True, slots=True)
class ActVerdict:
    """What an act comes to. It is done when `refusal` is None."""

    # What the facts have against it.
    obstacle: Refusal | None = None
    # What is wrong with its signatures or words.
    unsigned: Refusal | None = None
    # What the attempt is answered that the act makes; None: it makes none, or the rule of the door answers.
    outcome: Outcome | None = None

    @property
    def refusal(self) -> Refusal | None:
        """Why it is not done: whoever may not is told that first."""
        return self.unsigned or self.obstacle


OUTCOMES: Final[Mapping[Act, Outcome]] = MappingProxyType(
    {
        Act.EXIT: Outcome.OK_EXIT,
        Act.OVERRIDE: Outcome.OK_OVERRIDE,
        Act.PROVISIONAL: Outcome.OK_PROVISIONAL,
        Act.WALK_IN: Outcome.OK_WALK_IN,
        Act.SEAT_CHANGE: Outcome.OK_EMERGENCY_ROOM,
        Act.EMERGENCY_ROOM: Outcome.OK_EMERGENCY_ROOM,
        Act.SETTLE_CONFLICT: Outcome.OK_OVERRIDE,
    }
)
# After these somebody sits in the room who did not before.
LETTING_IN: Final = frozenset({Act.BY_HAND, Act.OVERRIDE, Act.PROVISIONAL, Act.WALK_IN, Act.SETTLE_CONFLICT})

# A room whose closing nobody ticked counts as closed this long after its stop signal.
UNTICKED_US: Final = 120 * MINUTE_US

_LEAD_ONLY: Final = frozenset({SITE_LEAD})
# Who may everywhere; room staff may besides, where their duty is, as `_IN_THE_ROOM` says.
_EVERYWHERE: Final[Mapping[Act, frozenset[str]]] = MappingProxyType(
    {
        Act.UNDO: LEADS,
        Act.EXIT: LEADS,
        Act.BY_HAND: LEADS,
        Act.OVERRIDE: _LEAD_ONLY,
        Act.PROVISIONAL: _LEAD_ONLY,
        Act.WALK_IN: _LEAD_ONLY,
        Act.SEAT_CHANGE: _LEAD_ONLY,
        Act.EMERGENCY_ROOM: _LEAD_ONLY,
        Act.REDIRECT: AT_WORK,
        Act.VOID_TICKET: LEADS,
        Act.BLOCK: LEADS,
        Act.UNBLOCK: _LEAD_ONLY,
        Act.SETTLE_CONFLICT: _LEAD_ONLY,
    }
)
_JUDGES: Final = frozenset({"assessor", "lead_assessor", "review_chair"})
# Late entry (R4), coming back, and whoever is barred or was: never one person alone.
_FOR_TWO: Final = frozenset({Outcome.LATE_CUTOFF, Outcome.LEFT_NO_RETURN, Outcome.CANDIDATE_BLOCKED})
_OVERRIDABLE: Final = frozenset(
    {Outcome.LATE_CUTOFF, Outcome.LATE_REFERRED, Outcome.LEFT_NO_RETURN, Outcome.WRONG_STAGE}
)
_LATE: Final = frozenset({Outcome.LATE_CUTOFF, Outcome.LATE_REFERRED})
# What stands in the way of letting somebody in, whatever people think of him.
_OBSTACLES: Final[Mapping[Outcome, Refusal]] = MappingProxyType(
    {
        Outcome.ALREADY_IN: Refusal.ALREADY_IN,
        Outcome.OK_ALREADY_HERE: Refusal.ALREADY_IN,
        Outcome.WRONG_DAY: Refusal.NOT_OPEN,
        Outcome.SESSION_CLOSED: Refusal.OVER,
        Outcome.WRONG_SESSION: Refusal.NOT_OPEN,
        Outcome.TOO_EARLY: Refusal.NOT_OPEN,
        Outcome.LEFT_NO_RETURN: Refusal.HAS_LEFT,
        Outcome.SEAT_TAKEN: Refusal.PLACE_TAKEN,
        Outcome.AMBIGUOUS: Refusal.NOBODY,
        Outcome.DUP_CONFLICT: Refusal.CONFLICT,
    }
)


def judge_act(act: Act, signed: Signed, facts: ActFacts, now_us: int) -> ActVerdict:
    """Whether the act may be done now, and if not, why."""
    return ActVerdict(
        obstacle=_JUDGED[act](facts, now_us),
        unsigned=_unsigned(act, signed, facts, now_us),
        outcome=OUTCOMES.get(act),
    )


def needs_second(act: Act, facts: ActFacts) -> bool:
    """Whether a second person must sign."""
    if act is Act.UNBLOCK:
        return True
    if act is Act.BY_HAND:
        # Nobody else saw when a latecomer came, or overrules alone what was doubted before.
        answer = facts.by_hand
        if answer is None or answer.kind is not Kind.ADMITTED:
            return False
        return facts.was_doubted or answer.outcome is Outcome.OK_LATE
    return act in {Act.OVERRIDE, Act.PROVISIONAL, Act.WALK_IN} and bool(facts.reasons & _FOR_TWO)


def _unsigned(act: Act, signed: Signed, facts: ActFacts, now_us: int) -> Refusal | None:
    if not signed.signer.is_lead(_EVERYWHERE[act]):
        refusal = _room_refusal(act, signed.signer, facts, now_us)
        if refusal is not None:
            return refusal
    if not signed.reason.strip():
        return Refusal.NO_REASON
    if act is Act.WALK_IN and not signed.approval_no.strip():
        return Refusal.NO_APPROVAL
    return _second_refusal(signed) if needs_second(act, facts) else None


def _room_refusal(act: Act, signer: Signer, facts: ActFacts, now_us: int) -> Refusal | None:
    """Why room staff may not do this where it concerns; None: they may."""
    if not signer.roles & _room_roles(act, facts, now_us):
        return Refusal.NOT_ALLOWED
    here = (facts.seat.sitting.session_id, facts.seat.sitting.room_id) if facts.seat else (None, None)
    return None if signer.works_in(*here) else Refusal.NO_DUTY


def _room_roles(act: Act, facts: ActFacts, now_us: int) -> frozenset[str]:
    nobody: frozenset[str] = frozenset()
    match act:
        case Act.UNDO:
            # After the start somebody who disappears from the list is the site lead's business.
            return nobody if facts.seat and has_started(facts.seat.sitting, now_us) else ROOM_STAFF
        case Act.EXIT:
            return ROOM_STAFF if facts.early_exit_us is not None else _JUDGES
        case Act.BY_HAND:
            return ROOM_STAFF
        case Act.OVERRIDE:
            # Where the procedure names no limit, those decide who examine (R5).
            return _JUDGES if facts.reasons == {Outcome.LATE_REFERRED} else nobody
        case _:
            return nobody


def _second_refusal(signed: Signed) -> Refusal | None:
    if signed.second is None:
        return Refusal.NEEDS_SECOND
    if is_same_person(signed.signer, signed.second):
        return Refusal.SAME_PERSON
    return None if signed.second.roles & AT_WORK else Refusal.SECOND_NOT_ALLOWED


def _undo(facts: ActFacts, now_us: int) -> Refusal | None:
    if not facts.has_subject:
        return Refusal.NOTHING_THERE
    return Refusal.ROOM_CLOSED if _is_room_closed(facts, now_us) else None


def _is_room_closed(facts: ActFacts, now_us: int) -> bool:
    """Whether who was there has been counted and handed over: from then on the list is not rewritten."""
    seat = facts.seat
    if seat is None:
        return False
    if facts.room_closed_at_us is not None:
        return facts.room_closed_at_us <= now_us
    stopped_at_us = seat.sitting.stopped_at_us
    is_long_over = stopped_at_us is not None and now_us >= stopped_at_us + UNTICKED_US
    return is_long_over or phase(seat.sitting, now_us) is Phase.OTHER_DAY


def _exit(facts: ActFacts, now_us: int) -> Refusal | None:
    seat = facts.seat
    if seat is None:
        return Refusal.NOBODY
    if seat.admission is None:
        return Refusal.NOT_IN
    if seat.left_at_us is not None:
        return Refusal.HAS_LEFT
    if phase(seat.sitting, now_us) in {Phase.CLOSED, Phase.OTHER_DAY}:
        return Refusal.OVER
    started_at_us = seat.sitting.started_at_us
    if started_at_us is None or now_us < started_at_us + (facts.early_exit_us or 0):
        return Refusal.TOO_EARLY_TO_LEAVE
    return None


def _by_hand(facts: ActFacts, _now_us: int) -> Refusal | None:
    # Whom the rule does not let in is answered as a kiosk would: that he came is on record too.
    return Refusal.NOBODY if facts.by_hand is None else None


def _override(facts: ActFacts, _now_us: int) -> Refusal | None:
    if not facts.has_subject or facts.seat is None:
        return Refusal.NOTHING_THERE
    if not facts.is_identified or facts.reasons & (DOUBTS - {Outcome.ALREADY_IN}):
        return Refusal.IN_DOUBT
    if facts.reasons == {Outcome.LEFT_NO_RETURN}:
        return None if facts.policy.re_entry is ReEntry.SITE_LEAD else Refusal.POLICY
    return _obstacle(facts.reasons, _OVERRIDABLE)


def _provisional(facts: ActFacts, _now_us: int) -> Refusal | None:
    if facts.seat is None:
        return Refusal.NOBODY
    if facts.doubt is None or allowance(facts.policy, facts.doubt).rule is IdentityRule.REFUSE:
        return Refusal.POLICY
    lifted = (_OVERRIDABLE - {Outcome.LEFT_NO_RETURN}) | (DOUBTS - {Outcome.DUP_CONFLICT, Outcome.ALREADY_IN})
    return _obstacle(facts.reasons, lifted | {Outcome.CANDIDATE_BLOCKED})


def _walk_in(facts: ActFacts, _now_us: int) -> Refusal | None:
    if facts.is_known:
        return Refusal.KNOWN
    return _place_refusal(facts) or _obstacle(facts.reasons, _LATE)


def _seat_change(facts: ActFacts, now_us: int) -> Refusal | None:
    seat = facts.seat
    if seat is None:
        return Refusal.NOBODY
    if seat.left_at_us is not None:
        return Refusal.HAS_LEFT
    if phase(seat.sitting, now_us) in {Phase.CLOSED, Phase.OTHER_DAY}:
        return Refusal.OVER
    return _place_refusal(facts)


def _void_ticket(facts: ActFacts, _now_us: int) -> Refusal | None:
    if not facts.has_subject:
        return Refusal.NOBODY
    return Refusal.KNOWN if facts.is_known else None


def _block(facts: ActFacts, _now_us: int) -> Refusal | None:
    if not facts.has_subject:
        return Refusal.NOBODY
    return Refusal.BLOCKED if facts.is_known else None


def _unblock(facts: ActFacts, _now_us: int) -> Refusal | None:
    return None if facts.has_subject and facts.is_known else Refusal.NOT_BLOCKED


def _settle_conflict(facts: ActFacts, _now_us: int) -> Refusal | None:
    if facts.seat is None or not facts.has_subject:
        return Refusal.NOTHING_THERE
    if facts.seat.admission is not None:
        return Refusal.ALREADY_IN
    return None if facts.seat.held_for is Outcome.DUP_CONFLICT else Refusal.NOTHING_THERE


def _redirect(_facts: ActFacts, _now_us: int) -> Refusal | None:
    return None


def _place_refusal(facts: ActFacts) -> Refusal | None:
    if not facts.place_fits:
        return Refusal.WRONG_PLACE
    return None if facts.place_is_free else Refusal.PLACE_TAKEN


def _obstacle(reasons: frozenset[Outcome], lifted: frozenset[Outcome]) -> Refusal | None:
    """What stands in the way besides what this act lifts."""
    left = reasons - lifted
    known = [_OBSTACLES[reason] for reason in Outcome if reason in left and reason in _OBSTACLES]
    if known:
        return known[0]
    return Refusal.NOT_THIS_WAY if left else None


_JUDGED: Final[Mapping[Act, Callable[[ActFacts, int], Refusal | None]]] = MappingProxyType(
    {
        Act.UNDO: _undo,
        Act.EXIT: _exit,
        Act.BY_HAND: _by_hand,
        Act.OVERRIDE: _override,
        Act.PROVISIONAL: _provisional,
        Act.WALK_IN: _walk_in,
        Act.SEAT_CHANGE: _seat_change,
        Act.EMERGENCY_ROOM: _seat_change,
        Act.REDIRECT: _redirect,
        Act.VOID_TICKET: _void_ticket,
        Act.BLOCK: _block,
        Act.UNBLOCK: _unblock,
        Act.SETTLE_CONFLICT: _settle_conflict,
    }
)
