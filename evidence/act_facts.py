"""What staff want done about check-in, and the facts by which that is judged, read from exam.db."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from sqlite3 import Connection, Row
from types import MappingProxyType
from typing import Any, Final

from evidence.announcements import load_confirmed
from evidence.check_in_facts import CheckInRules, seats_of
from evidence.check_in_rows import Lane
from evidence.console_kiosk import console_kiosk_id
from evidence.doubt_cases import cases_of
from evidence.sittings import load_sittings
from evidence.vault import Vault
from exam.admission import judge_by_hand, reasons_against
from exam.admission_authority import Act, ActFacts
from exam.admission_facts import NOTHING_GIVEN, Facts, Known, Provided, Seat, Sitting, Verdict
from exam.day import RoomKind
from exam.doubt_cases import Finding
from exam.identity import DocumentType
from exam.outcomes import DOUBTS, KINDS, Kind, Outcome, outcome_of
from exam.procedure import Procedure
from exam.sitting_phase import as_of

NOTHING_SIGNED: Final[Mapping[str, Any]] = MappingProxyType({})
_SUBJECT: Final = (
    "select attempt.*, came.corrected_at_us, came.shown_outcome, admission.id as admission_id,"
    " exists (select 1 from check_in_act where act = 'undo' and lacks = ''"
    "  and subject_attempt_id = attempt.id) as is_undone"
    " from checkin_attempt as attempt"
    " left join checkin_circumstance as came on came.attempt_id = attempt.id"
    " left join admission on admission.attempt_id = attempt.id and admission.voided_at_us is null"
)


@dataclass(frozen=True, slots=True)
class WalkIn:
    """Somebody who is not on the roster and comes with an approval. The number in its normal form."""

    name: str
    document_type: DocumentType
    id_number: str
    ticket_no: str
    employer: str = ""


@dataclass(frozen=True, slots=True)
class NewAct:
    """One act as it was asked for. What it does not concern keeps its default."""

    act: Act
    # Made before the first try: a repeated request gets the stored answer.
    nonce: str
    lane: Lane
    reason: str
    # When it was done, by this machine's clock as far as known.
    happened_at_us: int
    # It was done while the kiosk worked alone: it is not refused any more, only doubted.
    is_offline: bool = False
    kiosk_id: int | None = None
    session_id: int | None = None
    candidate_id: int | None = None
    # The attempt it speaks of: by its id, or by the kiosk's nonce of it.
    subject_attempt_id: int | None = None
    subject_nonce: str = ""
    place_id: int | None = None
    room_id: int | None = None
    # For which doubt somebody is let in provisionally, and whether staff hold documents of his.
    doubt: Outcome | None = None
    documents_held: bool | None = None
    approval_no: str = ""
    walk_in: WalkIn | None = None
    provided: Provided = NOTHING_GIVEN
    # What was signed at a kiosk, and by whom.
    signed_subject: Mapping[str, Any] = field(default_factory=lambda: NOTHING_SIGNED)
    signatures: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A place that an act names, and whether it may be used in the session."""

    id: int
    room_id: int
    room_kind: RoomKind
    is_free: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Everything an act needs to be judged and done."""

    facts: ActFacts
    seat: Seat | None = None
    subject: Row | None = None
    place: Place | None = None
    # The sitting of the place's room, of a walk-in.
    sitting: Sitting | None = None
    # Of a walk-in whom the batch knows without a seat in this session.
    known_candidate_id: int | None = None


@dataclass(frozen=True, slots=True)
class ActReader:
    """Reads the facts of one act."""

    connection: Connection
    vault: Vault
    new: NewAct
    rules: CheckInRules

    def read(self) -> Found:
        """Everything as it stands now, judged at the moment of the act."""
        subject = self._subject()
        session_id, candidate_id = self._whom(subject)
        place = self._place(session_id)
        if self.new.act is Act.WALK_IN:
            return self._walk_in(place)
        if self.new.act is Act.VOID_TICKET:
            return self._ticket(candidate_id)
        if self.new.act in {Act.BLOCK, Act.UNBLOCK}:
            known = None if candidate_id is None else self._known(candidate_id)
            is_blocked = known is not None and known.is_blocked
            policy = self.rules.policy
            return Found(ActFacts(policy=policy, has_subject=known is not None, is_known=is_blocked))
        found = Found(self._about(subject, place), subject=subject, place=place)
        return found if candidate_id is None else self._with_seat(found, session_id, candidate_id)

    def _subject(self) -> Row | None:
        if self.new.subject_attempt_id is not None:
            question, key = f"{_SUBJECT} where attempt.id = ?", (self.new.subject_attempt_id,)
            row: Row | None = self.connection.execute(question, key).fetchone()
        elif self.new.subject_nonce:
            row = self.connection.execute(
                f"{_SUBJECT} where attempt.nonce = ? order by attempt.kiosk_id = ? desc",
                (self.new.subject_nonce, self.new.kiosk_id),
            ).fetchone()
        else:
            row = None
        return row

    def _whom(self, subject: Row | None) -> tuple[int | None, int | None]:
        new = self.new
        if subject is None or subject["candidate_id"] is None:
            return new.session_id, new.candidate_id
        return subject["session_id"] or new.session_id, subject["candidate_id"]

    def _about(self, subject: Row | None, place: Place | None) -> ActFacts:
        doubt = self.new.doubt
        if doubt is None and subject is not None:
            doubt = outcome_of(subject["outcome"])
        return ActFacts(
            policy=self.rules.policy,
            doubt=doubt,
            has_subject=self._has_subject(subject),
            is_identified=_is_identified(subject),
            place_is_free=place is not None and place.is_free,
            place_fits=place is not None,
        )

    def _has_subject(self, subject: Row | None) -> bool:
        new = self.new
        if subject is None:
            # An undo may overtake the entry that it undoes; it waits for it.
            return new.act is Act.UNDO and new.is_offline and new.subject_nonce != ""
        if new.candidate_id not in {None, subject["candidate_id"]} and subject["candidate_id"] is not None:
            return False
        if new.act is Act.UNDO:
            is_undoable = subject["admission_id"] is not None or subject["outcome"] == Outcome.OK_EXIT
            return is_undoable and not subject["is_undone"]
        told = outcome_of(subject["shown_outcome"] or subject["outcome"])
        return new.act is not Act.SETTLE_CONFLICT or KINDS[told] is Kind.ADMITTED

    def _with_seat(self, found: Found, session_id: int | None, candidate_id: int) -> Found:
        at_us = self.new.happened_at_us
        seats, sittings = seats_of(self.connection, [candidate_id], self.rules, at_us)
        seats = tuple(replace(one, sitting=as_of(one.sitting, at_us)) for one in seats)
        mine = [one for one in seats if one.sitting.session_id == session_id]
        known = self._known(candidate_id)
        if not mine or known is None:
            return found
        seat = mine[0]
        place = found.place
        fits = place is not None and place.id != seat.place_id and self._place_fits(place, seat.sitting)
        facts = replace(
            found.facts,
            seat=seat,
            reasons=reasons_against(known, seat, seats, self.rules.policy, at_us),
            early_exit_us=self._procedure(seat).early_exit_us,
            place_fits=fits,
            room_closed_at_us=self._room_closed_at_us(seat) if self.new.act is Act.UNDO else None,
        )
        if self.new.act is Act.BY_HAND:
            here = [as_of(one, at_us) for one in sittings if one.door_id == seat.sitting.door_id]
            asked = Facts((), (known,), (known,), seats, tuple(here))
            facts = replace(facts, by_hand=self._by_hand(seat, asked), was_doubted=self._was_doubted(seat))
        return replace(found, facts=facts, seat=seat)

    def _by_hand(self, seat: Seat, asked: Facts) -> Verdict:
        desk_id = self.new.kiosk_id or console_kiosk_id(self.connection) or 0
        return judge_by_hand(seat, desk_id, asked, self.rules.policy, self.new.happened_at_us)

    def _was_doubted(self, seat: Seat) -> bool:
        """Whether there is a doubt about him in this session that people did not settle in his favour."""
        return any(
            case.facts.session_id == seat.sitting.session_id and case.facts.decision is not Finding.CONFIRMED
            for case in cases_of(self.connection, [seat.candidate_id])
        )

    def _known(self, candidate_id: int) -> Known | None:
        row = self.connection.execute(
            "select document_type, blocked_reason, name from candidate where id = ?", (candidate_id,)
        ).fetchone()
        if row is None:
            return None
        return Known(
            candidate_id, DocumentType(row["document_type"]), row["blocked_reason"] is not None, row["name"]
        )

    def _procedure(self, seat: Seat) -> Procedure:
        row = self.connection.execute(
            "select procedure_code from session where id = ?", (seat.sitting.session_id,)
        ).fetchone()
        return self.rules.procedures[row["procedure_code"]]

    def _room_closed_at_us(self, seat: Seat) -> int | None:
        step = self._procedure(seat).closing_step
        confirmed = load_confirmed(self.connection, seat.sitting.session_id, seat.sitting.room_id)
        return None if step is None else confirmed.get(step)

    def _place(self, session_id: int | None) -> Place | None:
        row = self.connection.execute(
            "select place.id, room_id, room.kind,"
            " exists (select 1 from seating where session_id = :session and place_id = place.id)"
            " or exists (select 1 from admission where session_id = :session and place_id = place.id"
            "  and voided_at_us is null) as is_taken"
            " from place join room on room.id = room_id where place.id = :place",
            {"session": session_id, "place": self.new.place_id},
        ).fetchone()
        if row is None:
            return None
        return Place(row["id"], row["room_id"], RoomKind(row["kind"]), not row["is_taken"])

    def _place_fits(self, place: Place, sitting: Sitting) -> bool:
        """A seat changes within the rooms of the session; the emergency room may be outside of them."""
        in_session = self.connection.execute(
            "select 1 from session_room where session_id = ? and room_id = ?",
            (sitting.session_id, place.room_id),
        ).fetchone()
        is_spare = place.room_kind is RoomKind.CONTINGENCY_HALL
        return in_session is not None or (self.new.act is Act.EMERGENCY_ROOM and is_spare)

    def _walk_in(self, place: Place | None) -> Found:
        new, walk_in, at_us = self.new, self.new.walk_in, self.new.happened_at_us
        if place is None or walk_in is None or new.session_id is None:
            return Found(ActFacts(policy=self.rules.policy, place_fits=False))
        late = self.rules.policy.late_entry_us
        sittings = load_sittings(self.connection, self.rules.procedures, {new.session_id}, at_us, late)
        here = [one for one in sittings if (one.session_id, one.room_id) == (new.session_id, place.room_id)]
        if not here:
            return Found(ActFacts(policy=self.rules.policy, place_fits=False))
        candidate_id, is_known = self._on_roster(walk_in, new.session_id)
        seat = Seat(candidate_id or 0, place.id, as_of(here[0], at_us))
        person = Known(candidate_id or 0, walk_in.document_type, is_blocked=False)
        facts = ActFacts(
            seat=seat,
            reasons=reasons_against(person, seat, [seat], self.rules.policy, at_us),
            policy=self.rules.policy,
            place_is_free=place.is_free,
            is_known=is_known,
        )
        return Found(facts, seat=seat, place=place, sitting=here[0], known_candidate_id=candidate_id)

    def _on_roster(self, walk_in: WalkIn, session_id: int) -> tuple[int | None, bool]:
        """The candidate with this number in the batch, and whether he or his ticket is known already."""
        row = self.connection.execute(
            "select candidate.id, exists (select 1 from seating where candidate_id = candidate.id"
            "  and session_id = :session) as is_seated from candidate"
            " where batch_id = (select batch_id from session where id = :session)"
            "  and id_number_index = :number",
            {"session": session_id, "number": self.vault.index(walk_in.id_number)},
        ).fetchone()
        if row is not None:
            return int(row["id"]), bool(row["is_seated"])
        taken = self.connection.execute(
            "select 1 from candidate where batch_id = (select batch_id from session where id = ?)"
            " and ticket_no = ?",
            (session_id, walk_in.ticket_no),
        ).fetchone()
        return None, taken is not None

    def _ticket(self, candidate_id: int | None) -> Found:
        row = self.connection.execute(
            "select exists (select 1 from ticket_voiding where candidate_id = candidate.id"
            "  and ticket_voiding.ticket_no = candidate.ticket_no and account_id is not null) as is_void"
            " from candidate where id = ?",
            (candidate_id,),
        ).fetchone()
        is_void = row is not None and bool(row["is_void"])
        return Found(ActFacts(policy=self.rules.policy, has_subject=row is not None, is_known=is_void))


def _is_identified(subject: Row | None) -> bool:
    """Whether both documents named one candidate, and nothing about them was doubted."""
    if subject is None or subject["candidate_id"] is None:
        return False
    reasons = {outcome_of(code) for code in json.loads(subject["reasons"])}
    return not reasons & (DOUBTS - {Outcome.ALREADY_IN})
