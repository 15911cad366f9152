"""Reads a session with everything that became of it: what every rule about its time looks at.

One reader for console, recorder and door, so that T0, the end and the room are the same for all (R9).
"""

from collections.abc import Callable, Mapping, Sequence
from sqlite3 import Connection
from typing import Any, Final

from evidence.day import load_announced, shifted
from evidence.given_time import load_approvals, load_delays, load_grants, load_station_stops
from evidence.recording_orders import load_moves
from exam.course import SessionCourse
from exam.day import Session
from exam.procedure import Procedure

_CONFIRMED = (
    f"select room_id, cue_code, {shifted('confirmation', 'confirmed_at_us')} from confirmation"  # noqa: S608 - our own names
    " where session_id = ?"
)


# What most sessions have none of; asked together, because everybody asks for courses all the time.
_RARE: Final = """
select exists (select 1 from room_move where session_id = ?1) as moves,
       exists (select 1 from delay where session_id = ?1) as delays,
       exists (select 1 from delay_approval where session_id = ?1) as approvals,
       exists (select 1 from time_grant where session_id = ?1) as grants,
       exists (select 1 from station_stop where session_id = ?1) as station_stops
"""
_LOADERS: Final[Mapping[str, Callable[[Connection, int], Sequence[Any]]]] = {
    "moves": load_moves,
    "delays": load_delays,
    "approvals": load_approvals,
    "grants": load_grants,
    "station_stops": load_station_stops,
}

# Changes with every fact that moves a cue of the session. Facts are only added, so counting them is enough.
_STAMP: Final = """
select session.planned_start_us, session.duration_us, session.armed_at_us, session.cancelled_at_us,
       (select count(*) from announcement where session_id = session.id),
       (select count(*) from room_move where session_id = session.id),
       (select count(*) from delay where session_id = session.id),
       (select count(*) from delay_end) + (select count(*) from delay_withdrawal),
       (select count(*) from delay_approval where session_id = session.id),
       (select count(*) from time_grant where session_id = session.id),
       (select count(*) from time_grant_withdrawal),
       (select count(*) from station_stop where session_id = session.id),
       (select count(*) from console_clock_decision)
  from session where id = ?
"""

# Equal as long as nothing became of a session.
Stamp = tuple[int | None, ...]


class UnknownProcedureError(Exception):
    """A session names a procedure that no file describes, or only one that cannot be used."""

    def __init__(self, session: Session) -> None:
        super().__init__(f"session {session.code}: no procedure '{session.procedure_code}'")
        self.session = session


def procedure_of(session: Session, procedures: Mapping[str, Procedure]) -> Procedure:
    """The procedure of a session. Raises UnknownProcedureError."""
    procedure = procedures.get(session.procedure_code)
    if procedure is None:
        raise UnknownProcedureError(session)
    return procedure


def load_course(
    connection: Connection, session: Session, procedures: Mapping[str, Procedure]
) -> SessionCourse:
    """The session with everything that became of it. Raises UnknownProcedureError."""
    procedure = procedure_of(session, procedures)
    confirmed = connection.execute(_CONFIRMED, (session.id,))
    has = connection.execute(_RARE, (session.id,)).fetchone()
    rare = {name: load(connection, session.id) for name, load in _LOADERS.items() if has[name]}
    return SessionCourse(
        session,
        procedure,
        announced=load_announced(connection, session.id),
        confirmed={(row["room_id"], row["cue_code"]): row["confirmed_at_us"] for row in confirmed},
        **rare,
    )


def course_stamp(connection: Connection, session_id: int) -> Stamp:
    """Equal stamps mean an equal course, ticks of steps apart: what hangs on it need not be computed anew."""
    return tuple(connection.execute(_STAMP, (session_id,)).fetchone())
