"""Rows of check-in: attempts with their circumstances, admissions, what was shown, and their leaves.

Only writes down; what is written is decided in `evidence.checkins` and `evidence.check_in_acts`. Every
function works inside the caller's transaction.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from sqlite3 import Connection
from typing import Final

from evidence.ledger import LeafKind, append, salted_digest
from exam.admission_facts import NOTHING_GIVEN, NOTHING_READ, Provided, ReadDocument, Seat, TicketProof
from exam.outcomes import Outcome


class Lane(StrEnum):
    """Where a check-in was made."""

    KIOSK = "kiosk"
    STAFF_AT_KIOSK = "staff_at_kiosk"
    TABLET = "tablet"
    CONSOLE = "console"


class DecidedBy(StrEnum):
    """Who decided what the candidate was told."""

    SERVER = "server"
    KIOSK = "kiosk"
    PEOPLE = "people"


class Voiding(StrEnum):
    """Why an admission no longer stands."""

    UNDO = "undo"
    CONFLICT = "conflict"
    SEAT_CHANGE = "seat_change"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class KioskSaid:
    """What a kiosk says of itself with a request. None: an older kiosk, or not measured."""

    lane: Lane = Lane.KIOSK
    # One run of its agent, and the place of this request among all that run made.
    boot_id: str | None = None
    sequence: int | None = None
    # Its clock minus this machine's, and how wrong that may be.
    clock_offset_us: int | None = None
    clock_uncertainty_us: int | None = None
    roster_revision: int | None = None


NOTHING_SAID: Final = KioskSaid()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything that is written down of one attempt."""

    kiosk_id: int
    nonce: str
    scanned_at_us: int
    received_at_us: int
    # By this machine's clock as far as known; for what people or the server decided, when it arrived.
    corrected_at_us: int
    candidate_id: int | None
    ticket_candidate_id: int | None
    id_number_candidate_id: int | None
    session_id: int | None
    reasons: tuple[Outcome, ...]
    answer: str
    decided_by: DecidedBy
    rules_version: str
    said: KioskSaid = NOTHING_SAID
    read: ReadDocument = NOTHING_READ
    # Kept only where it is not the roster's name.
    read_name: str = ""
    ticket_proof: TicketProof = TicketProof.PLAIN
    declared: frozenset[Outcome] = frozenset()
    provided: Provided = NOTHING_GIVEN
    tries: int = 0
    shown_outcome: Outcome | None = None
    is_late: bool = False


_SAME_NAMED: Final = ("boot_id", "sequence", "clock_offset_us", "clock_uncertainty_us", "roster_revision")


def insert_attempt(connection: Connection, attempt: Attempt) -> int:
    """Write the attempt and how it came about; returns its id. Raises IntegrityError for a known nonce."""
    row = connection.execute(
        "insert into checkin_attempt (kiosk_id, nonce, scanned_at_us, received_at_us, candidate_id,"
        " ticket_candidate_id, id_number_candidate_id, session_id, outcome, reasons, answer)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
        (
            attempt.kiosk_id,
            attempt.nonce,
            attempt.scanned_at_us,
            attempt.received_at_us,
            attempt.candidate_id,
            attempt.ticket_candidate_id,
            attempt.id_number_candidate_id,
            attempt.session_id,
            attempt.reasons[0],
            json.dumps(attempt.reasons),
            attempt.answer,
        ),
    ).fetchone()
    values = {"attempt_id": int(row["id"]), **_circumstances(attempt)}
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(
        f"insert into checkin_circumstance ({names}) values ({marks})",  # noqa: S608 - our own names
        tuple(values.values()),
    )
    return int(row["id"])


def _circumstances(attempt: Attempt) -> dict[str, int | str | None]:
    said, read = asdict(attempt.said), attempt.read
    return {
        "decided_by": attempt.decided_by,
        "lane": attempt.said.lane,
        **{name: said[name] for name in _SAME_NAMED},
        "corrected_at_us": attempt.corrected_at_us,
        "rules_version": attempt.rules_version,
        "tries": attempt.tries,
        "declared": json.dumps(sorted(attempt.declared)),
        "ticket_proof": attempt.ticket_proof,
        "read_document_type": read.document_type,
        "read_valid_until": _iso(read.valid_until),
        "read_name": attempt.read_name,
        **asdict(attempt.provided),
        "shown_outcome": attempt.shown_outcome,
        "is_late": int(attempt.is_late),
    }


def insert_admission(connection: Connection, attempt_id: int, seat: Seat, at_us: int) -> None:
    """Let the candidate in to the seat. Raises IntegrityError when he, or somebody on his place, is in."""
    connection.execute(
        "insert into admission (attempt_id, session_id, candidate_id, place_id, admitted_at_us)"
        " values (?, ?, ?, ?, ?)",
        (attempt_id, seat.sitting.session_id, seat.candidate_id, seat.place_id, at_us),
    )


def void_admission(
    connection: Connection, admission_id: int, cause: Voiding, attempt_id: int | None, now_us: int
) -> None:
    """Say that the admission no longer stands, and why. It must stand."""
    connection.execute(
        "update admission set voided_at_us = ? where id = ? and voided_at_us is null", (now_us, admission_id)
    )
    row = connection.execute(
        "insert into admission_voiding (admission_id, cause, attempt_id, voided_at_us) values (?, ?, ?, ?)"
        " returning id as admission_voiding_id, admission_id, cause, attempt_id, voided_at_us",
        (admission_id, cause, attempt_id, now_us),
    ).fetchone()
    append(connection, LeafKind.ADMISSION_VOIDED, dict(row), now_us)


def standing_admission(connection: Connection, session_id: int, candidate_id: int) -> int | None:
    """The id of the admission that stands for this candidate in this session."""
    row = connection.execute(
        "select id from admission where session_id = ? and candidate_id = ? and voided_at_us is null",
        (session_id, candidate_id),
    ).fetchone()
    return None if row is None else int(row["id"])


def append_attempt_leaf(connection: Connection, attempt_id: int, now_us: int) -> None:
    """Commit to the attempt, how it came about, and the place it gave, after everything is written.

    Once more when an attempt admits somebody after all: of several leaves the latest counts.
    """
    row = connection.execute(
        "select attempt.id as attempt_id, kiosk.uuid as kiosk_uuid, nonce, scanned_at_us, received_at_us,"
        " attempt.candidate_id, ticket_candidate_id, id_number_candidate_id, attempt.session_id, outcome,"
        " reasons, admission.place_id as admitted_place_id, salt, answer, decided_by, lane, boot_id,"
        " sequence, clock_offset_us, clock_uncertainty_us, corrected_at_us, roster_revision, rules_version,"
        " tries, declared, ticket_proof, read_document_type, read_valid_until, read_name, photo_sha256,"
        " signature_sha256, bag_no, notice_version, shown_outcome, is_late"
        " from checkin_attempt attempt join kiosk on kiosk.id = attempt.kiosk_id"
        " join checkin_circumstance on checkin_circumstance.attempt_id = attempt.id"
        " left join admission on admission.attempt_id = attempt.id where attempt.id = ?",
        (attempt_id,),
    ).fetchone()
    fact = dict(row)
    salt = fact.pop("salt")
    body = {
        **fact,
        "reasons": json.loads(fact["reasons"]),
        "declared": json.loads(fact["declared"]),
        "answer_salted_sha256": salted_digest(salt, fact["answer"]),
        "read_name_salted_sha256": salted_digest(salt, fact["read_name"]),
    }
    del body["answer"], body["read_name"]
    append(connection, LeafKind.CHECKIN_ATTEMPT, body, now_us)


def note_shown(connection: Connection, attempt_id: int, shown: Outcome, now_us: int) -> bool:
    """Keep what a kiosk told instead of the answer on record. False when that is known already."""
    row = connection.execute(
        "insert into shown_answer (attempt_id, outcome, recorded_at_us) values (?, ?, ?)"
        " on conflict do nothing returning id as shown_answer_id, attempt_id, outcome, recorded_at_us",
        (attempt_id, shown, now_us),
    ).fetchone()
    if row is None:
        return False
    append(connection, LeafKind.SHOWN_ANSWER, dict(row), now_us)
    return True


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
