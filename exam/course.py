"""A session and everything that became of it: signals, ticks, moves, delays and extensions.

Pure values, and what every rule about time looks at: the same facts lead the console, the recorder and
the door to the same T0, the same end and the same room. Rows only add to them (Arts. 13-15, R9, R13, R21).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from exam.day import Announced, Session
from exam.procedure import Procedure


@dataclass(frozen=True, slots=True)
class Move:
    """A session goes on in another room (应急考场, R21) from `moves_at_us`, decided before or after."""

    from_room_id: int
    to_room_id: int
    moves_at_us: int
    recorded_at_us: int

    @property
    def counts_from_us(self) -> int:
        """When signals and doors follow: entered late, nobody can be in the new room any earlier."""
        return max(self.moves_at_us, self.recorded_at_us)


class DelayReason(StrEnum):
    """Why somebody lost working time (14(4), R13)."""

    EQUIPMENT = "equipment"
    VENUE = "venue"
    # The candidate's own fault, illness, lateness: recorded, never given back.
    OTHER = "other"


EXTENDABLE = frozenset({DelayReason.EQUIPMENT, DelayReason.VENUE})


@dataclass(frozen=True, slots=True)
class Delay:
    """A stretch in which a station, or the whole room (`place_id` None), could not work.

    `stopped_at_us` is None while it lasts.
    """

    id: int
    room_id: int
    place_id: int | None
    reason: DelayReason
    started_at_us: int
    stopped_at_us: int | None = None
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """The lead assessor or site lead agrees that delays of a station (None: room) count up to this much."""

    room_id: int
    place_id: int | None
    up_to_us: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Names one loss of time by the signal that ended it: its room, cue code and occurrence."""

    room_id: int
    cue_code: str
    occurrence: int


@dataclass(frozen=True, slots=True)
class Grant:
    """The site lead gave a room time back, or (0) decided not to. `loss` is None for an extension of its own.

    A grant that was withdrawn no longer counts, and its loss is to be decided anew.
    """

    id: int
    room_id: int
    granted_us: int
    loss: Loss | None = None
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class StationStop:
    """The assessor ended the work of an extended station."""

    room_id: int
    place_id: int
    stopped_at_us: int


@dataclass(frozen=True, slots=True)
class SessionCourse:
    """The session as planned, and what has become of it; `confirmed` are ticks by room and cue code."""

    session: Session
    procedure: Procedure
    announced: Sequence[Announced] = ()
    confirmed: Mapping[tuple[int, str], int] = field(default_factory=dict)
    moves: Sequence[Move] = ()
    delays: Sequence[Delay] = ()
    approvals: Sequence[Approval] = ()
    grants: Sequence[Grant] = ()
    station_stops: Sequence[StationStop] = ()

    def announced_in(self, room_id: int) -> list[Announced]:
        """What became of cues in one room, in the order recorded."""
        return [one for one in self.announced if one.room_id == room_id]


def room_at(course: SessionCourse, room_id: int, moment_us: int) -> int:
    """Where the people of a room of the session are at that moment, after the moves that count by then."""
    here = room_id
    for move in sorted(course.moves, key=lambda one: (one.counts_from_us, one.recorded_at_us)):
        if move.from_room_id == here and move.counts_from_us <= moment_us:
            here = move.to_room_id
    return here


def rooms_held(course: SessionCourse) -> frozenset[int]:
    """Every room the session is in at some time, those it moves to included."""
    return frozenset(course.session.room_ids) | {move.to_room_id for move in course.moves}
