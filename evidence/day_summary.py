"""What the databases say a day came to: the figures of a rehearsal's summary, read and never inferred."""

from collections import Counter
from dataclasses import dataclass
from sqlite3 import Connection

from evidence.doubt_cases import load_cases
from exam.clock import SECOND_US


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One cue in one room. `heard_at_us` is the earliest sound any player reported, None without a report."""

    session_code: str
    procedure_code: str
    room_code: str
    cue_code: str
    planned_at_us: int
    emitted_at_us: int | None
    heard_at_us: int | None


@dataclass(frozen=True, slots=True)
class CameraFootage:
    """What was recorded of one camera: seconds of footage, and every gap as cause and seconds."""

    room_id: int
    room_code: str
    camera_uuid: str
    label: str
    address: str
    recorded_s: float
    segments: int
    gaps: tuple[tuple[str, float], ...]


def outcomes(exam: Connection) -> Counter[str]:
    """How often each outcome was given at check-in."""
    rows = exam.execute("select outcome, count(*) from checkin_attempt group by outcome")
    return Counter(dict(tuple(row) for row in rows))


def signals(exam: Connection) -> list[SignalRow]:
    """Every announcement of the day, first occurrences only, in planned order."""
    rows = exam.execute(
        "select session.code, session.procedure_code, room.code, cue_code, planned_at_us, emitted_at_us,"
        " (select min(started_at_us) from announcement_report as report where report.error = ''"
        "  and report.session_id = announcement.session_id and report.room_id = announcement.room_id"
        "  and report.cue_code = announcement.cue_code and report.occurrence = announcement.occurrence)"
        " from announcement join session on session.id = session_id join room on room.id = room_id"
        " where occurrence = 1 order by planned_at_us, room.code, cue_code"
    )
    return [SignalRow(*row) for row in rows]


def confirmed(exam: Connection) -> set[tuple[str, str, str]]:
    """Session, room and cue code of every step somebody confirmed."""
    rows = exam.execute(
        "select session.code, room.code, cue_code from confirmation"
        " join session on session.id = session_id join room on room.id = room_id"
    )
    return {(row[0], row[1], row[2]) for row in rows}


def open_doubts(exam: Connection) -> int:
    """How many doubts about somebody are left without a decision."""
    return sum(case.facts.is_open for case in load_cases(exam))


def log_kinds(exam: Connection) -> Counter[str]:
    """How many proctor-log entries of each kind."""
    return Counter(
        dict(tuple(row) for row in exam.execute("select kind, count(*) from log_entry group by kind"))
    )


def footage(exam: Connection, index: Connection) -> list[CameraFootage]:
    """What was recorded of every camera in service."""
    cameras = exam.execute(
        "select room_id, room.code, camera.uuid, camera.label, address from camera"
        " join room on room.id = room_id where retired_at_us is null order by room.code, camera.id"
    )
    return [_footage(index, tuple(row)) for row in cameras]


def _footage(index: Connection, camera: tuple[int, str, str, str, str]) -> CameraFootage:
    camera_uuid = camera[2]
    wall_us, segments = index.execute(
        "select coalesce(sum(ended_at_us - started_at_us), 0), count(*) from segment where camera_uuid = ?",
        (camera_uuid,),
    ).fetchone()
    gaps = index.execute(
        "select cause, ended_at_us - started_at_us from gap where camera_uuid = ? and ended_at_us is not null"
        " order by started_at_us",
        (camera_uuid,),
    )
    lengths = tuple((cause, length_us / SECOND_US) for cause, length_us in gaps)
    return CameraFootage(*camera, wall_us / SECOND_US, segments, lengths)
