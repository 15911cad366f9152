"""Doubts (存疑) as rows: opened by the rule or by people, looked at and decided by people (13(2), R7).

Nothing is changed or taken back: each step is a row with its leaf. Which step may follow is decided in
`exam.doubt_cases`.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Final

from evidence.check_in_rows import Voiding, void_admission
from evidence.ledger import LeafKind, append, salted_digest
from exam.doubt_cases import CaseFacts, CaseStep, Finding, NewStep, TakenStep
from exam.outcomes import HOLDING, Outcome, outcome_of
from exam.signers import Signer

# Somebody sits in the room on the strength of this case: let in by a kiosk, provisionally, or in conflict.
_CASES: Final = """
select doubt_case.*, candidate.name as candidate_name, candidate.ticket_no, candidate.id_number_tail,
       place.label as place_label, room.label as room_label, session.code as session_code,
       opener.display_name as opener_name,
       doubt_case.reason = 'DUP_CONFLICT'
       or exists (select 1 from checkin_circumstance as came where came.attempt_id = doubt_case.attempt_id
                   and came.shown_outcome glob 'OK_*' and came.shown_outcome <> 'OK_ALREADY_HERE')
       or exists (select 1 from admission join checkin_attempt as entry on entry.id = admission.attempt_id
                   where admission.session_id = doubt_case.session_id
                     and admission.candidate_id = doubt_case.candidate_id and admission.voided_at_us is null
                     and (entry.outcome = 'OK_PROVISIONAL'
                          or doubt_case.reason in (select value from json_each(:holding)))) as is_inside
  from doubt_case
  left join candidate on candidate.id = doubt_case.candidate_id
  left join seating on seating.session_id = doubt_case.session_id
       and seating.candidate_id = doubt_case.candidate_id
  left join place on place.id = seating.place_id
  left join room on room.id = doubt_case.room_id
  left join session on session.id = doubt_case.session_id
  left join account as opener on opener.id = doubt_case.opened_by
 where :wanted is null or doubt_case.id in (select value from json_each(:wanted)) order by doubt_case.id
"""
# Of a row of doubt_case: nobody has decided it, or it was opened again.
IS_OPEN: Final = (
    "coalesce((select step from doubt_case_step where case_id = doubt_case.id and step <> 'looked'"
    " order by id desc limit 1), '') <> 'decided'"
)


@dataclass(frozen=True, slots=True)
class Doubts:
    """What open and decided cases mean for the next scan of one candidate in one session."""

    held_for: Outcome | None = None
    settled: frozenset[Outcome] = frozenset()
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class NewCase:
    """A doubt to be written down. None where nobody, or no room, could be named."""

    reason: Outcome
    candidate_id: int | None
    session_id: int | None
    room_id: int | None
    attempt_id: int | None = None
    documents_held: bool | None = None
    photos: tuple[str, ...] = ()
    deadline_at_us: int | None = None
    opened_by: int | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step with the name of who took it, for people."""

    step: CaseStep
    finding: Finding
    reason: str
    name: str
    recorded_at_us: int
    signer: Signer


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case with everything that was done about it."""

    id: int
    facts: CaseFacts
    candidate_id: int | None
    # Empty where nobody could be named.
    candidate_name: str
    id_tail: str
    ticket_no: str
    session_code: str
    room_label: str
    place_label: str
    # Who saw it; empty: the rule opened it.
    opened_by: str
    attempt_id: int | None
    documents_held: bool | None
    photos: tuple[str, ...]
    deadline_at_us: int | None
    opened_at_us: int
    steps: tuple[StepRow, ...]


def open_case(connection: Connection, new: NewCase, now_us: int) -> int:
    """Write the doubt down, or join the open case about the same; returns its id.

    The same: one candidate, one session, one reason.
    """
    about = cases_of(connection, [] if new.candidate_id is None else [new.candidate_id])
    same = (new.session_id, new.reason)
    known = [
        case.id for case in about if case.facts.is_open and (case.facts.session_id, case.facts.reason) == same
    ]
    return known[0] if known else _insert_case(connection, new, now_us)


def take_step(connection: Connection, case_id: int, new: NewStep, now_us: int) -> int:
    """Keep a step that `exam.doubt_cases.case_refusal` allows; returns its id.

    An entry that is withdrawn no longer stands.
    """
    row = connection.execute(
        "insert into doubt_case_step (case_id, step, finding, reason, account_id, recorded_at_us)"
        " values (?, ?, ?, ?, ?, ?) returning id as doubt_case_step_id, case_id, step, finding, reason, salt,"
        " account_id, recorded_at_us",
        (case_id, new.step, new.finding, new.reason.strip(), new.signer.account_id, now_us),
    ).fetchone()
    fact = dict(row)
    digest = salted_digest(fact.pop("salt"), fact.pop("reason"))
    append(connection, LeafKind.DOUBT_CASE_STEP, {**fact, "reason_salted_sha256": digest}, now_us)
    if new.finding is Finding.WITHDRAWN:
        _withdraw(connection, case_id, now_us)
    return int(row["doubt_case_step_id"])


def load_cases(connection: Connection, case_ids: Collection[int] | None = None) -> list[CaseRow]:
    """All cases, or those named, oldest first."""
    rows = connection.execute(
        _CASES,
        {
            "holding": json.dumps(sorted(HOLDING)),
            "wanted": None if case_ids is None else json.dumps(sorted(case_ids)),
        },
    ).fetchall()
    steps = _steps(connection)
    return [_case(row, steps.get(row["id"], ())) for row in rows]


def cases_of(connection: Connection, candidate_ids: Collection[int]) -> list[CaseRow]:
    """The cases about these candidates, oldest first."""
    rows = connection.execute(
        "select id from doubt_case where candidate_id in (select value from json_each(?))",
        (json.dumps(sorted(candidate_ids)),),
    ).fetchall()
    return load_cases(connection, [row["id"] for row in rows]) if rows else []


def doubts_about(connection: Connection, candidate_ids: Collection[int]) -> dict[tuple[int, int], Doubts]:
    """By candidate and session, what the cases mean for the rule."""
    found: dict[tuple[int, int], Doubts] = {}
    for case in cases_of(connection, candidate_ids):
        if case.candidate_id is not None and case.facts.session_id is not None:
            key = (case.candidate_id, case.facts.session_id)
            found[key] = _after(found.get(key, Doubts()), case.facts)
    return found


def open_places(connection: Connection) -> list[tuple[int | None, int | None]]:
    """Session and room of every open case: enough to count them on every page."""
    rows = connection.execute(f"select session_id, room_id from doubt_case where {IS_OPEN}")  # noqa: S608 - a constant
    return [(row["session_id"], row["room_id"]) for row in rows]


def open_cases_in(connection: Connection, session_id: int, room_id: int) -> list[CaseRow]:
    """The cases that keep this room from closing."""
    rows = connection.execute(
        "select id from doubt_case where session_id = ? and room_id = ?", (session_id, room_id)
    ).fetchall()
    cases = load_cases(connection, [row["id"] for row in rows]) if rows else []
    return [case for case in cases if case.facts.is_open]


def _withdraw(connection: Connection, case_id: int, now_us: int) -> None:
    row = connection.execute(
        "select admission.id from doubt_case join admission on admission.session_id = doubt_case.session_id"
        " and admission.candidate_id = doubt_case.candidate_id and admission.voided_at_us is null"
        " where doubt_case.id = ?",
        (case_id,),
    ).fetchone()
    if row is not None:
        void_admission(connection, row["id"], Voiding.WITHDRAWN, None, now_us)


def _after(doubts: Doubts, case: CaseFacts) -> Doubts:
    held, settled = doubts.held_for, doubts.settled
    if case.is_open and case.reason in HOLDING:
        held = case.reason if held is not Outcome.DUP_CONFLICT else held
    if case.decision is Finding.CONFIRMED:
        settled = settled | {case.reason}
    is_withdrawn = doubts.is_withdrawn or case.decision is Finding.WITHDRAWN
    return Doubts(held, settled, is_withdrawn)


def _insert_case(connection: Connection, new: NewCase, now_us: int) -> int:
    row = connection.execute(
        "insert into doubt_case (candidate_id, session_id, room_id, attempt_id, reason, documents_held,"
        " photos, deadline_at_us, opened_by, opened_at_us) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " returning id as doubt_case_id, candidate_id, session_id, room_id, attempt_id, reason,"
        " documents_held, photos, deadline_at_us, opened_by, opened_at_us",
        (
            new.candidate_id,
            new.session_id,
            new.room_id,
            new.attempt_id,
            new.reason,
            new.documents_held,
            json.dumps(list(new.photos)),
            new.deadline_at_us,
            new.opened_by,
            now_us,
        ),
    ).fetchone()
    fact = dict(row)
    append(connection, LeafKind.DOUBT_CASE, {**fact, "photos": json.loads(fact["photos"])}, now_us)
    return int(row["doubt_case_id"])


def _steps(connection: Connection) -> Mapping[int, tuple[StepRow, ...]]:
    found: dict[int, list[StepRow]] = defaultdict(list)
    rows = connection.execute(
        "select doubt_case_step.*, display_name, staff_id from doubt_case_step"
        " join account on account.id = account_id order by doubt_case_step.id"
    )
    for row in rows:
        signer = Signer(row["account_id"], row["staff_id"], frozenset())
        found[row["case_id"]].append(
            StepRow(
                CaseStep(row["step"]),
                Finding(row["finding"]),
                row["reason"],
                row["display_name"],
                row["recorded_at_us"],
                signer,
            )
        )
    return {case_id: tuple(steps) for case_id, steps in found.items()}


def _case(row: Row, steps: Iterable[StepRow]) -> CaseRow:
    taken = tuple(steps)
    return CaseRow(
        id=row["id"],
        facts=CaseFacts(
            reason=outcome_of(row["reason"]),
            session_id=row["session_id"],
            room_id=row["room_id"],
            is_inside=bool(row["is_inside"]),
            steps=tuple(TakenStep(one.step, one.finding, one.signer) for one in taken),
        ),
        candidate_id=row["candidate_id"],
        candidate_name=row["candidate_name"] or "",
        id_tail=row["id_number_tail"] or "",
        ticket_no=row["ticket_no"] or "",
        session_code=row["session_code"] or "",
        room_label=row["room_label"] or "",
        place_label=row["place_label"] or "",
        opened_by=row["opener_name"] or "",
        attempt_id=row["attempt_id"],
        documents_held=None if row["documents_held"] is None else bool(row["documents_held"]),
        photos=tuple(json.loads(row["photos"])),
        deadline_at_us=row["deadline_at_us"],
        opened_at_us=row["opened_at_us"],
        steps=taken,
    )
