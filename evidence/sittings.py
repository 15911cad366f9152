"""Reading sittings back: each session in each of its rooms, with the room's own start and stop (R9)."""

from collections.abc import Collection, Iterator, Mapping
from sqlite3 import Connection

from evidence.courses import load_course
from evidence.day import load_sessions
from exam.admission_facts import AS_PROCEDURE, Sitting
from exam.clock import site_time
from exam.course import SessionCourse, room_at
from exam.day import SessionKind
from exam.procedure import Procedure
from exam.room_times import room_times


def load_sittings(
    connection: Connection,
    procedures: Mapping[str, Procedure],
    also: Collection[int],
    now_us: int,
    late_entry_us: Mapping[SessionKind, int | None] = AS_PROCEDURE,
) -> list[Sitting]:
    """The sittings of all sessions planned for today at the site, and of the sessions in `also`.

    `late_entry_us`: the kinds for which the site departs from its procedures about latecomers.
    Raises UnknownProcedureError when a session's procedure is not among `procedures`.
    """
    today = site_time(now_us).date()
    return [
        sitting
        for session in load_sessions(connection)
        if session.id in also or site_time(session.planned_start_us).date() == today
        for sitting in _sittings(load_course(connection, session, procedures), late_entry_us, now_us)
    ]


def _sittings(
    course: SessionCourse, late_entry_us: Mapping[SessionKind, int | None], now_us: int
) -> Iterator[Sitting]:
    session, procedure = course.session, course.procedure
    for room_id in session.room_ids:
        times = room_times(course, room_id)
        door_id = room_at(course, room_id, now_us)
        yield Sitting(
            session_id=session.id,
            room_id=room_id,
            planned_start_us=session.planned_start_us,
            duration_us=session.duration_us,
            check_in_opens_us=procedure.check_in_opens_us,
            late_cutoff_us=late_entry_us.get(session.kind, procedure.late_cutoff_us),
            started_at_us=times.started_at_us,
            stopped_at_us=times.stopped_at_us,
            is_cancelled=session.cancelled_at_us is not None,
            kind=session.kind,
            moved_to_room_id=None if door_id == room_id else door_id,
        )
