"""The plan of a session as it hangs on the wall: when what is to sound in which rooms.

Pure, from the same cues as the engine's (`exam.cues`). It tells the plan, not what became of it: on paper it
is what people ring by hand from when nothing else works (Arts. 13-15).
"""

from dataclasses import dataclass

from exam.course import SessionCourse, room_at
from exam.cues import RoomCue, session_cues
from exam.procedure import Cue


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One cue at one moment, and the rooms in which people hear or see it then.

    `is_projected`: the moment hangs on a signal that has not been given, or the rooms stand still.
    """

    cue: Cue
    planned_at_us: int
    is_projected: bool
    room_ids: tuple[int, ...]


def plan_lines(course: SessionCourse) -> list[PlanLine]:
    """Every scheduled cue, earliest first; rooms with the same moment stand on one line.

    Nothing of a session that was cancelled.
    """
    if course.session.cancelled_at_us is not None:
        return []
    rooms: dict[tuple[str, int, bool], list[RoomCue]] = {}
    for one in session_cues(course):
        if not one.is_void:
            key = (one.cue.code, one.planned_at_us, one.is_projected or one.is_held)
            rooms.setdefault(key, []).append(one)
    return [
        PlanLine(found[0].cue, planned_at_us, is_projected, _places(course, found))
        for (_, planned_at_us, is_projected), found in rooms.items()
    ]


def _places(course: SessionCourse, cues: list[RoomCue]) -> tuple[int, ...]:
    """Where the people of these rooms are then; rooms that moved into one stand there once."""
    return tuple(dict.fromkeys(room_at(course, one.room_id, one.planned_at_us) for one in cues))
