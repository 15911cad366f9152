"""Check-in (签到): every scan is one row, and nobody is admitted twice.

`decide` gathers the facts, asks the rule and records the answer. Run it inside one write transaction.
Order: the nonce first, so that a repeated request gets the stored answer even after the cut-off; then
the attempt; then the admission, whose unique indexes are the last guard against two kiosks at the same
instant; then alarms and doubts. What a kiosk decided alone is settled by `exam.upload_rules`.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from sqlite3 import Connection
from traceback import extract_tb
from typing import Final

import structlog

from evidence import check_in_rows as rows
from evidence.check_in_alarms import Subject, raise_alarms
from evidence.check_in_facts import UNKNOWN_US, CheckInRules, gather, seats_of, sight_of
from evidence.check_in_rows import NOTHING_SAID, Attempt, DecidedBy, KioskSaid, Voiding
from evidence.doubt_cases import NewCase, open_case
from evidence.kiosks import scope_of
from evidence.vault import Vault
from exam.admission import judge
from exam.admission_facts import (
    NOTHING_GIVEN,
    NOTHING_READ,
    AdmissionRequest,
    Facts,
    Known,
    Provided,
    ReadDocument,
    Seat,
    TicketProof,
    Verdict,
)
from exam.answers import compose
from exam.identity import names_agree, normalise
from exam.outcomes import AFTER_TRIES, DOUBTS, Kind, Outcome
from exam.roster_facts import rules_version
from exam.sitting_phase import Phase, as_of, choose_seat, phase
from exam.tickets import normalise_ticket
from exam.upload_rules import AlarmKind, Decided, Settlement, alarms_of, settle, told_otherwise

_log: Final = structlog.get_logger("check_in")
_NOTHING: Final = Facts((), (), (), (), ())


@dataclass(frozen=True, slots=True)
class KioskDecision:
    """What a kiosk decided alone and told the candidate, and the place it sent him to."""

    outcome: Outcome
    place_id: int | None = None


@dataclass(frozen=True, slots=True)
class CheckInRequest:
    """One scan as a kiosk sends it. Numbers as read; None or empty when that document was not shown."""

    kiosk_id: int
    # Made by the kiosk before its first try; a repeat with the same nonce is the same scan.
    nonce: str
    scanned_at_us: int
    ticket_no: str | None
    id_number: str | None
    said: KioskSaid = NOTHING_SAID
    read: ReadDocument = NOTHING_READ
    ticket_proof: TicketProof = TicketProof.PLAIN
    ticket_site: str | None = None
    ticket_revision: int | None = None
    declared: frozenset[Outcome] = frozenset()
    provided: Provided = NOTHING_GIVEN
    tries: int = 0
    # An upload: the kiosk has decided. None: it asks.
    decided: KioskDecision | None = None

    def corrected(self, now_us: int) -> tuple[int, int]:
        """When it happened by this machine's clock, and how wrong that may be. A question happens now."""
        if self.decided is None:
            return now_us, 0
        offset_us, uncertainty_us = self.said.clock_offset_us, self.said.clock_uncertainty_us
        at_us = max(1, min(self.scanned_at_us - (offset_us or 0), now_us))
        is_known = offset_us is not None and uncertainty_us is not None
        return at_us, (uncertainty_us or 0) if is_known else UNKNOWN_US


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the kiosk is told: the exact JSON text on record."""

    body: str
    outcome: Outcome
    # The same request came before and this is what it was told then.
    is_replay: bool = False
    # The rooms whose pages show something else now.
    rooms: frozenset[int] = frozenset()

    @property
    def told_as(self) -> Outcome:
        """What this telling of the answer is: the answer itself, or a replay of it."""
        return Outcome.OK_REPLAY if self.is_replay else self.outcome


def decide(
    connection: Connection, vault: Vault, request: CheckInRequest, rules: CheckInRules, now_us: int
) -> StoredAnswer:
    """Judge one scan, or settle what a kiosk decided, and record it.

    A nonce that was answered before gets that answer again, whatever else the request says.
    """
    stored = find_answer(connection, request.kiosk_id, request.nonce)
    if stored is not None:
        return _replayed(connection, request, stored, now_us)
    work = _Work(connection, vault, request, rules, now_us)
    try:
        return work.record()
    except sqlite3.IntegrityError:
        # Another kiosk admitted somebody between our reading and our writing: judge the new facts.
        return work.record()


def find_answer(connection: Connection, kiosk_id: int, nonce: str) -> StoredAnswer | None:
    """What was answered to this nonce of this kiosk; None when it never arrived."""
    row = connection.execute(
        "select outcome, answer from checkin_attempt where kiosk_id = ? and nonce = ?", (kiosk_id, nonce)
    ).fetchone()
    return StoredAnswer(row["answer"], Outcome(row["outcome"]), is_replay=True) if row else None


def _replayed(
    connection: Connection, request: CheckInRequest, stored: StoredAnswer, now_us: int
) -> StoredAnswer:
    """The stored answer. Where the kiosk told the candidate something else meanwhile, people hear of it."""
    if request.decided is None:
        return stored
    row = connection.execute(
        "select attempt.id, attempt.candidate_id, attempt.session_id, decided_by, place.room_id,"
        " json_extract(answer, '$.admitted') as admits from checkin_attempt as attempt"
        " left join checkin_circumstance on attempt_id = attempt.id"
        " left join seating on seating.session_id = attempt.session_id"
        "  and seating.candidate_id = attempt.candidate_id"
        " left join place on place.id = seating.place_id where kiosk_id = ? and nonce = ?",
        (request.kiosk_id, request.nonce),
    ).fetchone()
    shown = request.decided.outcome
    if row["decided_by"] == DecidedBy.KIOSK or shown is stored.outcome:
        return stored
    if not rows.note_shown(connection, row["id"], shown, now_us):
        return stored
    alarm = told_otherwise(stored_admits=bool(row["admits"]), shown=shown)
    if alarm is None:
        return stored
    about = Subject(row["id"], None, request.kiosk_id, row["candidate_id"], row["session_id"], row["room_id"])
    raise_alarms(connection, [alarm], about, now_us)
    if alarm is AlarmKind.INSIDE_THOUGH_REFUSED:
        open_case(connection, _case(stored.outcome, about, request.provided), now_us)
    return replace(stored, rooms=_rooms(about.room_id))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was decided, about whom, and which seat it speaks of."""

    settlement: Settlement
    facts: Facts
    candidate_id: int | None
    seat: Seat | None
    site: str = ""


@dataclass(frozen=True, slots=True)
class _Work:
    """One request that was never answered."""

    connection: Connection
    vault: Vault
    request: CheckInRequest
    rules: CheckInRules
    now_us: int

    def record(self) -> StoredAnswer:
        """Judge and write, all or nothing. Raises IntegrityError when somebody was faster."""
        at_us, _ = self.request.corrected(self.now_us)
        asked = self._asked()
        judged = self._judged(asked, at_us)
        verdict = Verdict(judged.settlement.reasons, judged.candidate_id, judged.seat, judged.site)
        answer = compose(verdict, asked, self.rules.texts, sight_of(self.connection, judged.seat))
        self.connection.execute("savepoint check_in")
        try:
            room_ids = self._write(asked, judged, answer.to_json(), at_us)
        except sqlite3.IntegrityError:
            self.connection.execute("rollback to check_in")
            raise
        finally:
            self.connection.execute("release check_in")
        return StoredAnswer(answer.to_json(), judged.settlement.outcome, rooms=room_ids)

    def _asked(self) -> AdmissionRequest:
        request = self.request
        return AdmissionRequest(
            ticket_no=normalise_ticket(request.ticket_no or "") or None,
            id_number=normalise(request.id_number or "") or None,
            kiosk_id=request.kiosk_id,
            kiosk_rooms=frozenset(scope_of(self.connection, request.kiosk_id).rooms),
            read=request.read,
            ticket_proof=request.ticket_proof,
            ticket_site=request.ticket_site,
            ticket_revision=request.ticket_revision,
            declared=request.declared,
            provided=request.provided,
            tries=request.tries,
        )

    def _judged(self, asked: AdmissionRequest, at_us: int) -> _Judged:
        try:
            facts = gather(self.connection, self.vault, asked, self.rules, at_us)
            return self._settled(asked, facts, at_us)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks, a person looks and the kiosk goes on
            # Where it broke, without the error's words: they may hold a document number.
            frame = extract_tb(error.__traceback__)[-1]
            where = f"{frame.name} {frame.lineno}"
            _log.warning(
                "check-in not judged", nonce=self.request.nonce, error=type(error).__name__, where=where
            )
            settlement = self._settlement(Verdict((Outcome.NOT_JUDGED,)), None, at_us)
            return _Judged(settlement, _NOTHING, None, None)

    def _settled(self, asked: AdmissionRequest, facts: Facts, at_us: int) -> _Judged:
        if self.request.decided is None:
            verdict = judge(asked, facts, self.rules.policy, at_us)
            seat = verdict.seat
        else:
            facts = _as_of(facts, at_us)
            nobody_in = replace(facts, seats=tuple(replace(one, admission=None) for one in facts.seats))
            verdict = judge(asked, nobody_in, self.rules.policy, at_us)
            meant = choose_seat(facts.seats, at_us)
            seat = meant[0] if len(meant) == 1 else None
        candidate_id = verdict.candidate_id if seat is None else seat.candidate_id
        return _Judged(self._settlement(verdict, seat, at_us), facts, candidate_id, seat, verdict.site)

    def _settlement(self, verdict: Verdict, seat: Seat | None, at_us: int) -> Settlement:
        if self.request.decided is None:
            return Settlement(
                verdict.reasons,
                admits=verdict.kind is Kind.ADMITTED,
                alarms=alarms_of(verdict.reasons),
                doubt=self._doubt(verdict),
            )
        uncertainty_us = self.request.corrected(self.now_us)[1]
        told = self.request.decided
        decided = Decided(told.outcome, self.request.kiosk_id, at_us, uncertainty_us, told.place_id)
        return settle(decided, verdict, seat)

    def _doubt(self, verdict: Verdict) -> Outcome | None:
        doubt = next((reason for reason in verdict.reasons if reason in DOUBTS), None)
        has_failed = self.request.tries + 1 >= self.rules.policy.tries
        is_helpless = has_failed and verdict.outcome in set(AFTER_TRIES.values())
        return doubt or (verdict.outcome if is_helpless else None)

    def _write(self, asked: AdmissionRequest, judged: _Judged, answer: str, at_us: int) -> frozenset[int]:
        settlement, seat = judged.settlement, judged.seat
        is_late = self._is_late(seat)
        attempt = replace(self._attempt(judged, answer, at_us), is_late=is_late)
        attempt_id = rows.insert_attempt(self.connection, attempt)
        if settlement.displaces and seat is not None:
            self._displace(seat, attempt_id)
        if settlement.admits and seat is not None:
            rows.insert_admission(self.connection, attempt_id, seat, at_us)
        rows.append_attempt_leaf(self.connection, attempt_id, self.now_us)
        self._undo_at_once(attempt_id)
        self._watch_clock()
        late = [AlarmKind.LATE_UPLOAD] if settlement.admits and is_late else []
        alarms = [*settlement.alarms, *late]
        if not (settlement.admits or alarms or settlement.doubt):
            return frozenset()
        about = self._about(judged, attempt_id, at_us)
        raise_alarms(self.connection, alarms, about, self.now_us)
        if settlement.doubt is not None:
            open_case(self.connection, _case(settlement.doubt, about, asked.provided), self.now_us)
        return _rooms(about.room_id)

    def _attempt(self, judged: _Judged, answer: str, at_us: int) -> Attempt:
        request, seat, facts = self.request, judged.seat, judged.facts
        told = request.decided
        return Attempt(
            kiosk_id=request.kiosk_id,
            nonce=request.nonce,
            scanned_at_us=request.scanned_at_us,
            received_at_us=self.now_us,
            corrected_at_us=at_us,
            candidate_id=judged.candidate_id,
            ticket_candidate_id=_only(facts.by_ticket or facts.by_void_ticket),
            id_number_candidate_id=_only(facts.by_id_number),
            session_id=seat.sitting.session_id if seat else None,
            reasons=judged.settlement.reasons,
            answer=answer,
            decided_by=DecidedBy.SERVER if told is None else DecidedBy.KIOSK,
            rules_version=rules_version(self.rules.policy),
            said=request.said,
            read=request.read,
            read_name=_other_name(request.read.name, facts.by_id_number),
            ticket_proof=request.ticket_proof,
            declared=request.declared,
            provided=request.provided,
            tries=request.tries,
            shown_outcome=None if told is None else told.outcome,
        )

    def _is_late(self, seat: Seat | None) -> bool:
        """Whether an upload came when the session was over already."""
        if self.request.decided is None or seat is None:
            return False
        seats, _ = seats_of(self.connection, [seat.candidate_id], self.rules, self.now_us)
        return any(
            phase(one.sitting, self.now_us) in {Phase.CLOSED, Phase.OTHER_DAY}
            for one in seats
            if one.sitting.session_id == seat.sitting.session_id
        )

    def _displace(self, seat: Seat, attempt_id: int) -> None:
        standing = rows.standing_admission(self.connection, seat.sitting.session_id, seat.candidate_id)
        assert standing is not None
        rows.void_admission(self.connection, standing, Voiding.CONFLICT, attempt_id, self.now_us)

    def _undo_at_once(self, attempt_id: int) -> None:
        """An undo that overtook this attempt finds it now."""
        admission = self.connection.execute(
            "select admission.id from admission where attempt_id = ? and exists ("
            "  select 1 from check_in_act where act = 'undo' and lacks = '' and subject_attempt_id is null"
            "   and subject_nonce = ? and kiosk_id = ?)",
            (attempt_id, self.request.nonce, self.request.kiosk_id),
        ).fetchone()
        if admission is not None:
            rows.void_admission(self.connection, admission["id"], Voiding.UNDO, None, self.now_us)

    def _watch_clock(self) -> None:
        offset_us = self.request.said.clock_offset_us
        if offset_us is not None and abs(offset_us) > self.rules.policy.clock_skew_us:
            kiosk = Subject(kiosk_id=self.request.kiosk_id)
            raise_alarms(self.connection, [AlarmKind.CLOCK_SKEW], kiosk, self.now_us)

    def _about(self, judged: _Judged, attempt_id: int, at_us: int) -> Subject:
        """Whom it concerns, and in which room: without two agreeing documents, whom one of them names."""
        seat, candidate_id = judged.seat, judged.candidate_id
        if seat is None:
            facts = judged.facts
            candidate_id = candidate_id or _only(facts.by_ticket or facts.by_void_ticket)
            candidate_id = candidate_id or _only(facts.by_id_number)
            seat = self._likely_seat(candidate_id, at_us)
        session_id = seat.sitting.session_id if seat else None
        room_id = seat.sitting.room_id if seat else None
        return Subject(attempt_id, None, self.request.kiosk_id, candidate_id, session_id, room_id)

    def _likely_seat(self, candidate_id: int | None, at_us: int) -> Seat | None:
        if candidate_id is None:
            return None
        seats, _ = seats_of(self.connection, [candidate_id], self.rules, at_us)
        meant = choose_seat(seats, at_us)
        return meant[0] if len(meant) == 1 else None


def _as_of(facts: Facts, at_us: int) -> Facts:
    """The facts for judging a moment in the past."""
    return replace(
        facts,
        seats=tuple(replace(one, sitting=as_of(one.sitting, at_us)) for one in facts.seats),
        sittings_here=tuple(as_of(one, at_us) for one in facts.sittings_here),
    )


def _case(doubt: Outcome, about: Subject, provided: Provided) -> NewCase:
    photos = () if provided.photo_sha256 is None else (provided.photo_sha256,)
    return NewCase(
        doubt, about.candidate_id, about.session_id, about.room_id, about.attempt_id, photos=photos
    )


def _only(known: Sequence[Known]) -> int | None:
    return known[0].candidate_id if len(known) == 1 else None


def _other_name(read: str | None, known: Sequence[Known]) -> str:
    if not read or all(names_agree(read, one.name) for one in known):
        return ""
    return read


def _rooms(room_id: int | None) -> frozenset[int]:
    return frozenset() if room_id is None else frozenset({room_id})
