"""Reading sittings back: each session in each of its rooms, with the room's own start and stop (R9)."""

from collections.abc import Collection, Iterator, Mapping
from sqlite3 import Connection

from evidence.day import load_announced, load_sessions
from exam.admission_facts import AS_PROCEDURE, Sitting
from exam.clock import site_time
from exam.cues import room_times
from exam.day import Session, SessionKind
from exam.procedure import Procedure


class UnknownProcedureError(Exception):
    """A session names a procedure that no file describes."""


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
        for sitting in _sittings(connection, procedures, session, late_entry_us)
    ]


def _sittings(
    connection: Connection,
    procedures: Mapping[str, Procedure],
    session: Session,
    late_entry_us: Mapping[SessionKind, int | None],
) -> Iterator[Sitting]:
    procedure = procedures.get(session.procedure_code)
    if procedure is None:
        raise UnknownProcedureError(f"session {session.code}: no procedure '{session.procedure_code}'")
    announced = load_announced(connection, session.id)
    for room_id in session.room_ids:
        times = room_times(procedure, announced, room_id)
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
        )
