"""Changes of a session's plan: proposed with all their effects, and made under the writer's lock or refused.

What a change is and whether it makes sense stands in `exam.changes`, what it does to every signal in
`exam.effects`. The page shows what is told here, and what is told here is asked again before it is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Connection

from evidence.courses import load_course
from evidence.day import load_rooms, load_session, load_sessions
from evidence.given_time import NewGrant, approve_delays, grant_time, withdraw_grant
from evidence.plan_changes import PlanChange, PlanKind, change_plan
from evidence.players import load_players
from evidence.recording_orders import NewMove, Who, move_session
from exam.changes import (
    ApproveDelays,
    Cancel,
    Change,
    ChangeDuration,
    ChangeRefusal,
    GrantTime,
    MoveRoom,
    MoveStart,
    WithdrawGrant,
    needs_second_person,
    objection,
)
from exam.clock import site_time
from exam.course import Approval, SessionCourse, room_at, rooms_held
from exam.effects import ChangeFacts, Effects, effects
from exam.players import AWAY_US, can_ring, may_ring_alone
from exam.presses import is_going_on
from exam.procedure import Procedure


class ChangeRefusedError(Exception):
    """The change would do harm, or makes no sense; the proposal says why."""

    def __init__(self, proposal: "Proposal") -> None:
        self.proposal = proposal
        super().__init__(proposal.objection or "a signal would be early, stale or in a room that is not told")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change with everything it would do. `silent`: the room it moves to has no player that could ring."""

    course: SessionCourse
    change: Change
    effects: Effects
    objection: ChangeRefusal | None
    untold: frozenset[int]
    is_silent_there: bool = False

    @property
    def is_accepted(self) -> bool:
        return self.objection is None and self.effects.is_accepted

    @property
    def needs_second_person(self) -> bool:
        return needs_second_person(self.course, self.change)


@dataclass(frozen=True, slots=True)
class ChangeDesk:
    """Proposes and makes changes in one transaction, at one moment."""

    connection: Connection
    procedures: Mapping[str, Procedure]
    now_us: int

    def propose(
        self, course: SessionCourse, change: Change, told_by_hand: frozenset[int] = frozenset()
    ) -> Proposal:
        """What the change would do now. `told_by_hand`: rooms that a person was sent to with the new plan."""
        untold = self.untold(course)
        later = change.laid_over(course, self.now_us)
        is_move = isinstance(change, MoveRoom)
        return Proposal(
            course,
            change,
            effects(course, later, ChangeFacts(self.now_us, untold - told_by_hand)),
            objection(course, change, self.now_us, self._occupied(course) if is_move else frozenset()),
            untold,
            isinstance(change, MoveRoom) and change.to_room_id not in self._ringing(),
        )

    def make(self, proposal: Proposal, who: Who, told_by_hand: frozenset[int] = frozenset()) -> None:
        """Write the change down. Raises ChangeRefusedError when it is not accepted.

        Call it in the transaction that made the proposal, so that nothing can have happened in between.
        """
        if not proposal.is_accepted:
            raise ChangeRefusedError(proposal)
        rooms = load_rooms(self.connection)
        told = " ".join(rooms[room_id].code for room_id in sorted(told_by_hand & proposal.untold))
        self._write(proposal, who, told)

    def untold(self, course: SessionCourse) -> frozenset[int]:
        """Rooms with a player that was there lately, is away now, and may ring by the old plan."""
        away = {
            state.room_id
            for state in load_players(self.connection, self.now_us)
            if self.now_us - state.seen_at_us > AWAY_US and may_ring_alone(state, self.now_us)
        }
        return frozenset(
            room_id for room_id in course.session.room_ids if room_at(course, room_id, self.now_us) in away
        )

    def _ringing(self) -> frozenset[int]:
        states = load_players(self.connection, self.now_us)
        return frozenset(state.room_id for state in states if can_ring(state, self.now_us))

    def _occupied(self, course: SessionCourse) -> frozenset[int]:
        """Rooms that another session of the day holds, or will."""
        today = site_time(self.now_us).date()
        others = [
            load_course(self.connection, session, self.procedures)
            for session in load_sessions(self.connection)
            if session.id != course.session.id
            and session.procedure_code in self.procedures
            and session.cancelled_at_us is None
            and site_time(session.planned_start_us).date() == today
        ]
        return frozenset(
            room_id
            for other in others
            if self.now_us < other.session.planned_start_us or is_going_on(other, self.now_us)
            for room_id in rooms_held(other)
        )

    def _write(self, proposal: Proposal, who: Who, told: str) -> None:
        course, change, connection, now_us = proposal.course, proposal.change, self.connection, self.now_us
        session_id = course.session.id
        match change:
            case MoveStart() | ChangeDuration() | Cancel():
                plan = PlanChange(session_id, *_plan(change), who.reason, told)
                change_plan(connection, course.session, plan, who.account_id, now_us)
            case GrantTime(room_id, granted_us, loss, lost_us):
                new = NewGrant(
                    session_id, room_id, granted_us, who.reason, loss, lost_us, who.agreed_by, told
                )
                grant_time(connection, new, who.account_id, now_us)
            case WithdrawGrant(grant_id):
                withdraw_grant(connection, grant_id, who.reason, who.account_id, now_us)
            case ApproveDelays(room_id, place_id, up_to_us):
                approval = Approval(room_id, place_id, up_to_us)
                approve_delays(connection, session_id, approval, who.account_id, now_us)
            case MoveRoom(_, to_room_id, moves_at_us):
                move = NewMove(session_id, change.from_room_id(course, now_us), to_room_id, moves_at_us)
                move_session(connection, move, who, now_us)


def find_course(
    connection: Connection, session_id: int, procedures: Mapping[str, Procedure]
) -> SessionCourse | None:
    """The session with everything that became of it; None when nobody knows it or its procedure."""
    session = load_session(connection, session_id)
    if session is None or session.procedure_code not in procedures:
        return None
    return load_course(connection, session, procedures)


def _plan(change: MoveStart | ChangeDuration | Cancel) -> tuple[PlanKind, int | None]:
    match change:
        case MoveStart(to_us):
            return PlanKind.START, to_us
        case ChangeDuration(to_us):
            return PlanKind.DURATION, to_us
        case Cancel():
            return PlanKind.CANCELLED, None
