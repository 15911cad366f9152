"""What stands on a candidate's admission ticket (准考证, Art. 12(1)).

Only the tail of the document number is read: a printed ticket gets lost.
"""

from dataclasses import dataclass
from sqlite3 import Connection

from exam.day import PlaceKind, SessionKind
from exam.identity import DocumentType


@dataclass(frozen=True, slots=True)
class TicketHead:
    """What all tickets of one session have in common."""

    session_id: int
    session_code: str
    kind: SessionKind
    subject: str
    planned_start_us: int
    duration_us: int
    batch_name: str
    occupation: str
    level: str
    site_name: str
    site_address: str


@dataclass(frozen=True, slots=True)
class AdmissionTicket:
    """What is different on each ticket."""

    candidate_id: int
    name: str
    document_type: DocumentType
    id_number_tail: str
    ticket_no: str
    employer: str
    room_label: str
    room_directions: str
    place_kind: PlaceKind
    place_label: str


def load_head(connection: Connection, session_id: int) -> TicketHead | None:
    """The common part of a session's tickets; None for an unknown session."""
    row = connection.execute(
        "select session.id, session.code, session.kind, session.subject, session.planned_start_us,"
        " session.duration_us, batch.name, batch.occupation, batch.level,"
        " site.name as site_name, site.address"
        " from session join batch on batch.id = session.batch_id join site on site.id = 1"
        " where session.id = ?",
        (session_id,),
    ).fetchone()
    if row is None:
        return None
    session, code, kind, *rest = tuple(row)
    return TicketHead(session, code, SessionKind(kind), *rest)


def load_tickets(connection: Connection, session_id: int) -> list[AdmissionTicket]:
    """Every ticket of the session, by room and then place, as they are handed out."""
    rows = connection.execute(
        "select candidate.id, candidate.name, candidate.document_type, candidate.id_number_tail,"
        " candidate.ticket_no, candidate.employer, room.label as room_label, room.directions,"
        " place.kind, place.label"
        " from seating join candidate on candidate.id = seating.candidate_id"
        " join place on place.id = seating.place_id join room on room.id = place.room_id"
        " where seating.session_id = ?"
        " order by room.code, cast(place.label as integer), place.label",
        (session_id,),
    )
    return [
        AdmissionTicket(
            candidate_id=row["id"],
            name=row["name"],
            document_type=DocumentType(row["document_type"]),
            id_number_tail=row["id_number_tail"],
            ticket_no=row["ticket_no"],
            employer=row["employer"],
            room_label=row["room_label"],
            room_directions=row["directions"],
            place_kind=PlaceKind(row["kind"]),
            place_label=row["label"],
        )
        for row in rows
    ]
