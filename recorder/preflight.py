"""Carries out camera preflights (摄像机检查) that the console ordered, many cameras at once.

An order that a stop or a crash interrupts is taken up again at the next start; cameras that already
have their result are not asked twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Final

import structlog

from config.camera_preflight import CameraPreflight, load_camera_preflight
from config.settings import Settings
from evidence.camera_clocks import ClockOrigin, latest_camera_clock
from evidence.cameras import CameraSource, load_camera_sources
from evidence.footage import CameraState, Recording, camera_states, segments_between
from evidence.fragments import FragmentError, parse
from evidence.health import ReferenceSource, save_reference_view
from evidence.ingest import Store
from evidence.naming import GROWING_FOLDER, NamingError, read_name
from evidence.picture_time import Ending
from evidence.preflight import NewPreflight, Source, add_preflight, preflights
from evidence.vault import Vault
from evidence.volume_rows import volume_states
from evidence.work_orders import Order, OrderKind, Report, WorkState, unfinished, write_report
from exam.clock import MINUTE_US, SECOND_US
from exam.preflight import Measured, Reach, judge
from recorder.camera_clocks import record_reading
from recorder.camera_onvif import ask_for_time
from recorder.chore_tools import ChoreTools, ExamReader
from recorder.preflight_look import Looked, Sampling, look_by_connection, look_into, reference_picture

# A state older than this says nothing: the recorder rewrites it every two seconds.
FRESH_US: Final = 10 * SECOND_US
# Files ingested up to this long ago still show what the camera sends.
RECENT_US: Final = 3 * MINUTE_US
# What a camera said of its clock earlier than this says nothing; whoever answers is asked every ten minutes.
CLOCK_HOLDS_US: Final = 30 * MINUTE_US
# So often a recording that has just begun is asked for its first fragments.
BEGINNINGS: Final = 10

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class PreflightChore:
    """Looks for orders and carries them out, the oldest first."""

    settings: Settings
    store: Store
    exam: ExamReader
    limits: CameraPreflight
    # Between two looks at a recording that has just begun.
    waits_s: float = 1.0

    def __call__(self, is_over: Event) -> None:
        """One turn: every order that has no final report."""
        exam = self.exam.database()
        if exam is None or not self.settings.site_key.exists():
            return
        with exam.read() as connection, self.store.database.read() as footage:
            orders = unfinished(connection, footage, OrderKind.CAMERA_PREFLIGHT)
            sources = load_camera_sources(connection, Vault.open(self.settings.site_key)) if orders else []
        for order in orders:
            self._carry_out(order, sources, is_over)

    def _carry_out(self, order: Order, sources: Iterable[CameraSource], is_over: Event) -> None:
        wanted = frozenset(order.subject.get("cameras") or ())
        chosen = [source for source in sources if not wanted or source.uuid in wanted]
        with self.store.database.read() as footage:
            done = {found.camera_uuid for found in preflights(footage, order.id)}
        total = len(chosen)
        self._report(Report(order.id, WorkState.RUNNING, len(done), total))
        left = [source for source in chosen if source.uuid not in done]
        for count, (source, kind, looked) in enumerate(self._looks(left, is_over), len(done) + 1):
            if is_over.is_set():
                return  # what was cut short says nothing about a camera
            self._keep(order, source, kind, looked)
            self._report(Report(order.id, WorkState.RUNNING, count, total))
        if not is_over.is_set():
            self._report(self._final(order, total))

    def _looks(
        self, sources: list[CameraSource], is_over: Event
    ) -> Iterator[tuple[CameraSource, Source, Looked]]:
        with ThreadPoolExecutor(self.limits.check.at_once, "preflight") as workers:
            asked = {workers.submit(self._look, source, is_over): source for source in sources}
            for answered in as_completed(asked):
                yield asked[answered], *answered.result()

    def _look(self, source: CameraSource, is_over: Event) -> tuple[Source, Looked]:
        sampling = Sampling(self.limits.check.sample_seconds, self.limits.check.picture_width_px)
        try:
            looked = self._look_into_recording(source.uuid, sampling, is_over)
            if looked is not None:
                return Source.RECORDING, self._with_clock(source, looked)
            looked = look_by_connection(source, sampling, is_over)
            return Source.CONNECTION, self._with_clock(source, looked)
        except Exception:  # noqa: BLE001 - the boundary of a thread: one camera must not keep the others unchecked
            _log.exception("preflight_failed", camera=source.uuid)
            return Source.CONNECTION, Looked(Reach.NOT_CHECKED)

    def _with_clock(self, source: CameraSource, looked: Looked) -> Looked:
        """With what the camera itself says of its clock, asked anew: somebody may just have set it."""
        if looked.measured is None:
            return looked
        port, clock = self.settings.recorder.onvif_port, self.store.clock
        reading = ask_for_time(source, port, clock) if port else None
        if reading is not None:
            record_reading(self.store.database, source, reading)
        return replace(looked, measured=self._by_onvif(source.uuid, looked.measured))

    def _by_onvif(self, camera_uuid: str, measured: Measured) -> Measured:
        with self.store.database.read() as footage:
            found = latest_camera_clock(footage, camera_uuid)
        age_us = 0 if found is None else max(0, self.store.clock.wall_us() - found.at_us)
        if found is None or found.source is not ClockOrigin.ONVIF or age_us > CLOCK_HOLDS_US:
            return measured
        source = found.source.value
        return replace(measured, clock_offset_us=found.offset_us, clock_source=source, clock_age_us=age_us)

    def _look_into_recording(self, camera_uuid: str, sampling: Sampling, is_over: Event) -> Looked | None:
        """What the recording itself shows; None when this camera is not being recorded."""
        for _ in range(BEGINNINGS):
            if is_over.is_set() or not self._is_recorded(camera_uuid):
                return None
            for file in self._recorded_files(camera_uuid):
                looked = look_into(file, sampling, Ending.NEXT_KEYFRAME, None)
                if looked is not None:
                    return looked
            is_over.wait(self.waits_s)
        return None

    def _is_recorded(self, camera_uuid: str) -> bool:
        with self.store.database.read() as footage:
            state = camera_states(footage).get(camera_uuid)
        return is_recording_now(state, self.store.clock.wall_us())

    def _recorded_files(self, camera_uuid: str) -> Iterator[Path]:
        """The growing file once it is long enough to judge, and the last complete one."""
        now_us = self.store.clock.wall_us()
        yield from (file for file in self._growing(camera_uuid) if _is_long_enough(file))
        with self.store.database.read() as footage:
            recent = segments_between(footage, camera_uuid, now_us - RECENT_US, now_us)
        yield from (segment.file for segment in reversed(recent))

    def _growing(self, camera_uuid: str) -> Iterator[Path]:
        with self.store.database.read() as footage:
            known = {Path(state.path) for state in volume_states(footage)}  # the reserve, too
        for volume in known.union(self.settings.footage_volumes):
            for file in (volume / GROWING_FOLDER).glob(f"{camera_uuid}_*.mp4"):
                if _is_of(file, camera_uuid):
                    yield file

    def _keep(self, order: Order, source: CameraSource, kind: Source, looked: Looked) -> None:
        findings = judge(
            looked.reach,
            looked.measured,
            self.limits.limits.limits(),
            has_picture=looked.picture is not None,
        )
        new = NewPreflight(order.id, source.uuid, kind, findings, looked.measured, looked.picture)
        with self.store.database.write() as footage:
            add_preflight(footage, new, self.store.clock.wall_us())
            if looked.picture is not None:
                # Somebody who asks for a check looks at its pictures: later ones are compared with them.
                view, now_us = reference_picture(looked.picture), self.store.clock.wall_us()
                save_reference_view(footage, source.uuid, ReferenceSource.PREFLIGHT, view, now_us)

    def _final(self, order: Order, total: int) -> Report:
        with self.store.database.read() as footage:
            grades = Counter(found.grade.value for found in preflights(footage, order.id))
        return Report(order.id, WorkState.DONE, total, total, outcome=_outcome(grades))

    def _report(self, made: Report) -> None:
        with self.store.database.write() as footage:
            write_report(footage, made, self.store.clock.wall_us())


def preflight_chore(tools: ChoreTools) -> PreflightChore:
    """The chore of a running recorder."""
    exam = ExamReader(tools.settings.exam_db)
    return PreflightChore(tools.settings, tools.store, exam, load_camera_preflight())


def is_recording_now(state: CameraState | None, now_us: int) -> bool:
    """Whether the recorder holds a session with this camera."""
    if state is None or now_us - state.updated_at_us > FRESH_US:
        return False
    return state.state is Recording.RECORDING


def _outcome(grades: Mapping[str, int]) -> dict[str, int]:
    return {grade: grades.get(grade, 0) for grade in ("good", "warn", "fail")}


def _is_of(file: Path, camera_uuid: str) -> bool:
    try:
        return read_name(file.name).camera_uuid == camera_uuid
    except NamingError:
        return False


def _is_long_enough(file: Path) -> bool:
    """Whether two keyframes can be told apart in it."""
    try:
        return len(parse(file).fragments) > 1
    except (FragmentError, FileNotFoundError):
        return False
