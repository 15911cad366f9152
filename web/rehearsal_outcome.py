"""What became of the signals of a rehearsal so far: read from the rehearsal's own database."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from sqlite3 import Connection

from evidence.announcements import load_reports
from evidence.courses import load_course
from evidence.day import load_rooms, load_sessions
from exam.course import SessionCourse
from exam.cues import session_cues
from exam.procedure import Procedure
from exam.rehearsal import Became, RehearsedSignal, Sounded, became_of, is_rehearsed
from web.signal_schedule import sounds_at_us


def rehearsed_courses(connection: Connection, procedures: Mapping[str, Procedure]) -> Iterator[SessionCourse]:
    """Every session of the rehearsal with all that became of it."""
    for session in load_sessions(connection):
        if session.procedure_code in procedures and session.cancelled_at_us is None:
            yield load_course(connection, session, procedures)


def rehearsed_signals(
    connection: Connection, procedures: Mapping[str, Procedure], reached_us: int
) -> list[RehearsedSignal]:
    """Every signal of every room, earliest first. What was not given by `reached_us` was missed."""
    labels = {room.id: room.label for room in load_rooms(connection).values()}
    found: list[tuple[int, RehearsedSignal]] = []
    for course in rehearsed_courses(connection, procedures):
        reports: dict[tuple[int, str, int], list[Sounded]] = defaultdict(list)
        for report in load_reports(connection, course.session.id):
            key = (report.room_id, report.cue_code, report.occurrence)
            reports[key].append(Sounded(report.started_at_us, report.error))
        for one in session_cues(course):
            if not is_rehearsed(one):
                continue
            told, at_us = reports[one.room_id, one.cue.code, one.occurrence], sounds_at_us(one)
            became, late_us, trouble = became_of(one, at_us, told)
            if became is Became.NOT_REACHED and one.planned_at_us <= reached_us:
                became = Became.MISSED
            count = sum(each.started_at_us is not None for each in told)
            signal = RehearsedSignal(
                session=course.session.code,
                room=labels[one.room_id],
                cue=one.cue.code,
                title=one.cue.title,
                sounds_at_us=at_us,
                became=became,
                late_us=late_us,
                players=count,
                trouble=trouble,
            )
            found.append((one.room_id, signal))
    return [signal for _, signal in sorted(found, key=lambda each: (each[1].sounds_at_us, each[0]))]
