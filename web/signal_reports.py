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
from evidence.courses import load_course
from evidence.day import load_session
from exam.course import SessionCourse, room_at
from exam.cues import RoomCue, reveals_signal, room_cues
from exam.day import Announced, Session, Source
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
    """Keep the report, and the signal it reveals. False: no such session, room or cue; it is dropped.

    A room plays for the session that is in it: what it says belongs to the room the session came from.
    """
    session = load_session(connection, report.session_id)
    if session is None or session.procedure_code not in procedures:
        return False
    course = load_course(connection, session, procedures)
    if course.procedure.cue(report.cue_code) is None:
        return False
    heard_at_us = now_us if report.started_at_us is None else report.started_at_us
    origins = [
        room_id
        for room_id in session.room_ids
        if report.room_id in {room_id, room_at(course, room_id, heard_at_us)}
    ]
    for origin_id in origins:
        _take(connection, course, replace(report, room_id=origin_id), now_us)
    return bool(origins)


def _take(connection: Connection, course: SessionCourse, report: PlayedReport, now_us: int) -> None:
    room_cue = _room_cue(course, report)
    known = _known(course, report, room_cue)
    if known is not None:
        report = replace(report, occurrence=known.occurrence)
    elif room_cue is not None and report.started_at_us is not None:
        if _reveals(course.session, room_cue, report.started_at_us, now_us):
            record_room_signal(connection, room_cue, report.started_at_us, now_us)
            report = replace(report, occurrence=room_cue.next_occurrence)
        else:
            report = replace(report, occurrence=_occurrence(room_cue, report))
    add_report(connection, report, now_us)


def _room_cue(course: SessionCourse, report: PlayedReport) -> RoomCue | None:
    found = room_cues(course, report.room_id)
    return next((one for one in found if one.cue.code == report.cue_code), None)


def _known(course: SessionCourse, report: PlayedReport, room_cue: RoomCue | None) -> Announced | None:
    """The signal on record that it speaks of, be it corrected since; then it reveals nothing.

    A room that rang by itself calls it the first, also when the same report comes again after a miss.
    """
    mine = [
        one
        for one in course.announced_in(report.room_id)
        if one.cue_code == report.cue_code and not one.is_missed
    ]
    same = [one for one in mine if one.occurrence == report.occurrence]
    if room_cue is None or report.started_at_us is None or same:
        return same[0] if same else None
    rang_us = {report.started_at_us, max(report.started_at_us, room_cue.planned_at_us)}
    told = [one for one in mine if one.source is Source.ROOM_REPORT and one.emitted_at_us in rang_us]
    return told[0] if told else None


def _reveals(session: Session, room_cue: RoomCue, started_at_us: int, now_us: int) -> bool:
    is_armed = session.armed_at_us is not None and session.armed_at_us < room_cue.planned_at_us
    return is_armed and reveals_signal(room_cue, started_at_us, now_us)


def _occurrence(room_cue: RoomCue, report: PlayedReport) -> int:
    """A player that rang by itself says 1; after a recorded miss it was the next occurrence."""
    if room_cue.outcome is None or room_cue.outcome.is_missed or report.occurrence > 1:
        return report.occurrence
    return room_cue.outcome.occurrence
