"""What is on record about one candidate in one session at check-in: who he is, every scan, every act.

Reads only, for people who must decide about him. Nothing here holds the number of a document but its
last four characters.
"""

from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Final

from exam.admission_authority import Act
from exam.day import PlaceKind
from exam.identity import DocumentType, masked_name
from exam.outcomes import Outcome, outcome_of

_PERSON: Final = """
select candidate.id, candidate.name, document_type, id_number_tail, ticket_no, employer, blocked_reason,
       seating.session_id, session.code as session_code, session.subject, place.id as place_id,
       place.label as place_label, place.kind as place_kind, place.room_id, room.label as room_label
  from seating
  join candidate on candidate.id = seating.candidate_id
  join session on session.id = seating.session_id
  join place on place.id = seating.place_id
  join room on room.id = place.room_id
 where seating.session_id = ? and seating.candidate_id = ?
"""
# Whoever came with one of his documents, so that people see both of two.
_ATTEMPTS: Final = """
select attempt.id, attempt.nonce, attempt.outcome, attempt.candidate_id, kiosk.label as kiosk_label,
       coalesce(corrected_at_us, received_at_us) as at_us, decided_by, photo_sha256, signature_sha256, bag_no,
       read_name, came.shown_outcome, told.outcome as told_outcome,
       exists (select 1 from admission where admission.attempt_id = attempt.id
                and voided_at_us is null) as stands,
       exists (select 1 from check_in_act where act = 'undo' and lacks = ''
                and subject_attempt_id = attempt.id) as is_undone
  from checkin_attempt as attempt
  join kiosk on kiosk.id = attempt.kiosk_id
  left join checkin_circumstance as came on came.attempt_id = attempt.id
  left join shown_answer as told on told.attempt_id = attempt.id
 where :candidate in (attempt.candidate_id, attempt.ticket_candidate_id, attempt.id_number_candidate_id)
   and (attempt.session_id = :session or attempt.session_id is null)
 order by at_us, attempt.id
"""
_ACTS: Final = """
select did.id, did.act, did.reason, did.approval_no, did.lacks, happened_at_us as at_us,
       one.display_name as name, two.display_name as second_name, room.label as room_label,
       place.label as place_label
  from check_in_act as did
  left join account as one on one.id = did.account_id
  left join account as two on two.id = did.second_account_id
  left join place on place.id = did.place_id
  left join room on room.id = coalesce(did.room_id, place.room_id)
 where did.candidate_id = :candidate and (did.session_id = :session or did.session_id is null)
 order by at_us, did.id
"""


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate at his seat of one session. `blocked_reason` is for staff alone; None: free to sit."""

    candidate_id: int
    name: str
    document_type: DocumentType
    id_tail: str
    ticket_no: str
    employer: str
    blocked_reason: str | None
    session_id: int
    session_code: str
    subject: str
    room_id: int
    room_label: str
    place_id: int
    place_label: str
    place_kind: PlaceKind

    @property
    def masked_name(self) -> str:
        """张*明: what a screen shows that others can see."""
        return masked_name(self.name)


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One scan, or what people decided instead of one."""

    id: int
    # By which a kiosk names it.
    nonce: str
    at_us: int
    outcome: Outcome
    # What the kiosk told the candidate, where that was something else; None: the outcome.
    shown: Outcome | None
    # Whether it was his by both documents; False: only one of them named him.
    is_his: bool
    kiosk_label: str
    # server, kiosk or people; empty: older than that was kept.
    decided_by: str
    photo: str | None
    signature: str | None
    bag_no: str | None
    # The name on the document, where it is not the roster's; else empty.
    read_name: str
    # He is in on the strength of it; it was taken back.
    stands: bool
    is_undone: bool


@dataclass(frozen=True, slots=True)
class PastAct:
    """What people did. `name` is empty where the signature proved nobody, `lacks` says what was missing."""

    at_us: int
    act: Act
    reason: str
    name: str
    second_name: str
    approval_no: str
    room_label: str
    place_label: str
    lacks: str


def load_person(connection: Connection, session_id: int, candidate_id: int) -> Person | None:
    """The candidate at his seat; None: he has none in this session."""
    row = connection.execute(_PERSON, (session_id, candidate_id)).fetchone()
    return None if row is None else _person(row)


def load_attempts(connection: Connection, session_id: int | None, candidate_id: int) -> list[PastAttempt]:
    """Every scan that named him, oldest first, also those that named two people."""
    rows = connection.execute(_ATTEMPTS, {"session": session_id, "candidate": candidate_id})
    return [_attempt(row, candidate_id) for row in rows]


def load_acts(connection: Connection, session_id: int, candidate_id: int) -> list[PastAct]:
    """What people did about him, oldest first."""
    rows = connection.execute(_ACTS, {"session": session_id, "candidate": candidate_id})
    return [
        PastAct(
            at_us=row["at_us"],
            act=Act(row["act"]),
            reason=row["reason"],
            name=row["name"] or "",
            second_name=row["second_name"] or "",
            approval_no=row["approval_no"],
            room_label=row["room_label"] or "",
            place_label=row["place_label"] or "",
            lacks=row["lacks"],
        )
        for row in rows
    ]


def _person(row: Row) -> Person:
    return Person(
        candidate_id=row["id"],
        name=row["name"],
        document_type=DocumentType(row["document_type"]),
        id_tail=row["id_number_tail"],
        ticket_no=row["ticket_no"],
        employer=row["employer"],
        blocked_reason=row["blocked_reason"],
        session_id=row["session_id"],
        session_code=row["session_code"],
        subject=row["subject"],
        room_id=row["room_id"],
        room_label=row["room_label"],
        place_id=row["place_id"],
        place_label=row["place_label"],
        place_kind=PlaceKind(row["place_kind"]),
    )


def _attempt(row: Row, candidate_id: int) -> PastAttempt:
    shown = row["shown_outcome"] or row["told_outcome"]
    outcome = outcome_of(row["outcome"])
    return PastAttempt(
        id=row["id"],
        nonce=row["nonce"],
        at_us=row["at_us"],
        outcome=outcome,
        shown=None if shown is None or outcome_of(shown) is outcome else outcome_of(shown),
        is_his=row["candidate_id"] == candidate_id,
        kiosk_label=row["kiosk_label"],
        decided_by=row["decided_by"] or "",
        photo=row["photo_sha256"],
        signature=row["signature_sha256"],
        bag_no=row["bag_no"],
        read_name=row["read_name"] or "",
        stands=bool(row["stands"]),
        is_undone=bool(row["is_undone"]),
    )
