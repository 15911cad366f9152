"""What kiosks, tablets and the console send about check-in (docs/design/check-in.md).

Strict: an unknown key, a text for a number or a number that is too long is refused whole, and nothing of
it is repeated in an answer or a log, because a body may hold a document number.
"""

from datetime import date
from typing import Annotated, Final

from pydantic import Field, StringConstraints, model_validator

from evidence.act_facts import NewAct, WalkIn
from evidence.check_in_rows import KioskSaid, Lane
from evidence.checkins import CheckInRequest, KioskDecision
from exam.admission_authority import Act
from exam.admission_facts import Provided, ReadDocument, TicketProof
from exam.doubt_cases import CaseStep, Finding
from exam.identity import DocumentType, normalise, number_fault
from exam.outcomes import DECLARABLE, DOUBTS, Outcome, outcome_of
from exam.staff_acts import act_subject
from exam.tickets import TICKET, normalise_ticket
from web.bodies import Body

LARGEST_US: Final = 2**53

Nonce = Annotated[str, StringConstraints(min_length=16, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Moment = Annotated[int, Field(gt=0, lt=LARGEST_US)]
# The number of a row; beyond what a database holds it would be an error of ours and not of the sender's.
Key = Annotated[int, Field(ge=0, lt=LARGEST_US)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# What a person or a machine writes in few words.
Short = Annotated[str, StringConstraints(min_length=1, max_length=80)]
# A code of a newer kiosk is understood as one that nobody knows.
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]{1,39}$")]


class ReadBody(Body):
    """What an ID reader said beside the number."""

    document_type: DocumentType | None = None
    name: Short | None = None
    valid_until: date | None = None


class ProvidedBody(Body):
    """What the candidate gave."""

    photo_sha256: Digest | None = None
    signature_sha256: Digest | None = None
    bag_no: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = None
    notice_version: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = None

    def as_provided(self) -> Provided:
        return Provided(**self.model_dump())


class DecidedBody(Body):
    """What the kiosk decided alone."""

    outcome: Code
    place_id: Key | None = None


class KioskBody(Body):
    """What the kiosk says of itself."""

    boot_id: Annotated[str, StringConstraints(min_length=8, max_length=64)]
    sequence: int = Field(ge=0, lt=LARGEST_US)
    clock_offset_us: int | None = Field(None, gt=-LARGEST_US, lt=LARGEST_US)
    clock_uncertainty_us: int | None = Field(None, ge=0, lt=LARGEST_US)
    roster_revision: int | None = Field(None, gt=0)

    def said(self, lane: Lane) -> KioskSaid:
        return KioskSaid(lane=lane, **self.model_dump())


class CheckInBody(Body):
    """One scan: a question, or with `decided` an upload."""

    nonce: Nonce
    scanned_at_us: Moment
    ticket_no: str | None = Field(max_length=80)
    id_number: str | None = Field(max_length=40)
    lane: Lane = Lane.KIOSK
    kiosk: KioskBody | None = None
    read: ReadBody = ReadBody()
    ticket_proof: TicketProof = TicketProof.PLAIN
    ticket_site: Short | None = None
    ticket_revision: int | None = Field(None, ge=1, le=10_000)
    declared: list[Code] = Field(default_factory=list, max_length=len(DECLARABLE))
    provided: ProvidedBody = ProvidedBody()
    tries: int = Field(0, ge=0, le=1000)
    decided: DecidedBody | None = None

    @model_validator(mode="after")
    def _declares_what_a_kiosk_may(self) -> "CheckInBody":
        if {outcome_of(code) for code in self.declared} - DECLARABLE:
            raise ValueError("a kiosk declares problems only")
        return self

    def as_request(self, kiosk_id: int) -> CheckInRequest:
        decided = self.decided
        return CheckInRequest(
            kiosk_id=kiosk_id,
            nonce=self.nonce,
            scanned_at_us=self.scanned_at_us,
            ticket_no=self.ticket_no,
            id_number=self.id_number,
            said=KioskSaid(self.lane) if self.kiosk is None else self.kiosk.said(self.lane),
            read=ReadDocument(self.read.document_type, self.read.name, self.read.valid_until),
            ticket_proof=self.ticket_proof,
            ticket_site=self.ticket_site,
            ticket_revision=self.ticket_revision,
            declared=frozenset(Outcome(code) for code in self.declared),
            provided=self.provided.as_provided(),
            tries=self.tries,
            decided=None if decided is None else KioskDecision(outcome_of(decided.outcome), decided.place_id),
        )


class WalkInBody(Body):
    """Somebody who is not on the roster."""

    name: Short
    document_type: DocumentType
    id_number: str = Field(max_length=40)
    ticket_no: str = Field(max_length=80)
    employer: str = Field("", max_length=100)

    @model_validator(mode="after")
    def _numbers_can_exist(self) -> "WalkInBody":
        if number_fault(self.document_type, normalise(self.id_number)) is not None:
            raise ValueError("no such document number")
        if TICKET.fullmatch(normalise_ticket(self.ticket_no)) is None:
            raise ValueError("no such ticket number")
        return self

    def as_walk_in(self) -> WalkIn:
        return WalkIn(
            self.name.strip(),
            self.document_type,
            normalise(self.id_number),
            normalise_ticket(self.ticket_no),
            self.employer.strip(),
        )


class ActBody(Body):
    """An act of staff. What it does not concern is left out."""

    nonce: Nonce
    act: Act
    reason: str = Field("", max_length=200)
    session_id: Key | None = None
    candidate_id: Key | None = None
    # The attempt it speaks of: by its id on the console, by the kiosk's nonce at a kiosk.
    attempt_id: Key | None = None
    attempt_nonce: Nonce | None = None
    place_id: Key | None = None
    room_id: Key | None = None
    doubt: Code | None = None
    documents_held: bool | None = None
    approval_no: str = Field("", max_length=60)
    walk_in: WalkInBody | None = None
    provided: ProvidedBody = ProvidedBody()

    def subject(self) -> dict[str, int | str]:
        """What of it is signed at a kiosk."""
        names = ("session_id", "candidate_id", "attempt_nonce", "place_id", "room_id", "doubt", "approval_no")
        return act_subject({name: getattr(self, name) for name in names}, self.reason)

    def as_new(self, lane: Lane, happened_at_us: int) -> NewAct:
        return NewAct(
            act=self.act,
            nonce=self.nonce,
            lane=lane,
            reason=self.reason,
            happened_at_us=happened_at_us,
            session_id=self.session_id,
            candidate_id=self.candidate_id,
            subject_attempt_id=self.attempt_id,
            subject_nonce=self.attempt_nonce or "",
            place_id=self.place_id,
            room_id=self.room_id,
            doubt=None if self.doubt is None else outcome_of(self.doubt),
            documents_held=self.documents_held,
            approval_no=self.approval_no,
            walk_in=None if self.walk_in is None else self.walk_in.as_walk_in(),
            provided=self.provided.as_provided(),
        )


class SignatureBody(Body):
    """One signature by a staff PIN, base64."""

    pin_id: Key
    signed_at_us: Moment
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{86}==$")]


class KioskActBody(ActBody):
    """An act at a kiosk; `was_offline`: it was done while the kiosk worked alone."""

    happened_at_us: Moment
    was_offline: bool = False
    kiosk: KioskBody | None = None
    signatures: list[SignatureBody] = Field(default_factory=list, max_length=2)


class LookBody(Body):
    """What may be done about somebody, asked by whoever signs."""

    nonce: Nonce
    session_id: Key
    candidate_id: Key
    signature: SignatureBody

    def subject(self) -> dict[str, int | str]:
        """What of it is signed."""
        return act_subject({"session_id": self.session_id, "candidate_id": self.candidate_id}, "")


class SecondBody(Body):
    """Another person at the same tablet or console, with an own name and password."""

    login_name: Short
    password: str = Field(max_length=200)


class ConsoleActBody(ActBody):
    """An act on the console; whoever is logged in signs first."""

    second: SecondBody | None = None


class NewCaseBody(Body):
    """A doubt that a person saw at the seat (13(3))."""

    session_id: Key
    candidate_id: Key
    reason: Code
    documents_held: bool | None = None
    photos: list[Digest] = Field(default_factory=list, max_length=6)

    @model_validator(mode="after")
    def _is_a_doubt(self) -> "NewCaseBody":
        if outcome_of(self.reason) not in DOUBTS | {Outcome.NO_ID, Outcome.ID_UNREADABLE}:
            raise ValueError("no such doubt")
        return self


class StepBody(Body):
    """A look at a doubt, or a decision about it. `signer`: somebody else signs at the same tablet."""

    step: CaseStep
    finding: Finding = Finding.NONE
    reason: str = Field("", max_length=200)
    signer: SecondBody | None = None


class SeenBody(Body):
    """Somebody has seen an alarm."""

    note: str = Field("", max_length=200)
