"""What the admission rule looks at: the request, the roster's facts and the site's policy, as plain values.

Everything here can be written down and read back (`exam.roster_facts`), because the same rule judges on
the server from the database and on a kiosk from its roster package.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.day import SessionKind
from exam.identity import DocumentType
from exam.outcomes import KINDS, Kind, Outcome


class TicketProof(StrEnum):
    """What was proved about the ticket itself, besides its number."""

    # A plain number: today's tickets.
    PLAIN = "plain"
    # A signed QR ticket whose signature is ours.
    SIGNED = "signed"
    # It claims a signature and none of ours fits.
    FAILED = "failed"


class Step(StrEnum):
    """What a site may ask for at the kiosk before somebody is in."""

    NOTICE = "notice"
    PHOTO = "photo"
    BAG = "bag"
    SIGNATURE = "signature"


class IdentityRule(StrEnum):
    """What the site lead may do for somebody whose identity is not proved (R7). Never decided by software."""

    REFUSE = "refuse"
    CONDITIONAL = "conditional"
    # Conditional, and the proof is owed by a moment.
    DEADLINE = "deadline"


class ReEntry(StrEnum):
    """What becomes of somebody who has handed in and left (13(4))."""

    NEVER = "never"
    SITE_LEAD = "site_lead"


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What an ID reader said beside the number; None where it said nothing."""

    document_type: DocumentType | None = None
    name: str | None = None
    # Last day on which the document is valid.
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Provided:
    """What the candidate gave at the kiosk. Pictures by the SHA-256 of their bytes, in hex."""

    photo_sha256: str | None = None
    signature_sha256: str | None = None
    bag_no: str | None = None
    # Version of the privacy notice that was accepted.
    notice_version: str | None = None


NOTHING_READ: Final = ReadDocument()
NOTHING_GIVEN: Final = Provided()


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """What a kiosk read and was told. Both numbers in their normal form; None when not shown yet."""

    ticket_no: str | None
    id_number: str | None
    kiosk_id: int
    # The rooms whose candidates the kiosk takes; empty: the whole site's.
    kiosk_rooms: frozenset[int] = frozenset()
    read: ReadDocument = NOTHING_READ
    ticket_proof: TicketProof = TicketProof.PLAIN
    # Name of the other site for which a signed ticket was made; None: ours, or it does not say.
    ticket_site: str | None = None
    # Revision that a signed ticket says; None: a plain number, which carries none.
    ticket_revision: int | None = None
    # Problems that the kiosk saw or somebody declared there, of exam.outcomes.DECLARABLE.
    declared: frozenset[Outcome] = frozenset()
    provided: Provided = NOTHING_GIVEN
    # How often this person has failed at this kiosk just before.
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """A candidate whom a document names."""

    candidate_id: int
    document_type: DocumentType
    is_blocked: bool
    # Empty: the facts do not hold it, and nothing is compared.
    name: str = ""


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
    kind: SessionKind = SessionKind.THEORY
    # Where its people are now, when the session moved (应急考场, R21); None: in room_id.
    moved_to_room_id: int | None = None

    @property
    def door_id(self) -> int:
        """The room at whose door its candidates come in now."""
        return self.room_id if self.moved_to_room_id is None else self.moved_to_room_id


@dataclass(frozen=True, slots=True)
class Admitted:
    """An admission that stands."""

    kiosk_id: int
    # By the server's clock, and how wrong that may be where a kiosk's clock told it.
    admitted_at_us: int
    uncertainty_us: int = 0
    # People decided it: no upload takes it away.
    by_people: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a candidate sits in one sitting, and what is on record about him there."""

    candidate_id: int
    place_id: int
    sitting: Sitting
    admission: Admitted | None = None
    # Somebody else was let in to the place.
    is_taken: bool = False
    # He handed in and left.
    left_at_us: int | None = None
    # The reason of a case about him that only people can close; None: no such case is open.
    held_for: Outcome | None = None
    # Doubts that people have settled for him in this session: they are not raised again.
    settled: frozenset[Outcome] = frozenset()
    # The site lead took his entry back.
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rule may know, at one moment."""

    # Forms of the ticket numbers of all open batches; empty when none was learned.
    ticket_forms: tuple[str, ...]
    by_ticket: tuple[Known, ...]
    by_id_number: tuple[Known, ...]
    # Seats of the candidates whom both documents name, in every session of theirs.
    seats: tuple[Seat, ...]
    # Sittings that this kiosk serves (its room's, or the whole site's).
    sittings_here: tuple[Sitting, ...]
    # Whose ticket this number was before it was withdrawn or replaced.
    by_void_ticket: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditional:
    """What the site allows for one kind of unproved identity; `deadline_us` counts from the entry."""

    rule: IdentityRule = IdentityRule.CONDITIONAL
    deadline_us: int | None = None


@dataclass(frozen=True, slots=True)
class OtherSite:
    """Another site whose ticket numbers can be told from ours."""

    name: str
    ticket_form: str


# Late entry where the site says nothing of its own: as the session's procedure has it.
AS_PROCEDURE: Final[Mapping[SessionKind, int | None]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site may set; config/admission.toml."""

    # A second scan at the same kiosk this soon is the same person looking again.
    repeat_us: int = 60 * SECOND_US
    # With so many failures a person helps.
    tries: int = 3
    # Only the kinds for which the site departs from its procedures; None: people decide.
    late_entry_us: Mapping[SessionKind, int | None] = field(default_factory=lambda: AS_PROCEDURE)
    steps: frozenset[Step] = frozenset()
    # The privacy notice in force; an older one that was accepted does not count.
    notice_version: str = ""
    # Practical and review only after theory, for those who sit both.
    theory_first: bool = False
    re_entry: ReEntry = ReEntry.NEVER
    without_document: Conditional = Conditional()
    in_doubt: Conditional = Conditional()
    other_sites: tuple[OtherSite, ...] = ()
    # Beyond these the kiosk itself must not be used (exam.kiosk_fitness).
    roster_age_us: int = 24 * 60 * MINUTE_US
    clock_skew_us: int = 5 * SECOND_US
    free_bytes: int = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision: `reasons` are all that are true, the first is the outcome."""

    reasons: tuple[Outcome, ...]
    # The candidate whom both documents name; None when they name nobody, or different people.
    candidate_id: int | None = None
    # The seat the answer speaks of.
    seat: Seat | None = None
    # Name of the other site that the ticket belongs to; empty unless that is a reason.
    site: str = ""

    @property
    def outcome(self) -> Outcome:
        """The reason that is answered."""
        return self.reasons[0]

    @property
    def kind(self) -> Kind:
        """What it means for the door."""
        return KINDS[self.outcome]
