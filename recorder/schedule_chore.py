"""The chore that settles what was owed, and keeps the certificate of every session that is over.

Invariant 4 for time when no recorder ran or no plan was known; see `evidence.schedule_accounts`.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

import structlog

from config.procedures import load_procedures
from evidence.coverage_certificate import certify, load_schedule
from evidence.day import load_sessions
from evidence.footage import LONGEST_SEGMENT_US
from evidence.ingest import Store
from evidence.kept_certificates import keep_certificate, kept_certificates
from evidence.presence import load_presences
from evidence.recording_plan import DAY_US, RecordingPlan, load_plan
from evidence.schedule_accounts import end_outlived_absence, missing, owed_until, write_missing
from evidence.timeline import Interval
from exam.clock import SECOND_US
from exam.procedure import Procedure
from recorder.chore_tools import ChoreTools, ExamReader

EVERY_S: Final = 15
# How far back a start, or a changed plan, looks for time that nobody accounted for.
LOOK_BACK_US: Final = 60 * DAY_US
# Besides the length of a file: footage this young may still be on its way into the index.
SLACK_US: Final = 30 * SECOND_US

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class ScheduleAccounts:
    """Works through all cameras; looks far back only when it starts and when the plan has changed."""

    store: Store
    exam: ExamReader
    delay_us: int
    began_us: int
    procedures: Mapping[str, Procedure] = field(default_factory=load_procedures)
    _plan: RecordingPlan | None = None
    _settled_us: int = 0

    def work(self, stop_asked: threading.Event) -> None:
        """Settle every camera up to what must have reached the index by now, then keep certificates."""
        database = self.exam.database()
        if database is None:
            return
        now_us = self.store.clock.wall_us()
        with database.read() as exam:
            plan = load_plan(exam, self.procedures, now_us, LOOK_BACK_US)
        horizon_us = max(self.began_us, now_us - self.delay_us)
        from_us = self._settled_us - LONGEST_SEGMENT_US if plan == self._plan else now_us - LOOK_BACK_US
        for camera in plan.cameras:
            if stop_asked.is_set():
                return
            owed = owed_until(plan.owed_by(camera), camera, now_us)
            self._settle(camera.uuid, owed, Interval(from_us, horizon_us), now_us)
        self._plan, self._settled_us = plan, horizon_us
        with database.read() as exam:
            self._keep_certificates(exam, now_us)

    def _settle(self, camera_uuid: str, owed: list[Interval], window: Interval, now_us: int) -> None:
        with self.store.database.write() as footage:
            end_outlived_absence(footage, camera_uuid, owed, now_us)
            found = missing(footage, camera_uuid, list(_within(owed, window)))
            write_missing(footage, camera_uuid, found, now_us)
        if found:
            _log.warning("gaps_found_later", camera=camera_uuid, gaps=len(found))

    def _keep_certificates(self, exam: Connection, now_us: int) -> None:
        with self.store.database.read() as footage:
            kept = kept_certificates(footage)
        for session in load_sessions(exam):
            is_near = now_us - LOOK_BACK_US <= session.planned_start_us <= now_us
            if session.id in kept or not is_near or session.procedure_code not in self.procedures:
                continue
            head = load_schedule(exam, session.id, self.procedures, now_us)
            ends = [] if head is None else [room.schedule.kept_until_us for room in head.rooms]
            if head is None or not ends or max(ends) + self.delay_us + EVERY_S * SECOND_US > now_us:
                continue
            # Not while writing: it asks the disks for every file, and nobody may wait for a disk that hangs.
            with self.store.database.read() as footage:
                certificate = certify(footage, head, now_us)
            if certificate.is_provisional:
                continue
            with self.store.database.write() as footage:
                keep_certificate(footage, certificate, now_us)
            _log.info("certificate_kept", session=session.code, finding=certificate.sums.finding)


def schedule_chore(tools: ChoreTools) -> ScheduleAccounts:
    """The accounts of a recorder that starts now."""
    delay_us = 2 * tools.settings.recorder.segment_seconds * SECOND_US + SLACK_US
    exam = ExamReader(tools.settings.exam_db)
    with tools.store.database.read() as connection:
        presences = load_presences(connection)
    began_us = presences[-1].started_at_us if presences else tools.store.clock.wall_us()
    procedures = load_procedures(tools.settings.procedures_folder)
    return ScheduleAccounts(tools.store, exam, delay_us, began_us, procedures)


def _within(owed: list[Interval], window: Interval) -> Iterator[Interval]:
    for one in owed:
        cut = Interval(max(one.from_us, window.from_us), min(one.until_us, window.until_us))
        if cut.from_us < cut.until_us:
            yield cut
