"""Who may come in, when and where (规程 13(二)-(四), 14(三), 15(二)).

Pure: facts in, a verdict with all its reasons out. The server judges with it, and anything that
works beside the server must judge with it too. It decides nothing about doubtful identity: such
a case is referred to the site lead (13(2)). What it looks at is `exam.admission_facts`, what it may
answer `exam.outcomes`, and docs/design/check-in.md gives the order of judging.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from exam.admission_facts import (
    AdmissionRequest,
    Admitted,
    Conditional,
    Facts,
    IdentityRule,
    Known,
    OtherSite,
    Policy,
    Provided,
    ReadDocument,
    ReEntry,
    Seat,
    Sitting,
    Step,
    TicketProof,
    Verdict,
)
from exam.clock import site_time
from exam.day import SessionKind
from exam.identity import RESIDENT_TYPES, DocumentType, looks_resident, names_agree, number_fault
from exam.outcomes import ACTIONABLE, AFTER_TRIES, AT_THE_SCANNER, KINDS, Kind, Outcome, ordered
from exam.sitting_phase import Phase, choose_seat, phase
from exam.tickets import matches, matches_any

__all__ = [
    "ACTIONABLE",
    "KINDS",
    "RULE",
    "AdmissionRequest",
    "Admitted",
    "Conditional",
    "Facts",
    "IdentityRule",
    "Kind",
    "Known",
    "OtherSite",
    "Outcome",
    "Phase",
    "Policy",
    "Provided",
    "ReEntry",
    "ReadDocument",
    "Seat",
    "Sitting",
    "Step",
    "TicketProof",
    "Verdict",
    "judge",
    "judge_by_hand",
    "judged_alone",
    "phase",
    "reasons_against",
]

# Kept with every attempt: raise it whenever the same facts may give another answer.
RULE: Final = "2"

_WITHOUT_NUMBER: Final = frozenset({Outcome.NO_ID, Outcome.ID_UNREADABLE})
_CHECKABLE: Final = RESIDENT_TYPES | {DocumentType.FOREIGN_RESIDENCE}


def judge(request: AdmissionRequest, facts: Facts, policy: Policy, now_us: int) -> Verdict:
    """Whether these documents admit somebody here and now, and if not, every reason why."""
    verdict = _judged(request, facts, policy, now_us)
    helper = AFTER_TRIES.get(verdict.outcome)
    if helper is not None and request.tries + 1 >= policy.tries:
        return replace(verdict, reasons=tuple(dict.fromkeys((helper, *verdict.reasons))))
    return verdict


def judged_alone(verdict: Verdict) -> Verdict:
    """The verdict of a kiosk that cannot ask the server: the same, but told as such."""
    if verdict.outcome is not Outcome.OK_ADMITTED:
        return verdict
    return replace(verdict, reasons=(Outcome.OK_OFFLINE,))


def reasons_against(
    known: Known, seat: Seat, seats: Sequence[Seat], policy: Policy, now_us: int
) -> frozenset[Outcome]:
    """What the rule has against letting a candidate in to this seat now whom people have identified.

    Documents, steps at the kiosk and its door are left out; empty: nothing. `seats` are all of his.
    """
    facts = Facts((), (known,), (known,), tuple(seats), (seat.sitting,))
    return _against(seat, AdmissionRequest(None, None, kiosk_id=0), facts, policy, now_us)


def judge_by_hand(seat: Seat, desk_id: int, facts: Facts, policy: Policy, now_us: int) -> Verdict:
    """What a kiosk would answer to somebody whose documents people have compared, where no kiosk works.

    The same rule but for reading documents, its own door and the steps that only a kiosk can take. `facts`
    hold him as both documents would name him; `desk_id`: the kiosk row by which a second look is told.
    """
    reasons = _against(seat, AdmissionRequest(None, None, kiosk_id=desk_id), facts, policy, now_us)
    return Verdict(ordered(reasons or {_welcome(seat, now_us)}), seat.candidate_id, seat)


def _against(
    seat: Seat, request: AdmissionRequest, facts: Facts, policy: Policy, now_us: int
) -> frozenset[Outcome]:
    is_blocked = any(known.is_blocked for known in _agreed(facts))
    blocked = {Outcome.CANDIDATE_BLOCKED} if is_blocked else set()
    return frozenset({*blocked, *_seat_reasons(seat, request, facts, policy, now_us)})


def _judged(request: AdmissionRequest, facts: Facts, policy: Policy, now_us: int) -> Verdict:
    agreed = _agreed(facts)
    candidate_id = agreed[0].candidate_id if len(agreed) == 1 else None
    if unreadable := ordered(_reading_faults(request, facts, policy)):
        return Verdict(unreadable, candidate_id, site=_other_site(request, policy))
    if not agreed:
        # A ticket nobody has is unknown, whoever holds it; a known ticket in other hands is a mismatch.
        doubt = Outcome.ID_TICKET_MISMATCH if facts.by_ticket else Outcome.NOT_ON_ROSTER
        return Verdict((doubt,))
    doubts = set(_doubts(request, agreed, now_us))
    chosen = choose_seat(facts.seats, now_us)
    if len(chosen) != 1:
        doubt = Outcome.AMBIGUOUS if chosen else Outcome.NOT_ON_ROSTER
        return Verdict(ordered({*doubts, doubt}), candidate_id)
    seat = chosen[0]
    reasons = {*(doubts - seat.settled), *_seat_reasons(seat, request, facts, policy, now_us)}
    if not reasons:
        reasons = {*_steps(request, policy)} or {_welcome(seat, now_us)}
    return Verdict(ordered(reasons), seat.candidate_id, seat)


def _agreed(facts: Facts) -> list[Known]:
    named = {known.candidate_id for known in facts.by_id_number}
    return [known for known in facts.by_ticket if known.candidate_id in named]


def _reading_faults(request: AdmissionRequest, facts: Facts, policy: Policy) -> Iterator[Outcome]:
    yield from request.declared & AT_THE_SCANNER
    if request.ticket_no is not None:
        yield from _ticket_faults(request.ticket_no, request, facts, policy)
    if request.id_number is not None:
        yield from _number_faults(request.id_number, request, facts.by_ticket)
    # Whoever said that he has none is not asked for it.
    lacks_number = request.id_number is None and not request.declared & _WITHOUT_NUMBER
    lacks_ticket = request.ticket_no is None and Outcome.NO_TICKET not in request.declared
    if lacks_number or lacks_ticket:
        yield Outcome.NEED_SECOND_DOC


def _ticket_faults(
    ticket_no: str, request: AdmissionRequest, facts: Facts, policy: Policy
) -> Iterator[Outcome]:
    if request.ticket_proof is TicketProof.FAILED:
        yield Outcome.TICKET_FORGED
    elif request.ticket_site is not None:
        yield Outcome.WRONG_SITE
    elif facts.by_void_ticket:
        yield Outcome.TICKET_VOID
    elif not facts.by_ticket:
        yield from _unknown_ticket_faults(ticket_no, request, facts, policy)


def _unknown_ticket_faults(
    ticket_no: str, request: AdmissionRequest, facts: Facts, policy: Policy
) -> Iterator[Outcome]:
    # Without a learned form nothing can be called misread; then it is merely unknown.
    if _other_site(request, policy):
        yield Outcome.WRONG_SITE
    elif facts.ticket_forms and not matches_any(facts.ticket_forms, ticket_no):
        yield Outcome.SCAN_BAD_FORM


def _other_site(request: AdmissionRequest, policy: Policy) -> str:
    """The site that a ticket of elsewhere belongs to, as far as it shows."""
    if request.ticket_site is not None:
        return request.ticket_site
    ticket_no = request.ticket_no or ""
    return next((one.name for one in policy.other_sites if matches(one.ticket_form, ticket_no)), "")


def _number_faults(
    id_number: str, request: AdmissionRequest, by_ticket: Sequence[Known]
) -> Iterator[Outcome]:
    read = request.read.document_type
    expects_other = bool(by_ticket) and all(known.document_type not in _CHECKABLE for known in by_ticket)
    is_other_read = read is not None and read not in _CHECKABLE
    if expects_other or is_other_read or not looks_resident(id_number):
        # Passports and the like carry nothing a kiosk can check: a person compares them.
        yield Outcome.ID_FORMAT_OTHER
    elif number_fault(DocumentType.ID_CARD, id_number) is not None:
        yield Outcome.ID_CHECKSUM


def _doubts(request: AdmissionRequest, agreed: Iterable[Known], now_us: int) -> Iterator[Outcome]:
    read = request.read
    for known in agreed:
        if known.is_blocked:
            yield Outcome.CANDIDATE_BLOCKED
        if read.name and known.name and not names_agree(read.name, known.name):
            yield Outcome.NAME_MISMATCH
    if read.valid_until is not None and read.valid_until < site_time(now_us).date():
        yield Outcome.ID_EXPIRED
    if Outcome.FACE_DOUBT in request.declared:
        yield Outcome.FACE_DOUBT


def _seat_reasons(
    seat: Seat, request: AdmissionRequest, facts: Facts, policy: Policy, now_us: int
) -> Iterator[Outcome]:
    at = phase(seat.sitting, now_us)
    if seat.is_withdrawn:
        yield Outcome.CANDIDATE_BLOCKED
    if seat.admission is not None and at is not Phase.CLOSED:
        yield _known_here(seat.admission, seat, request, policy, now_us)
        return
    if seat.held_for is not None:
        yield seat.held_for
    yield from _times(seat, at, facts, now_us)
    if at is Phase.OTHER_DAY:
        return
    if request.kiosk_rooms and seat.sitting.door_id not in request.kiosk_rooms:
        yield Outcome.WRONG_ROOM
    if seat.is_taken:
        yield Outcome.SEAT_TAKEN
    if policy.theory_first and _owes_theory(seat, facts.seats):
        yield Outcome.WRONG_STAGE


def _known_here(
    admission: Admitted, seat: Seat, request: AdmissionRequest, policy: Policy, now_us: int
) -> Outcome:
    if seat.left_at_us is not None:
        return Outcome.LEFT_NO_RETURN
    is_same_kiosk = admission.kiosk_id == request.kiosk_id
    is_repeat = is_same_kiosk and now_us - admission.admitted_at_us < policy.repeat_us
    return Outcome.OK_ALREADY_HERE if is_repeat else Outcome.ALREADY_IN


def _times(seat: Seat, at: Phase, facts: Facts, now_us: int) -> Iterator[Outcome]:
    match at:
        case Phase.OTHER_DAY:
            yield Outcome.WRONG_DAY
        case Phase.CLOSED:
            yield Outcome.SESSION_CLOSED
        case Phase.CUT_OFF:
            yield Outcome.LATE_CUTOFF
        case Phase.ASK:
            yield Outcome.LATE_REFERRED
        case Phase.TOO_EARLY:
            yield Outcome.WRONG_SESSION if _others_are_open(seat, facts, now_us) else Outcome.TOO_EARLY
        case _:
            pass


def _others_are_open(seat: Seat, facts: Facts, now_us: int) -> bool:
    return any(
        phase(sitting, now_us) in {Phase.OPEN, Phase.LATE}
        for sitting in facts.sittings_here
        if sitting.session_id != seat.sitting.session_id
    )


def _owes_theory(seat: Seat, seats: Iterable[Seat]) -> bool:
    if seat.sitting.kind is SessionKind.THEORY:
        return False
    return any(
        other.sitting.kind is SessionKind.THEORY
        and other.admission is None
        and not other.sitting.is_cancelled
        and other.sitting.planned_start_us < seat.sitting.planned_start_us
        for other in seats
    )


def _steps(request: AdmissionRequest, policy: Policy) -> Iterator[Outcome]:
    """What the site asks for and has not got; the order is that of the outcomes."""
    given, declared = request.provided, request.declared
    if Step.NOTICE in policy.steps and given.notice_version != policy.notice_version:
        is_declined = Outcome.NOTICE_DECLINED in declared
        yield Outcome.NOTICE_DECLINED if is_declined else Outcome.NEED_NOTICE
    if Step.PHOTO in policy.steps and given.photo_sha256 is None:
        yield from (declared & {Outcome.PHOTO_REFUSED, Outcome.CAPTURE_FAILED}) or {Outcome.NEED_PHOTO}
    if Outcome.NO_FILE_PHOTO in declared:
        yield Outcome.NO_FILE_PHOTO
    if Step.BAG in policy.steps and given.bag_no is None:
        yield Outcome.NEED_BAG
    if Step.SIGNATURE in policy.steps and given.signature_sha256 is None:
        yield Outcome.NEED_SIGNATURE


def _welcome(seat: Seat, now_us: int) -> Outcome:
    return Outcome.OK_LATE if phase(seat.sitting, now_us) is Phase.LATE else Outcome.OK_ADMITTED
