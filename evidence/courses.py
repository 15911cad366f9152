"""Reads a session with everything that became of it: what every rule about its time looks at.

One reader for console, recorder and door, so that T0, the end and the room are the same for all (R9).
"""

from collections.abc import Mapping
from sqlite3 import Connection

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
    return SessionCourse(
        session,
        procedure,
        announced=load_announced(connection, session.id),
        confirmed={(row["room_id"], row["cue_code"]): row["confirmed_at_us"] for row in confirmed},
        moves=load_moves(connection, session.id),
        delays=load_delays(connection, session.id),
        approvals=load_approvals(connection, session.id),
        grants=load_grants(connection, session.id),
        station_stops=load_station_stops(connection, session.id),
    )
