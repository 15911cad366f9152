"""What room players report: checked, kept, and believed where the rule allows it.

A room that rang by itself while this machine was away tells us so here; inside the tolerance its
moment becomes the signal's (`exam.cues.reveals_signal`). A player may send a report any number of times.
"""

from collections.abc import Mapping
from dataclasses import replace
from sqlite3 import Connection
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evidence.announcements import PlayedReport, add_report, record_room_signal
from evidence.day import load_announced, load_sessions
from exam.cues import RoomCue, reveals_signal, session_cues
from exam.day import Session
from exam.procedure import Procedure

MOST_REPORTS: Final = 100

_Moment = Annotated[int, Field(gt=0, lt=2**53)]
_Length = Annotated[int, Field(gt=-(2**53), lt=2**53)]


class ReportError(Exception):
    """The body is not a list of reports."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Report(_Table):
    session_id: int
    cue: str = Field(min_length=1, max_length=8)
    occurrence: int = Field(ge=1, le=1000)
    started_at_us: _Moment | None
    ended_at_us: _Moment | None
    offset_us: _Length
    uncertainty_us: _Length = Field(ge=0)
    error: str = Field(max_length=200)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.started_at_us is None and not self.error:
            raise ValueError("a report says when it sounded or why not")
        return self


class _Body(_Table):
    player: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    reports: list[_Report] = Field(max_length=MOST_REPORTS)


def read_reports(body: object, room_id: int) -> list[PlayedReport]:
    """The reports of one request. Raises ReportError."""
    try:
        read = _Body.model_validate(body)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise ReportError("; ".join(faults)) from error
    return [
        PlayedReport(
            session_id=one.session_id,
            room_id=room_id,
            cue_code=one.cue,
            occurrence=one.occurrence,
            player=read.player,
            started_at_us=one.started_at_us,
            ended_at_us=one.ended_at_us,
            offset_us=one.offset_us,
            uncertainty_us=one.uncertainty_us,
            error=one.error,
        )
        for one in read.reports
    ]


def take_report(
    connection: Connection, report: PlayedReport, procedures: Mapping[str, Procedure], now_us: int
) -> bool:
    """Keep the report, and the signal it reveals. False: no such session, room or cue; it is dropped."""
    session = next((one for one in load_sessions(connection) if one.id == report.session_id), None)
    if session is None or report.room_id not in session.room_ids:
        return False
    procedure = procedures[session.procedure_code]
    if procedure.cue(report.cue_code) is None:
        return False
    if report.started_at_us is not None:
        room_cue = _room_cue(connection, session, procedure, report)
        if room_cue is not None and _reveals(session, room_cue, report.started_at_us, now_us):
            record_room_signal(connection, room_cue, report.started_at_us, now_us)
            room_cue = _room_cue(connection, session, procedure, report)
        report = replace(report, occurrence=_occurrence(room_cue, report))
    add_report(connection, report, now_us)
    return True


def _room_cue(
    connection: Connection, session: Session, procedure: Procedure, report: PlayedReport
) -> RoomCue | None:
    cues = session_cues(procedure, session, load_announced(connection, session.id))
    return next(
        (one for one in cues if (one.room_id, one.cue.code) == (report.room_id, report.cue_code)), None
    )


def _reveals(session: Session, room_cue: RoomCue, started_at_us: int, now_us: int) -> bool:
    is_armed = session.armed_at_us is not None and session.armed_at_us < room_cue.planned_at_us
    return is_armed and reveals_signal(room_cue, started_at_us, now_us)


def _occurrence(room_cue: RoomCue | None, report: PlayedReport) -> int:
    """A player that rang by itself says 1; after a recorded miss it was the next occurrence."""
    if room_cue is None or room_cue.outcome is None or room_cue.outcome.is_missed or report.occurrence > 1:
        return report.occurrence
    return room_cue.outcome.occurrence
