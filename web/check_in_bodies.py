"""What kiosks, tablets and the console send about check-in (docs/design/check-in.md).

Strict: an unknown key, a text for a number or a number that is too long is refused whole, and nothing of
it is repeated in an answer or a log, because a body may hold a document number.
"""

from datetime import date
from typing import Annotated, Final

from pydantic import Field, StringConstraints, model_validator

from evidence.check_in_rows import KioskSaid, Lane
from evidence.checkins import CheckInRequest, KioskDecision
from exam.admission_facts import Provided, ReadDocument, TicketProof
from exam.identity import DocumentType
from exam.outcomes import DECLARABLE, Outcome, outcome_of
from web.bodies import Body

LARGEST_US: Final = 2**53

Nonce = Annotated[str, StringConstraints(min_length=16, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Moment = Annotated[int, Field(gt=0, lt=LARGEST_US)]
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


class DecidedBody(Body):
    """What the kiosk decided alone."""

    outcome: Code
    place_id: int | None = None


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
            declared=frozenset(Outcome(code) for code in self.declared),
            provided=Provided(**self.provided.model_dump()),
            tries=self.tries,
            decided=None if decided is None else KioskDecision(outcome_of(decided.outcome), decided.place_id),
        )
