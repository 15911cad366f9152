"""The facts of the admission rule, read from exam.db at one moment."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from sqlite3 import Connection, Row
from typing import Final

from evidence.doubt_cases import Doubts, doubts_about
from evidence.sittings import load_sittings
from evidence.ticket_reissues import FIRST_REVISION, ticket_revisions
from evidence.ticket_voidings import VOIDED
from evidence.vault import Vault
from exam.admission_facts import AdmissionRequest, Admitted, Facts, Known, Policy, Seat, Sitting
from exam.answers import OutcomeText, Sight
from exam.clock import MINUTE_US
from exam.day import PlaceKind
from exam.identity import DocumentType, masked_name
from exam.outcomes import Outcome
from exam.procedure import Procedure

# How wrong a moment may be by a clock that was never compared: no order of two kiosks follows from it.
UNKNOWN_US: Final = 24 * 60 * MINUTE_US

_KNOWN: Final = (
    "select distinct candidate.id, candidate.name, document_type, blocked_reason from candidate"
    " join batch on batch.id = candidate.batch_id and batch.closed_at_us is null"
)
_SEATINGS: Final = """
select seating.candidate_id, seating.session_id, seating.place_id, place.room_id,
       admission.admitted_at_us, attempt.kiosk_id as admitted_by_kiosk_id,
       coalesce(came.decided_by, 'server') as decided_by, came.clock_uncertainty_us,
       exists (select 1 from admission as other
                where other.session_id = seating.session_id and other.place_id = seating.place_id
                  and other.candidate_id <> seating.candidate_id and other.voided_at_us is null) as is_taken,
       (select max(gone.corrected_at_us) from checkin_attempt as leaving
          join checkin_circumstance as gone on gone.attempt_id = leaving.id
         where leaving.session_id = seating.session_id and leaving.candidate_id = seating.candidate_id
           and leaving.outcome = 'OK_EXIT' and not exists (
             select 1 from check_in_act as back where back.lacks = ''
                and (back.act = 'undo' and back.subject_attempt_id = leaving.id
                     or back.act = 'override' and back.attempt_id > leaving.id
                        and back.candidate_id = leaving.candidate_id
                        and back.session_id = leaving.session_id))
       ) as left_at_us,
       (select origin.room_id from check_in_act as moved
          join place as origin on origin.id = moved.from_place_id
         where moved.session_id = seating.session_id and moved.candidate_id = seating.candidate_id
         order by moved.id limit 1) as origin_room_id
  from seating
  join place on place.id = seating.place_id
  left join admission on admission.session_id = seating.session_id
       and admission.candidate_id = seating.candidate_id and admission.voided_at_us is null
  left join checkin_attempt as attempt on attempt.id = admission.attempt_id
  left join checkin_circumstance as came on came.attempt_id = attempt.id
 where seating.candidate_id in (select value from json_each(?)) order by seating.id
"""


@dataclass(frozen=True, slots=True)
class CheckInRules:
    """What the site's regulations say, read from config."""

    procedures: Mapping[str, Procedure]
    texts: Mapping[Outcome, OutcomeText]
    policy: Policy = field(default_factory=Policy)


def gather(
    connection: Connection, vault: Vault, asked: AdmissionRequest, rules: CheckInRules, at_us: int
) -> Facts:
    """Everything the rule may know about this request at that moment, as the tables say now.

    Raises UnknownProcedureError when a session of the candidate or of today has no procedure.
    """
    forms = connection.execute(
        "select ticket_form from batch where closed_at_us is null and ticket_form <> ''"
    )
    shown = _known(connection, "candidate.ticket_no = ?", asked.ticket_no)
    replaced = _replaced(connection, shown, asked.ticket_revision)
    by_ticket = tuple(known for known in shown if known not in replaced)
    by_void = (*_by_void_ticket(connection, asked.ticket_no), *replaced)
    number = vault.index(asked.id_number) if asked.id_number else None
    by_id_number = _known(connection, "candidate.id_number_index = ?", number)
    named = {known.candidate_id for known in by_id_number}
    agreed = {known.candidate_id for known in (*by_ticket, *by_void)} & named
    seats, sittings = seats_of(connection, agreed, rules, at_us)
    return Facts(
        ticket_forms=tuple(row["ticket_form"] for row in forms),
        by_ticket=by_ticket,
        by_id_number=by_id_number,
        seats=seats,
        sittings_here=tuple(
            one for one in sittings if not asked.kiosk_rooms or one.door_id in asked.kiosk_rooms
        ),
        by_void_ticket=by_void,
    )


def seats_of(
    connection: Connection, candidate_ids: Collection[int], rules: CheckInRules, at_us: int
) -> tuple[tuple[Seat, ...], list[Sitting]]:
    """Every seat of these candidates with what is on record there, and all sittings of that day."""
    rows = connection.execute(_SEATINGS, (json.dumps(sorted(candidate_ids)),)).fetchall()
    sessions = {row["session_id"] for row in rows}
    sittings = load_sittings(connection, rules.procedures, sessions, at_us, rules.policy.late_entry_us)
    by_room = {(one.session_id, one.room_id): one for one in sittings}
    doubts = doubts_about(connection, candidate_ids)
    return tuple(_seat(row, by_room, doubts) for row in rows), sittings


def sight_of(connection: Connection, seat: Seat | None) -> Sight | None:
    """What a screen may show of the candidate and the seat; None without one."""
    if seat is None:
        return None
    row = connection.execute(
        "select candidate.name, candidate.id_number_tail, room.label as room_label, room.directions,"
        " place.label as place_label, place.kind from candidate, place, room"
        " where candidate.id = ? and place.id = ? and room.id = ?",
        (seat.candidate_id, seat.place_id, seat.sitting.door_id),
    ).fetchone()
    return Sight(
        masked_name=masked_name(row["name"]),
        id_tail=row["id_number_tail"],
        room_label=row["room_label"],
        directions=row["directions"],
        place_label=row["place_label"],
        place_kind=PlaceKind(row["kind"]),
    )


def _known(connection: Connection, condition: str, value: str | bytes | None) -> tuple[Known, ...]:
    rows = connection.execute(f"{_KNOWN} where {condition} order by candidate.id", (value,))
    return _as_known(rows.fetchall())


def _by_void_ticket(connection: Connection, ticket_no: str | None) -> tuple[Known, ...]:
    rows = connection.execute(
        f"{_KNOWN}{VOIDED} where ticket_voiding.ticket_no = ? order by candidate.id",
        (ticket_no,),
    )
    return _as_known(rows.fetchall())


def _replaced(connection: Connection, shown: Sequence[Known], revision: int | None) -> tuple[Known, ...]:
    """Those whose signed ticket was issued anew after the one that was shown."""
    if revision is None:
        return ()
    in_force = ticket_revisions(connection)
    return tuple(known for known in shown if in_force.get(known.candidate_id, FIRST_REVISION) > revision)


def _as_known(rows: Sequence[Row]) -> tuple[Known, ...]:
    return tuple(
        Known(row["id"], DocumentType(row["document_type"]), row["blocked_reason"] is not None, row["name"])
        for row in rows
    )


def _seat(
    row: Row, by_room: Mapping[tuple[int, int], Sitting], doubts: Mapping[tuple[int, int], Doubts]
) -> Seat:
    about = doubts.get((row["candidate_id"], row["session_id"]), Doubts())
    return Seat(
        candidate_id=row["candidate_id"],
        place_id=row["place_id"],
        sitting=_sitting(row, by_room),
        admission=_admission(row),
        is_taken=bool(row["is_taken"]),
        left_at_us=row["left_at_us"],
        held_for=about.held_for,
        settled=about.settled,
        is_withdrawn=about.is_withdrawn,
    )


def _sitting(row: Row, by_room: Mapping[tuple[int, int], Sitting]) -> Sitting:
    known = by_room.get((row["session_id"], row["room_id"]))
    if known is not None:
        return known
    # An emergency room that the plan does not name: the signals of the room he came from hold for him (R21).
    origin = by_room[row["session_id"], row["origin_room_id"]]
    return replace(origin, room_id=row["room_id"], moved_to_room_id=None)


def _admission(row: Row) -> Admitted | None:
    if row["admitted_at_us"] is None:
        return None
    told_us = UNKNOWN_US if row["clock_uncertainty_us"] is None else row["clock_uncertainty_us"]
    return Admitted(
        kiosk_id=row["admitted_by_kiosk_id"],
        admitted_at_us=row["admitted_at_us"],
        uncertainty_us=told_us if row["decided_by"] == "kiosk" else 0,
        by_people=row["decided_by"] == "people",
    )
