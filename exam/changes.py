"""What of a session the site lead may change on the day, and the session as it would be then.

Pure. A change is a value that lays itself over the session's course, so that its effects can be told
before it is made (`exam.effects`), and says itself why it makes no sense; the same value is written down.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, site_time
from exam.course import Approval, Grant, Loss, Move, SessionCourse, room_at
from exam.day import SessionKind
from exam.lost_time import lost_time
from exam.room_times import room_times

# Ids of rows that do not exist yet.
_NEW: Final = 0
# More than this at once is a slip of the hand.
LONGEST_US: Final = 4 * 60 * MINUTE_US


class ChangeRefusal(StrEnum):
    """Why a change makes no sense, whatever its effects."""

    CANCELLED = "cancelled"
    STARTED = "started"
    NOT_RUNNING = "not_running"
    OVER = "over"
    # On another day, in the past, nothing at all, or far too much.
    OUT_OF_BOUNDS = "out_of_bounds"
    UNKNOWN_LOSS = "unknown_loss"
    UNKNOWN_GRANT = "unknown_grant"
    SAME_ROOM = "same_room"
    # Another session sits in the room then.
    OCCUPIED = "occupied"


@dataclass(frozen=True, slots=True)
class MoveStart:
    """Another planned start for all rooms of a session of which none has started."""

    to_us: int

    def laid_over(self, course: SessionCourse, _now_us: int) -> SessionCourse:
        """The session as it would be."""
        return replace(course, session=replace(course.session, planned_start_us=self.to_us))

    def refusal(self, course: SessionCourse, now_us: int) -> ChangeRefusal | None:
        """Why it makes no sense."""
        rooms = [room_times(course, room_id) for room_id in course.session.room_ids]
        if any(times.started_at_us is not None for times in rooms):
            return ChangeRefusal.STARTED
        before_us = course.session.planned_start_us
        is_today = site_time(self.to_us).date() == site_time(before_us).date()
        is_wrong = not is_today or self.to_us <= now_us or self.to_us == before_us
        return ChangeRefusal.OUT_OF_BOUNDS if is_wrong else None


@dataclass(frozen=True, slots=True)
class ChangeDuration:
    """Another working time for all rooms."""

    to_us: int

    def laid_over(self, course: SessionCourse, _now_us: int) -> SessionCourse:
        """The session as it would be."""
        return replace(course, session=replace(course.session, duration_us=self.to_us))

    def refusal(self, course: SessionCourse, _now_us: int) -> ChangeRefusal | None:
        """Why it makes no sense."""
        is_wrong = not 0 < self.to_us <= 2 * LONGEST_US or self.to_us == course.session.duration_us
        return ChangeRefusal.OUT_OF_BOUNDS if is_wrong else _over(course)


@dataclass(frozen=True, slots=True)
class Cancel:
    """The session does not take place, or no further."""

    def laid_over(self, course: SessionCourse, now_us: int) -> SessionCourse:
        """The session as it would be."""
        return replace(course, session=replace(course.session, cancelled_at_us=now_us))

    def refusal(self, course: SessionCourse, _now_us: int) -> ChangeRefusal | None:
        """Why it makes no sense."""
        return _over(course)


@dataclass(frozen=True, slots=True)
class GrantTime:
    """Time given back to a room: of its own, or as the decision about a loss (0: declined)."""

    room_id: int
    granted_us: int
    loss: Loss | None = None
    lost_us: int | None = None

    def laid_over(self, course: SessionCourse, _now_us: int) -> SessionCourse:
        """The session as it would be."""
        grant = Grant(_NEW, self.room_id, self.granted_us, self.loss)
        return replace(course, grants=[*course.grants, grant])

    def refusal(self, course: SessionCourse, _now_us: int) -> ChangeRefusal | None:
        """Why it makes no sense."""
        if self.loss is None:
            is_wrong = not 0 < self.granted_us <= LONGEST_US
            return ChangeRefusal.OUT_OF_BOUNDS if is_wrong else _not_running(course, self.room_id)
        open_losses = [one.loss for one in lost_time(course, self.room_id) if one.awaits_decision]
        if self.loss not in open_losses:
            return ChangeRefusal.UNKNOWN_LOSS
        return None if 0 <= self.granted_us <= LONGEST_US else ChangeRefusal.OUT_OF_BOUNDS


@dataclass(frozen=True, slots=True)
class WithdrawGrant:
    """A grant that was given by mistake."""

    grant_id: int

    def laid_over(self, course: SessionCourse, _now_us: int) -> SessionCourse:
        """The session as it would be."""
        kept = [one if one.id != self.grant_id else replace(one, is_withdrawn=True) for one in course.grants]
        return replace(course, grants=kept)

    def refusal(self, course: SessionCourse, _now_us: int) -> ChangeRefusal | None:
        """Why it makes no sense."""
        standing = [one for one in course.grants if one.id == self.grant_id and not one.is_withdrawn]
        return _not_running(course, standing[0].room_id) if standing else ChangeRefusal.UNKNOWN_GRANT


@dataclass(frozen=True, slots=True)
class ApproveDelays:
    """Delays of a station (None: the room) count up to this much."""

    room_id: int
    place_id: int | None
    up_to_us: int

    def laid_over(self, course: SessionCourse, _now_us: int) -> SessionCourse:
        """The session as it would be."""
        approval = Approval(self.room_id, self.place_id, self.up_to_us)
        return replace(course, approvals=[*course.approvals, approval])

    def refusal(self, course: SessionCourse, _now_us: int) -> ChangeRefusal | None:
        """Why it makes no sense."""
        is_wrong = not 0 < self.up_to_us <= LONGEST_US
        return ChangeRefusal.OUT_OF_BOUNDS if is_wrong else _not_running(course, self.room_id)


@dataclass(frozen=True, slots=True)
class MoveRoom:
    """The people of a room of the session go on in another room (应急考场, R21)."""

    room_id: int
    to_room_id: int
    moves_at_us: int

    def from_room_id(self, course: SessionCourse, now_us: int) -> int:
        """Where they are until then."""
        return room_at(course, self.room_id, max(self.moves_at_us, now_us))

    def laid_over(self, course: SessionCourse, now_us: int) -> SessionCourse:
        """The session as it would be."""
        move = Move(self.from_room_id(course, now_us), self.to_room_id, self.moves_at_us, now_us)
        return replace(course, moves=[*course.moves, move])

    def refusal(self, course: SessionCourse, now_us: int) -> ChangeRefusal | None:
        """Why it makes no sense."""
        if self.to_room_id == self.from_room_id(course, now_us):
            return ChangeRefusal.SAME_ROOM
        is_over = room_times(course, self.room_id).finished_at_us is not None
        return ChangeRefusal.OVER if is_over else None


Change = MoveStart | ChangeDuration | Cancel | GrantTime | WithdrawGrant | ApproveDelays | MoveRoom


def objection(
    course: SessionCourse, change: Change, now_us: int, occupied: frozenset[int] = frozenset()
) -> ChangeRefusal | None:
    """Why the change cannot be made; None when only its effects may stand against it.

    `occupied`: rooms that another session of the day holds.
    """
    if course.session.cancelled_at_us is not None:
        return ChangeRefusal.CANCELLED
    if isinstance(change, MoveRoom) and change.to_room_id in occupied:
        return ChangeRefusal.OCCUPIED
    return change.refusal(course, now_us)


def needs_second_person(course: SessionCourse, change: Change) -> bool:
    """Whether somebody else must agree: the procedure knows no extension of a whole theory room (R13)."""
    is_own = isinstance(change, GrantTime) and change.loss is None
    return is_own and course.session.kind is SessionKind.THEORY


def _over(course: SessionCourse) -> ChangeRefusal | None:
    rooms = [room_times(course, room_id) for room_id in course.session.room_ids]
    is_over = all(times.finished_at_us is not None for times in rooms)
    return ChangeRefusal.OVER if is_over else None


def _not_running(course: SessionCourse, room_id: int) -> ChangeRefusal | None:
    times = room_times(course, room_id)
    if times.finished_at_us is not None:
        return ChangeRefusal.OVER
    return ChangeRefusal.NOT_RUNNING if times.started_at_us is None else None
