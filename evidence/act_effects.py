"""What each act of staff does to seats, admissions and doubts. Whether it may is decided before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from sqlite3 import Connection
from types import MappingProxyType
from typing import Final

from evidence import check_in_rows as rows
from evidence.act_facts import Found, NewAct
from evidence.check_in_facts import CheckInRules, seats_of, sight_of
from evidence.check_in_rows import Attempt, DecidedBy, KioskSaid, Voiding
from evidence.console_kiosk import console_kiosk
from evidence.recording_orders import Who, order_by_hand
from evidence.roster import ID_NUMBER
from evidence.ticket_voidings import VoidedTicket
from evidence.ticket_voidings import void_ticket as write_voiding
from evidence.vault import Vault
from exam.admission_authority import Act, Signed
from exam.admission_facts import AdmissionRequest, Seat, Verdict
from exam.answers import compose
from exam.identity import tail
from exam.outcomes import DOUBTS, KINDS, Kind, Outcome, ordered
from exam.recording_decision import HandAct
from exam.roster_facts import rules_version
from exam.sitting_phase import Phase, phase
from exam.upload_rules import AlarmKind, alarms_of


@dataclass(frozen=True, slots=True)
class Effect:
    """What an act came to."""

    # The attempt that it made, with its reasons.
    attempt_id: int | None = None
    reasons: tuple[Outcome, ...] = ()
    # Whom and which seat it speaks of now, and the place before.
    seat: Seat | None = None
    from_place_id: int | None = None
    # Rooms whose pages show something else, and alarms, each with its room.
    rooms: frozenset[int] = frozenset()
    alarms: tuple[tuple[AlarmKind, int | None], ...] = ()
    # The doubt that is written down with it.
    doubt: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """One act that is done now, and everything it needs."""

    connection: Connection
    vault: Vault
    new: NewAct
    signed: Signed
    rules: CheckInRules
    found: Found
    now_us: int

    def effect(self) -> Effect:
        """Do what the act is for."""
        return EFFECTS[self.new.act](self)

    def undo(self) -> Effect:
        """Take an admission or an exit back."""
        subject, seat = self.found.subject, self.found.seat
        if subject is None:
            return Effect()
        if subject["admission_id"] is not None:
            rows.void_admission(self.connection, subject["admission_id"], Voiding.UNDO, None, self.now_us)
            self._readmit(subject["id"])
        started = seat is not None and seat.sitting.started_at_us is not None
        alarms = ((AlarmKind.UNDONE, self.room_id),) if started else ()
        return Effect(seat=seat, rooms=self.rooms_here, alarms=alarms)

    def _readmit(self, undone_attempt_id: int) -> None:
        """A later entry at a kiosk that was told "already here" counts now that the first is undone."""
        row = self.connection.execute(
            "select later.id, later.session_id, later.candidate_id, corrected_at_us"
            " from checkin_attempt later"
            " join checkin_attempt undone on undone.id = ? and undone.candidate_id = later.candidate_id"
            "  and undone.session_id = later.session_id"
            " join checkin_circumstance on attempt_id = later.id"
            " where decided_by = 'kiosk' and later.outcome = 'OK_ALREADY_HERE' and corrected_at_us >= ?"
            "  and not exists (select 1 from admission where admission.attempt_id = later.id)"
            " order by corrected_at_us limit 1",
            (undone_attempt_id, self.new.happened_at_us),
        ).fetchone()
        if row is not None:
            seats, _ = seats_of(self.connection, [row["candidate_id"]], self.rules, self.now_us)
            for seat in seats:
                if seat.sitting.session_id == row["session_id"] and not seat.is_taken:
                    rows.insert_admission(self.connection, row["id"], seat, row["corrected_at_us"])
                    # Its leaf said that it admits nobody: the latest one counts.
                    rows.append_attempt_leaf(self.connection, row["id"], self.now_us)

    def exit(self) -> Effect:
        """He hands in and leaves."""
        seat = self.seat
        reasons = (Outcome.OK_EXIT,)
        attempt_id = self._insert_attempt(seat, reasons)
        rows.append_attempt_leaf(self.connection, attempt_id, self.now_us)
        return Effect(attempt_id, reasons, seat, rooms=self.rooms_here)

    def by_hand(self) -> Effect:
        """The answer that the rule of the door gives him, with the admission, alarms and doubt of a scan."""
        seat, answer = self.seat, self.found.facts.by_hand
        assert answer is not None
        attempt_id = self._insert_attempt(seat, answer.reasons)
        kinds = list(alarms_of(answer.reasons))
        if answer.kind is Kind.ADMITTED:
            rows.insert_admission(self.connection, attempt_id, seat, self.new.happened_at_us)
        elif self.new.is_offline:
            kinds.append(AlarmKind.INSIDE_THOUGH_REFUSED)
        rows.append_attempt_leaf(self.connection, attempt_id, self.now_us)
        return Effect(
            attempt_id,
            answer.reasons,
            seat,
            rooms=self.rooms_here,
            alarms=tuple((kind, self.room_id) for kind in kinds),
            doubt=next((reason for reason in answer.reasons if reason in DOUBTS), None),
        )

    def override(self) -> Effect:
        """Let in against a rule of the door."""
        return self.let_in(Outcome.OK_OVERRIDE)

    def provisional(self) -> Effect:
        """Let in with a doubt that is written down."""
        return replace(self.let_in(Outcome.OK_PROVISIONAL), doubt=self.found.facts.doubt)

    def settle_conflict(self) -> Effect:
        """Let the entry count that people chose, at its own moment."""
        assert self.found.subject is not None
        return self.let_in(Outcome.OK_OVERRIDE, self.found.subject["corrected_at_us"])

    def let_in(self, outcome: Outcome, at_us: int | None = None) -> Effect:
        """An attempt with this outcome, and an admission unless he is in already."""
        seat = self.seat
        against = [reason for reason in self.found.facts.reasons if KINDS[reason] is not Kind.INFORMED]
        reasons = (outcome, *ordered(against))
        attempt_id = self._insert_attempt(seat, reasons)
        if seat.admission is None:  # whoever comes back is in already
            moment_us = self.new.happened_at_us if at_us is None else at_us
            rows.insert_admission(self.connection, attempt_id, seat, moment_us)
        rows.append_attempt_leaf(self.connection, attempt_id, self.now_us)
        return Effect(attempt_id, reasons, seat, rooms=self.rooms_here)

    def walk_in(self) -> Effect:
        """Put him on the roster and let him in."""
        candidate_id = self.found.known_candidate_id or self._insert_candidate()
        seat = replace(self.seat, candidate_id=candidate_id)
        self.connection.execute(
            "insert into seating (session_id, candidate_id, place_id) values (?, ?, ?)",
            (seat.sitting.session_id, candidate_id, seat.place_id),
        )
        doing = replace(self, found=replace(self.found, seat=seat))
        return doing.let_in(Outcome.OK_WALK_IN)

    def _insert_candidate(self) -> int:
        walk_in = self.new.walk_in
        assert walk_in is not None
        row = self.connection.execute(
            "insert into candidate (batch_id, name, document_type, id_number_cipher, id_number_index,"
            " id_number_tail, ticket_no, employer)"
            " select batch_id, ?, ?, ?, ?, ?, ?, ? from session where id = ? returning id",
            (
                walk_in.name,
                walk_in.document_type,
                self.vault.encrypt(walk_in.id_number, ID_NUMBER),
                self.vault.index(walk_in.id_number),
                tail(walk_in.id_number),
                walk_in.ticket_no,
                walk_in.employer,
                self.new.session_id,
            ),
        ).fetchone()
        return int(row["id"])

    def change_seat(self) -> Effect:
        """Another place; whoever is in is let in again there, with the moment of the first entry."""
        seat, place = self.seat, self.found.place
        assert place is not None
        session_id, candidate_id = seat.sitting.session_id, seat.candidate_id
        self.connection.execute(
            "update seating set place_id = ? where session_id = ? and candidate_id = ?",
            (place.id, session_id, candidate_id),
        )
        moved = replace(
            seat,
            place_id=place.id,
            sitting=replace(seat.sitting, room_id=place.room_id, moved_to_room_id=None),
        )
        reasons = (Outcome.OK_EMERGENCY_ROOM,)
        attempt_id = None
        if seat.admission is not None:
            attempt_id = self._insert_attempt(moved, reasons)
            standing = rows.standing_admission(self.connection, session_id, candidate_id)
            assert standing is not None
            rows.void_admission(self.connection, standing, Voiding.SEAT_CHANGE, attempt_id, self.now_us)
            rows.insert_admission(self.connection, attempt_id, moved, seat.admission.admitted_at_us)
            rows.append_attempt_leaf(self.connection, attempt_id, self.now_us)
        told = {seat.sitting.room_id, place.room_id}
        self._record_there(session_id, place.room_id)
        alarms = tuple((AlarmKind.MOVED_ROOM, room_id) for room_id in sorted(told)) if len(told) == 2 else ()
        return Effect(attempt_id, reasons, moved, seat.place_id, frozenset(told), alarms)

    def _record_there(self, session_id: int, room_id: int) -> None:
        """Footage is owed in the emergency room from now on, also where the plan does not name it (R21)."""
        planned = self.connection.execute(
            "select 1 from session_room where session_id = ? and room_id = ?", (session_id, room_id)
        ).fetchone()
        if planned is None:
            who = Who(self.signed.signer.account_id, self.new.reason)
            order_by_hand(self.connection, room_id, HandAct.START, who, self.now_us)

    def void_ticket(self) -> Effect:
        """The number he holds counts no more."""
        candidate_id = self.new.candidate_id
        assert candidate_id is not None
        (ticket_no,) = self.connection.execute(
            "select ticket_no from candidate where id = ?", (candidate_id,)
        ).fetchone()
        voided = VoidedTicket(candidate_id, ticket_no, self.new.reason, self.signed.signer.account_id)
        write_voiding(self.connection, voided, self.now_us)
        return Effect()

    def block(self) -> Effect:
        """Bar him, or no longer; the reason is for staff alone. Whoever is in stays, and his room hears."""
        reason = self.new.reason.strip() if self.new.act is Act.BLOCK else None
        self.connection.execute(
            "update candidate set blocked_reason = ? where id = ?", (reason, self.new.candidate_id)
        )
        seat = self._seat_where_he_sits() if self.new.act is Act.BLOCK else None
        if seat is None:
            return Effect()
        room_id = seat.sitting.room_id
        alarms = ((AlarmKind.BARRED_INSIDE, room_id),)
        return Effect(seat=seat, rooms=frozenset({room_id}), alarms=alarms)

    def _seat_where_he_sits(self) -> Seat | None:
        """The sitting that he was let in to and that is not over; None: he is in none."""
        assert self.new.candidate_id is not None
        seats, _ = seats_of(self.connection, [self.new.candidate_id], self.rules, self.now_us)
        over = {Phase.CLOSED, Phase.OTHER_DAY}
        return next(
            (
                one
                for one in seats
                if one.admission is not None
                and one.left_at_us is None
                and phase(one.sitting, self.now_us) not in over
            ),
            None,
        )

    def redirect(self) -> Effect:
        """Nothing changes but that it is known."""
        return Effect(seat=self.found.seat)

    @property
    def seat(self) -> Seat:
        """Whom it concerns; the rule has seen to it that somebody is."""
        assert self.found.seat is not None
        return self.found.seat

    @property
    def room_id(self) -> int | None:
        """Where it concerns somebody."""
        return self.found.seat.sitting.room_id if self.found.seat else None

    @property
    def rooms_here(self) -> frozenset[int]:
        """The same, for the pages that show it."""
        return frozenset() if self.room_id is None else frozenset({self.room_id})

    def _insert_attempt(self, seat: Seat, reasons: tuple[Outcome, ...]) -> int:
        attempt = Attempt(
            kiosk_id=self.new.kiosk_id or console_kiosk(self.connection, self.now_us),
            nonce=self.new.nonce,
            scanned_at_us=self.new.happened_at_us,
            received_at_us=self.now_us,
            corrected_at_us=self.new.happened_at_us,
            candidate_id=seat.candidate_id,
            ticket_candidate_id=None,
            id_number_candidate_id=None,
            session_id=seat.sitting.session_id,
            reasons=reasons,
            answer=self.told(reasons, seat),
            decided_by=DecidedBy.PEOPLE,
            rules_version=rules_version(self.rules.policy),
            said=KioskSaid(self.new.lane),
            provided=self.new.provided,
        )
        return rows.insert_attempt(self.connection, attempt)

    def told(self, reasons: tuple[Outcome, ...], seat: Seat) -> str:
        """What the candidate sees and hears."""
        verdict = Verdict(reasons, seat.candidate_id, seat)
        nobody = AdmissionRequest(None, None, self.new.kiosk_id or 0)
        return compose(verdict, nobody, self.rules.texts, sight_of(self.connection, seat)).to_json()


EFFECTS: Final[Mapping[Act, Callable[[Doing], Effect]]] = MappingProxyType(
    {
        Act.UNDO: Doing.undo,
        Act.EXIT: Doing.exit,
        Act.BY_HAND: Doing.by_hand,
        Act.OVERRIDE: Doing.override,
        Act.PROVISIONAL: Doing.provisional,
        Act.WALK_IN: Doing.walk_in,
        Act.SEAT_CHANGE: Doing.change_seat,
        Act.EMERGENCY_ROOM: Doing.change_seat,
        Act.REDIRECT: Doing.redirect,
        Act.VOID_TICKET: Doing.void_ticket,
        Act.BLOCK: Doing.block,
        Act.UNBLOCK: Doing.block,
        Act.SETTLE_CONFLICT: Doing.settle_conflict,
    }
)
