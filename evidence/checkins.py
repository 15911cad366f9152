"""Check-in (签到): every scan is one row, and nobody is admitted twice.

`decide` gathers the facts, asks `exam.admission.judge` and records the answer. Run it inside one
write transaction. Order: the nonce first, so that a repeated request gets the stored answer even
after the cut-off; then the attempt; then the admission, whose unique indexes are the last guard
against two kiosks at the same instant.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import Connection

from evidence.ledger import LeafKind, append, salted_digest
from evidence.sittings import load_sittings
from evidence.vault import Vault
from exam.admission import (
    AdmissionRequest,
    Admitted,
    Facts,
    Kind,
    Known,
    Outcome,
    Policy,
    Seat,
    Sitting,
    Verdict,
    judge,
)
from exam.answers import Answer, OutcomeText, Sight, compose
from exam.day import PlaceKind
from exam.identity import DocumentType, masked_name, normalise
from exam.procedure import Procedure
from exam.tickets import normalise_ticket

KNOWN_COLUMNS = (
    "select candidate.id, candidate.document_type, candidate.blocked_reason from candidate"
    " join batch on batch.id = candidate.batch_id and batch.closed_at_us is null"
)


@dataclass(frozen=True, slots=True)
class CheckInRequest:
    """One scan as a kiosk sends it. Numbers as read; None or empty when that document was not shown."""

    kiosk_id: int
    # Made by the kiosk before its first try; a repeat with the same nonce is the same scan.
    nonce: str
    scanned_at_us: int
    ticket_no: str | None
    id_number: str | None


@dataclass(frozen=True, slots=True)
class CheckInRules:
    """What the site's regulations say, read from config."""

    procedures: Mapping[str, Procedure]
    texts: Mapping[Outcome, OutcomeText]
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the kiosk is told: the exact JSON text on record."""

    body: str
    outcome: Outcome
    # The same request came before and this is what it was told then.
    is_replay: bool = False


def decide(
    connection: Connection, vault: Vault, request: CheckInRequest, rules: CheckInRules, now_us: int
) -> StoredAnswer:
    """Judge one scan and record it. A nonce that was answered before gets that answer again."""
    stored = _stored_answer(connection, request)
    if stored is not None:
        return stored
    try:
        return _judge_and_record(connection, vault, request, rules, now_us)
    except sqlite3.IntegrityError:
        # Another kiosk admitted somebody between our reading and our writing: judge the new facts.
        return _judge_and_record(connection, vault, request, rules, now_us)


def _stored_answer(connection: Connection, request: CheckInRequest) -> StoredAnswer | None:
    row = connection.execute(
        "select outcome, answer from checkin_attempt where kiosk_id = ? and nonce = ?",
        (request.kiosk_id, request.nonce),
    ).fetchone()
    return StoredAnswer(row["answer"], Outcome(row["outcome"]), is_replay=True) if row else None


def _judge_and_record(
    connection: Connection, vault: Vault, request: CheckInRequest, rules: CheckInRules, now_us: int
) -> StoredAnswer:
    asked = _normalised(connection, request)
    facts = _gather(connection, vault, asked, rules.procedures, now_us)
    verdict = judge(asked, facts, rules.policy, now_us)
    answer = compose(verdict, asked, rules.texts, _sight(connection, verdict))
    connection.execute("savepoint check_in")
    try:
        attempt_id = _insert_attempt(connection, request, facts, (verdict, answer), now_us)
        if verdict.kind is Kind.ADMITTED:
            _insert_admission(connection, attempt_id, verdict, now_us)
        _append_leaf(connection, attempt_id, now_us)
    except sqlite3.IntegrityError:
        connection.execute("rollback to check_in")
        raise
    finally:
        connection.execute("release check_in")
    return StoredAnswer(answer.to_json(), verdict.outcome)


def _normalised(connection: Connection, request: CheckInRequest) -> AdmissionRequest:
    (room_id,) = connection.execute("select room_id from kiosk where id = ?", (request.kiosk_id,)).fetchone()
    rooms = frozenset() if room_id is None else frozenset({int(room_id)})
    return AdmissionRequest(
        ticket_no=normalise_ticket(request.ticket_no or "") or None,
        id_number=normalise(request.id_number or "") or None,
        kiosk_id=request.kiosk_id,
        kiosk_rooms=rooms,
    )


def _gather(
    connection: Connection,
    vault: Vault,
    asked: AdmissionRequest,
    procedures: Mapping[str, Procedure],
    now_us: int,
) -> Facts:
    forms = connection.execute(
        "select ticket_form from batch where closed_at_us is null and ticket_form <> ''"
    )
    by_ticket = _known(connection, "ticket_no", asked.ticket_no)
    by_id_number = _known(
        connection, "id_number_index", vault.index(asked.id_number) if asked.id_number else None
    )
    agreed = {known.candidate_id for known in by_ticket} & {known.candidate_id for known in by_id_number}
    seatings = _seatings(connection, agreed)
    sittings = load_sittings(connection, procedures, {row["session_id"] for row in seatings}, now_us)
    by_room = {(sitting.session_id, sitting.room_id): sitting for sitting in sittings}
    return Facts(
        ticket_forms=tuple(row["ticket_form"] for row in forms),
        by_ticket=by_ticket,
        by_id_number=by_id_number,
        seats=tuple(_seat(row, by_room) for row in seatings),
        sittings_here=tuple(
            sitting for sitting in sittings if not asked.kiosk_rooms or sitting.room_id in asked.kiosk_rooms
        ),
    )


def _known(connection: Connection, column: str, value: str | bytes | None) -> tuple[Known, ...]:
    rows = connection.execute(f"{KNOWN_COLUMNS} where candidate.{column} = ? order by candidate.id", (value,))
    return tuple(
        Known(row["id"], DocumentType(row["document_type"]), row["blocked_reason"] is not None)
        for row in rows
    )


def _seatings(connection: Connection, candidate_ids: set[int]) -> Sequence[sqlite3.Row]:
    return connection.execute(
        "select seating.candidate_id, seating.session_id, seating.place_id, place.room_id,"
        " admission.admitted_at_us, checkin_attempt.kiosk_id as admitted_by_kiosk_id from seating"
        " join place on place.id = seating.place_id"
        " left join admission on admission.session_id = seating.session_id"
        "  and admission.candidate_id = seating.candidate_id and admission.voided_at_us is null"
        " left join checkin_attempt on checkin_attempt.id = admission.attempt_id"
        " where seating.candidate_id in (select value from json_each(?)) order by seating.id",
        (json.dumps(sorted(candidate_ids)),),
    ).fetchall()


def _seat(row: sqlite3.Row, sittings: Mapping[tuple[int, int], Sitting]) -> Seat:
    admitted_at_us = row["admitted_at_us"]
    return Seat(
        candidate_id=row["candidate_id"],
        place_id=row["place_id"],
        sitting=sittings[row["session_id"], row["room_id"]],
        admission=Admitted(row["admitted_by_kiosk_id"], admitted_at_us) if admitted_at_us else None,
    )


def _sight(connection: Connection, verdict: Verdict) -> Sight | None:
    if verdict.seat is None:
        return None
    row = connection.execute(
        "select candidate.name, candidate.id_number_tail, room.label as room_label, room.directions,"
        " place.label as place_label, place.kind from candidate, place join room on room.id = place.room_id"
        " where candidate.id = ? and place.id = ?",
        (verdict.seat.candidate_id, verdict.seat.place_id),
    ).fetchone()
    return Sight(
        masked_name=masked_name(row["name"]),
        id_tail=row["id_number_tail"],
        room_label=row["room_label"],
        directions=row["directions"],
        place_label=row["place_label"],
        place_kind=PlaceKind(row["kind"]),
    )


def _insert_attempt(
    connection: Connection,
    request: CheckInRequest,
    facts: Facts,
    decided: tuple[Verdict, Answer],
    now_us: int,
) -> int:
    verdict, answer = decided
    row = connection.execute(
        "insert into checkin_attempt (kiosk_id, nonce, scanned_at_us, received_at_us, candidate_id,"
        " ticket_candidate_id, id_number_candidate_id, session_id, outcome, reasons, answer)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
        (
            request.kiosk_id,
            request.nonce,
            request.scanned_at_us,
            now_us,
            verdict.candidate_id,
            _only(facts.by_ticket),
            _only(facts.by_id_number),
            verdict.seat.sitting.session_id if verdict.seat else None,
            verdict.outcome,
            json.dumps(verdict.reasons),
            answer.to_json(),
        ),
    ).fetchone()
    return int(row["id"])


def _only(known: Sequence[Known]) -> int | None:
    return known[0].candidate_id if len(known) == 1 else None


def _insert_admission(connection: Connection, attempt_id: int, verdict: Verdict, now_us: int) -> None:
    assert verdict.seat is not None
    connection.execute(
        "insert into admission (attempt_id, session_id, candidate_id, place_id, admitted_at_us)"
        " values (?, ?, ?, ?, ?)",
        (
            attempt_id,
            verdict.seat.sitting.session_id,
            verdict.seat.candidate_id,
            verdict.seat.place_id,
            now_us,
        ),
    )


def _append_leaf(connection: Connection, attempt_id: int, now_us: int) -> None:
    row = connection.execute(
        "select attempt.id as attempt_id, kiosk.uuid as kiosk_uuid, nonce, scanned_at_us, received_at_us,"
        " attempt.candidate_id, ticket_candidate_id, id_number_candidate_id, attempt.session_id, outcome,"
        " reasons, admission.place_id as admitted_place_id, salt, answer"
        " from checkin_attempt attempt join kiosk on kiosk.id = attempt.kiosk_id"
        " left join admission on admission.attempt_id = attempt.id where attempt.id = ?",
        (attempt_id,),
    ).fetchone()
    fact = dict(row)
    answer_digest = salted_digest(fact.pop("salt"), fact.pop("answer"))
    body = {**fact, "reasons": json.loads(fact["reasons"]), "answer_salted_sha256": answer_digest}
    append(connection, LeafKind.CHECKIN_ATTEMPT, body, now_us)
