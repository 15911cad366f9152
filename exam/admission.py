"""Who may come in, when and where (规程 13(二)-(四), 14(三), 15(二)).

Pure: facts in, a verdict with all its reasons out. The server judges with it, and anything that
works beside the server must judge with it too. It decides nothing about doubtful identity: such
a case is referred to the site lead (13(二)). What people see and hear for each outcome stands in
config/outcomes.toml.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import SECOND_US, site_time
from exam.identity import RESIDENT_TYPES, DocumentType, looks_resident, number_fault
from exam.tickets import matches_any


class Kind(StrEnum):
    """What an outcome means for the door."""

    ADMITTED = "A"
    # Known already; nothing changes.
    INFORMED = "I"
    # The candidate can put it right at the kiosk.
    RETRY = "T"
    # A person decides.
    REFERRED = "H"
    REFUSED = "R"


class Outcome(StrEnum):
    """The answer to one scan. The codes are stable: they stand in the record for years."""

    OK_ADMITTED = "OK_ADMITTED"
    OK_LATE = "OK_LATE"
    SCAN_BAD_FORM = "SCAN_BAD_FORM"
    ID_CHECKSUM = "ID_CHECKSUM"
    ID_FORMAT_OTHER = "ID_FORMAT_OTHER"
    NEED_SECOND_DOC = "NEED_SECOND_DOC"
    CANDIDATE_BLOCKED = "CANDIDATE_BLOCKED"
    NOT_ON_ROSTER = "NOT_ON_ROSTER"
    ID_TICKET_MISMATCH = "ID_TICKET_MISMATCH"
    AMBIGUOUS = "AMBIGUOUS"
    WRONG_DAY = "WRONG_DAY"
    SESSION_CLOSED = "SESSION_CLOSED"
    OK_ALREADY_HERE = "OK_ALREADY_HERE"
    ALREADY_IN = "ALREADY_IN"
    LATE_CUTOFF = "LATE_CUTOFF"
    # Late where the procedure names no limit (practical, review): people decide (R5).
    LATE_REFERRED = "LATE_REFERRED"
    WRONG_SESSION = "WRONG_SESSION"
    WRONG_ROOM = "WRONG_ROOM"
    TOO_EARLY = "TOO_EARLY"


KINDS: Final = {
    Outcome.OK_ADMITTED: Kind.ADMITTED,
    Outcome.OK_LATE: Kind.ADMITTED,
    Outcome.OK_ALREADY_HERE: Kind.INFORMED,
    Outcome.SCAN_BAD_FORM: Kind.RETRY,
    Outcome.ID_CHECKSUM: Kind.RETRY,
    Outcome.ID_FORMAT_OTHER: Kind.REFERRED,
    Outcome.NEED_SECOND_DOC: Kind.RETRY,
    Outcome.NOT_ON_ROSTER: Kind.REFERRED,
    Outcome.ID_TICKET_MISMATCH: Kind.REFERRED,
    Outcome.CANDIDATE_BLOCKED: Kind.REFERRED,
    Outcome.AMBIGUOUS: Kind.REFERRED,
    Outcome.WRONG_DAY: Kind.REFUSED,
    Outcome.SESSION_CLOSED: Kind.REFUSED,
    Outcome.ALREADY_IN: Kind.REFERRED,
    Outcome.LATE_CUTOFF: Kind.REFUSED,
    Outcome.LATE_REFERRED: Kind.REFERRED,
    Outcome.WRONG_SESSION: Kind.REFUSED,
    Outcome.WRONG_ROOM: Kind.REFUSED,
    Outcome.TOO_EARLY: Kind.REFUSED,
}

# Of several true reasons the candidate hears the one that helps most: what to correct at once, then
# who must look, then what cannot be changed, then where to go. The order of declaration is that order.
ACTIONABLE: Final = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """What a kiosk read. Both numbers in their normal form; None when not shown yet."""

    ticket_no: str | None
    id_number: str | None
    kiosk_id: int
    # The room at whose door the kiosk stands; None: it serves the whole site.
    kiosk_room_id: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """A candidate whom a document names."""

    candidate_id: int
    document_type: DocumentType
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Sitting:
    """One session in one of its rooms. Start and stop are the room's own signals (R9)."""

    session_id: int
    room_id: int
    planned_start_us: int
    duration_us: int
    # How long before the planned start check-in opens.
    check_in_opens_us: int
    # How long after the actual start latecomers may enter; None: people decide.
    late_cutoff_us: int | None
    started_at_us: int | None = None
    stopped_at_us: int | None = None
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """An admission that stands."""

    kiosk_id: int
    admitted_at_us: int


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a candidate sits in one sitting, and whether he is in."""

    candidate_id: int
    place_id: int
    sitting: Sitting
    admission: Admitted | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rule may know, at one moment."""

    # Forms of the ticket numbers of all open batches; empty when none was learned.
    ticket_forms: tuple[str, ...]
    by_ticket: tuple[Known, ...]
    by_id_number: tuple[Known, ...]
    # Seats of the candidates whom both documents name.
    seats: tuple[Seat, ...]
    # Sittings that this kiosk serves (its room's, or the whole site's).
    sittings_here: tuple[Sitting, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site may set."""

    # A second scan at the same kiosk this soon is the same person looking again.
    repeat_us: int = 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision: `reasons` are all that are true, the first is the outcome."""

    reasons: tuple[Outcome, ...]
    # The candidate whom both documents name; None when they name nobody, or different people.
    candidate_id: int | None = None
    # The seat the answer speaks of.
    seat: Seat | None = None

    @property
    def outcome(self) -> Outcome:
        """The reason that is answered."""
        return self.reasons[0]

    @property
    def kind(self) -> Kind:
        """What it means for the door."""
        return KINDS[self.outcome]


class Phase(StrEnum):
    """Where one sitting stands for somebody who wants to come in."""

    OTHER_DAY = "other_day"
    TOO_EARLY = "too_early"
    OPEN = "open"
    LATE = "late"
    CUT_OFF = "cut_off"
    ASK = "ask"
    CLOSED = "closed"


def phase(sitting: Sitting, now_us: int) -> Phase:
    """Where the sitting stands. The room's own start signal makes late, never the planned time (R4).

    While no start signal is on record nobody is late, until the planned time has run out.
    """
    if site_time(sitting.planned_start_us).date() != site_time(now_us).date():
        return Phase.OTHER_DAY
    if _is_over(sitting, now_us):
        return Phase.CLOSED
    if now_us < sitting.planned_start_us - sitting.check_in_opens_us and sitting.started_at_us is None:
        return Phase.TOO_EARLY
    return _phase_after_opening(sitting, now_us)


def judge(request: AdmissionRequest, facts: Facts, policy: Policy, now_us: int) -> Verdict:
    """Whether these documents admit somebody here and now, and if not, every reason why."""
    agreed = _agreed(facts)
    candidate_id = agreed[0].candidate_id if len(agreed) == 1 else None
    if unreadable := _ordered(_reading_faults(request, facts)):
        return Verdict(unreadable, candidate_id)
    if not agreed:
        # A ticket nobody has is unknown, whoever holds it; a known ticket in other hands is a mismatch.
        doubt = Outcome.ID_TICKET_MISMATCH if facts.by_ticket else Outcome.NOT_ON_ROSTER
        return Verdict((doubt,))
    blocked = [Outcome.CANDIDATE_BLOCKED] if any(known.is_blocked for known in agreed) else []
    chosen = _choose(facts.seats, now_us)
    if len(chosen) != 1:
        doubt = Outcome.AMBIGUOUS if chosen else Outcome.NOT_ON_ROSTER
        return Verdict(_ordered([*blocked, doubt]), candidate_id)
    seat = chosen[0]
    reasons = _ordered([*blocked, *_seat_reasons(seat, request, facts, policy, now_us)])
    return Verdict(reasons or (_welcome(seat, now_us),), seat.candidate_id, seat)


def _agreed(facts: Facts) -> list[Known]:
    named = {known.candidate_id for known in facts.by_id_number}
    return [known for known in facts.by_ticket if known.candidate_id in named]


def _ordered(reasons: Iterable[Outcome]) -> tuple[Outcome, ...]:
    return tuple(sorted(set(reasons), key=ACTIONABLE.index))


def _reading_faults(request: AdmissionRequest, facts: Facts) -> Iterator[Outcome]:
    if request.ticket_no is None or request.id_number is None:
        yield Outcome.NEED_SECOND_DOC
    if request.ticket_no is not None and _is_misread(request.ticket_no, facts):
        yield Outcome.SCAN_BAD_FORM
    if request.id_number is not None:
        yield from _number_faults(request.id_number, facts.by_ticket)


def _is_misread(ticket_no: str, facts: Facts) -> bool:
    # Without a learned form nothing can be called misread; then it is merely unknown.
    could_exist = not facts.ticket_forms or matches_any(facts.ticket_forms, ticket_no)
    return not facts.by_ticket and not could_exist


def _number_faults(id_number: str, by_ticket: Sequence[Known]) -> Iterator[Outcome]:
    checkable = RESIDENT_TYPES | {DocumentType.FOREIGN_RESIDENCE}
    expects_other = bool(by_ticket) and all(known.document_type not in checkable for known in by_ticket)
    if expects_other or not looks_resident(id_number):
        # Passports and the like carry nothing a kiosk can check: a person compares them.
        yield Outcome.ID_FORMAT_OTHER
    elif number_fault(DocumentType.ID_CARD, id_number) is not None:
        yield Outcome.ID_CHECKSUM


def _is_over(sitting: Sitting, now_us: int) -> bool:
    if sitting.is_cancelled or sitting.stopped_at_us is not None:
        return True
    # Once started, only the stop signal ends it: time may have been given back. Never started, the plan does.
    return sitting.started_at_us is None and now_us >= sitting.planned_start_us + sitting.duration_us


def _phase_after_opening(sitting: Sitting, now_us: int) -> Phase:
    if sitting.started_at_us is None or now_us < sitting.started_at_us:
        return Phase.OPEN
    if sitting.late_cutoff_us is None:
        return Phase.ASK
    # At exactly the cut-off nobody enters any more: 开考30分钟后 begins there.
    return Phase.LATE if now_us < sitting.started_at_us + sitting.late_cutoff_us else Phase.CUT_OFF


def _choose(seats: Sequence[Seat], now_us: int) -> list[Seat]:
    """The seat the candidate comes for: one, none, or several when only a person can tell."""
    ranked = [(_rank(seat, now_us), seat) for seat in seats]
    best = min((rank for rank, _ in ranked), default=0)
    tied = [seat for rank, seat in ranked if rank == best]
    if best == 0:
        return tied
    # Among sittings that do not admit now the nearest is meant: the next to come, else the last past.
    return [min(tied, key=lambda seat: _distance(seat.sitting, now_us))]


def _rank(seat: Seat, now_us: int) -> int:
    at = phase(seat.sitting, now_us)
    if at in {Phase.OPEN, Phase.LATE, Phase.ASK} and seat.admission is None:
        return 0
    if at in {Phase.OPEN, Phase.LATE, Phase.ASK, Phase.CUT_OFF}:
        return 1
    return {Phase.TOO_EARLY: 2, Phase.CLOSED: 3}.get(at, 4)


def _distance(sitting: Sitting, now_us: int) -> tuple[bool, int]:
    return (sitting.planned_start_us < now_us, abs(sitting.planned_start_us - now_us))


def _seat_reasons(
    seat: Seat, request: AdmissionRequest, facts: Facts, policy: Policy, now_us: int
) -> Iterator[Outcome]:
    at = phase(seat.sitting, now_us)
    if seat.admission is not None and at is not Phase.CLOSED:
        is_same_kiosk = seat.admission.kiosk_id == request.kiosk_id
        is_repeat = is_same_kiosk and now_us - seat.admission.admitted_at_us < policy.repeat_us
        yield Outcome.OK_ALREADY_HERE if is_repeat else Outcome.ALREADY_IN
        return
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
    if at is not Phase.OTHER_DAY and request.kiosk_room_id not in {None, seat.sitting.room_id}:
        yield Outcome.WRONG_ROOM


def _others_are_open(seat: Seat, facts: Facts, now_us: int) -> bool:
    return any(
        phase(sitting, now_us) in {Phase.OPEN, Phase.LATE}
        for sitting in facts.sittings_here
        if sitting.session_id != seat.sitting.session_id
    )


def _welcome(seat: Seat, now_us: int) -> Outcome:
    return Outcome.OK_LATE if phase(seat.sitting, now_us) is Phase.LATE else Outcome.OK_ADMITTED
