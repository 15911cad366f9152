"""Carries everything slow to the memory, in order, in one thread beside the loop that watches cameras.

A disk that stalls for ten seconds delays rows, not the watching. What fails stays where it is and is
tried again; whatever is still undone when the service ends is adopted at its next start.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog

from evidence.footage import SEAM_US, Cause, Origin, last_sound
from evidence.footage_rows import (
    NewRun,
    add_run,
    end_absence,
    end_run,
    has_open_gap,
    last_footage_us,
    note_absence,
)
from evidence.ingest import ClosedFile, SealedFile, Store, enter, refusal_cause, seal
from evidence.late_facts import LateFact, LateKind, keep_fact, mark_recorded, record_clock_step
from evidence.naming import GROWING_FOLDER, SegmentName, read_name
from evidence.picture_time import ClockBreak, Closing, Ending
from evidence.sound import NO_SOUND, Sound
from evidence.stream_format import look_for_other_format
from evidence.volumes import Volume
from exam.clock import MINUTE_US
from recorder.owed_times import OwedTimes

# A file's own time of last change is trusted over the moment we noticed, unless they are this far apart.
LONGEST_NOTICE_US: Final = MINUTE_US
Work = Callable[[], None]
# In place of a camera's uuid for what concerns none.
NO_CAMERA: Final = ""

_log: Final = structlog.get_logger("recorder")


@dataclass(frozen=True, slots=True)
class RunOnDisk:
    """One run and where its files lie."""

    run: NewRun
    volume: Volume

    def growing(self, sequence: int) -> Path:
        """The file with that place in the run while it grows."""
        name = SegmentName(self.run.camera_uuid, self.run.uuid, sequence).file_name()
        return self.volume.growing / name


@dataclass(frozen=True, slots=True)
class FileClosed:
    """The child finished one file. `arrived_by_us` bounds the last picture's arrival after a stall.

    `began_by_us`: when the first picture had arrived, by the child's reports.
    """

    sequence: int
    noticed_at_us: int
    ending: Ending = Ending.NEXT_KEYFRAME
    arrived_by_us: int | None = None
    clock_break: ClockBreak | None = None
    began_by_us: int | None = None


@dataclass(frozen=True, slots=True)
class RunOver:
    """A run ended; files from `next_sequence` on were never reported closed. `began_by_us`: of the first."""

    next_sequence: int
    ended_at_us: int
    cause: Cause
    clock_break: ClockBreak | None = None
    began_by_us: int | None = None


@dataclass(slots=True)
class _FileWork:
    """A closed file on its way to its row. `sealed` once only the rename and the row are missing."""

    where: RunOnDisk
    closed: FileClosed
    sealed: SealedFile | None = None
    # Why the last try failed, if one did.
    refusal: Cause = Cause.DISK_FAULT

    @property
    def growing(self) -> Path:
        return self.where.growing(self.closed.sequence)

    def is_there(self) -> bool:
        """Whether trying again makes sense; a disk that does not answer counts as yes."""
        try:
            return self.growing.exists() or (self.sealed is not None and self.sealed.path.exists())
        except OSError:
            return True


@dataclass(slots=True)
class Keeper:
    """The queue to the memory. Every method returns at once; the work is done in the order of the calls.

    What the database refuses waits for the next try, and everything asked later of its camera behind it.
    """

    store: Store
    owed: OwedTimes = field(default_factory=OwedTimes)
    _run_ids: dict[str, int] = field(default_factory=dict)
    # Files that a disk did not let us ingest. Nothing waits for them.
    _undone: list[_FileWork] = field(default_factory=list)
    # Why files were refused, by run and place in it: until they come they are missing for this cause.
    _refused: dict[tuple[str, int], Cause] = field(default_factory=dict)
    # By camera: work that the database refused, then what was asked after it.
    _waiting: dict[str, deque[Work]] = field(default_factory=dict)
    # Where what the database refuses is kept in case we have to stop; None: nowhere.
    late_file: Path | None = None
    _kept: set[str] = field(default_factory=set)
    _looked_until: dict[Path, int] = field(default_factory=dict)
    _changed_runs: set[str] = field(default_factory=set)
    _look: "Future[None] | None" = None
    _worker: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="keeper")
    )

    def trouble_of(self, camera_uuid: str) -> Cause | None:
        """What keeps something of the camera from being kept yet: nothing but full disks, or a fault."""
        causes = {file.refusal for file in self._undone if file.where.run.camera_uuid == camera_uuid}
        if self._waiting:
            causes.add(Cause.DISK_FAULT)
        return Cause.DISK_FAULT if Cause.DISK_FAULT in causes else next(iter(causes), None)

    def last_sound(self, camera_uuid: str) -> Sound:
        """What became of the sound in the camera's latest file, as far as the index can be asked."""
        try:
            with self.store.database.read() as connection:
                return last_sound(connection, camera_uuid)
        except sqlite3.Error:
            return NO_SOUND

    def begin_run(self, run: NewRun) -> None:
        """Record a run that has brought its first pictures."""
        self._ask(run.camera_uuid, partial(self._begin_run, run))

    def file_closed(self, where: RunOnDisk, closed: FileClosed) -> None:
        """Ingest a finished file."""
        self._ask(where.run.camera_uuid, partial(self._ingest, _FileWork(where, closed)))

    def run_over(self, where: RunOnDisk, over: RunOver) -> None:
        """Ingest what the run left unfinished, record its end and the gap that begins."""
        self._submit(lambda: self._run_over(where, over))

    def absent(self, camera_uuid: str, now_us: int, cause: Cause) -> None:
        """Record that a camera does not record."""

        fact = LateFact(str(uuid4()), LateKind.ABSENT, now_us, camera_uuid, cause=cause)

        def record() -> None:
            with self._recording(fact) as connection:
                self._note_absence(connection, camera_uuid, now_us, cause)

        self._ask(camera_uuid, record, fact)

    def clock_stepped(self, noticed_at_us: int, step_us: int) -> None:
        """Record that the wall clock was set."""

        fact = LateFact(str(uuid4()), LateKind.CLOCK_STEP, noticed_at_us, step_us=step_us)

        def record() -> None:
            with self._recording(fact) as connection:
                record_clock_step(connection, noticed_at_us, step_us)

        self._ask(NO_CAMERA, record, fact)

    def sync(self, growing: list[Path]) -> None:
        """Make durable what growing files hold, and try again what failed."""

        def work() -> None:
            for path in growing:
                self.store.disk.sync_growing(path)

        self._submit(self._try_again)
        self._submit(work)

    def look_into(self, growing: list[Path]) -> None:
        """Look into growing files for another kind of picture, unless the last look is not over yet."""
        if self._look is None or self._look.done():
            self._look = self._submit(partial(self._look_into, growing))

    @property
    def has_changed_formats(self) -> bool:
        """Whether any camera does."""
        return bool(self._changed_runs)

    def has_changed_format(self, growing: Path) -> bool:
        """Whether the camera sends another kind of picture than the files of this run say."""
        return read_name(growing.name).run_uuid in self._changed_runs

    def take_back(self, adopt: Callable[[], None]) -> None:
        """Adopt what lies on a volume that came back, after what failed there was tried again."""
        self._submit(self._try_again)
        self._submit(adopt)

    def close(self) -> None:
        """Finish everything that was asked for; what was refused is tried a last time."""
        self._worker.shutdown(wait=True)
        self._try_again()

    def _submit(self, work: Callable[[], None]) -> "Future[None]":
        future = self._worker.submit(work)
        future.add_done_callback(_report)
        return future

    def _ask(self, camera_uuid: str, work: Work, fact: LateFact | None = None) -> None:
        self._submit(lambda: self._do(camera_uuid, work, fact))

    def _do(self, camera_uuid: str, work: Work, fact: LateFact | None = None) -> None:
        if camera_uuid in self._waiting:
            self._waiting[camera_uuid].append(work)
        elif _is_done(work):
            return
        else:
            self._waiting[camera_uuid] = deque([work])
        if fact is not None:
            self._keep(fact)

    def _keep(self, fact: LateFact) -> None:
        owed_from_us = self.owed.absent_from_us(fact.camera_uuid, fact.at_us) if fact.camera_uuid else 0
        if self.late_file is None or owed_from_us is None:
            return
        try:
            keep_fact(self.late_file, replace(fact, owed_from_us=owed_from_us))
        except OSError as error:  # the same full disk, perhaps; we still hold it
            _log.exception("fact_not_kept", error=str(error))
        else:
            self._kept.add(fact.uuid)

    @contextmanager
    def _recording(self, fact: LateFact) -> Iterator[sqlite3.Connection]:
        with self.store.database.write() as connection:
            yield connection
            if fact.uuid in self._kept:
                mark_recorded(connection, fact.uuid, self.store.clock.wall_us())

    def _try_again(self) -> None:
        for camera_uuid, works in list(self._waiting.items()):
            while works:
                work = works.popleft()  # first: what fails for another reason must not come back for ever
                if not _is_done(work):
                    works.appendleft(work)
                    return  # one database for all cameras
            del self._waiting[camera_uuid]
        # In one assignment: while a file is tried again the trouble shows on.
        self._undone = [file for file in self._undone if not self._is_settled(file)]

    def _begin_run(self, run: NewRun) -> None:
        with self.store.database.write() as connection:
            run_id = add_run(connection, run)
        self._run_ids[run.uuid] = run_id

    def _look_into(self, growing: list[Path]) -> None:
        looked = {path: look_for_other_format(path, self._looked_until.get(path, 0)) for path in growing}
        self._looked_until = {path: until for path, (_, until) in looked.items()}
        # By run: until the loop asks, the file may have made way for the next one of its run.
        alive = {read_name(path.name).run_uuid for path in growing}
        found = {read_name(path.name).run_uuid for path, (changed, _) in looked.items() if changed}
        self._changed_runs = (self._changed_runs & alive) | found

    def _ingest(self, file: _FileWork) -> None:
        # Refused: everything waits. From here on the run has a row that its end can complete.
        self._know_run(file.where.run)
        if not self._is_settled(file):
            self._undone.append(file)

    def _know_run(self, run: NewRun) -> None:
        if run.uuid not in self._run_ids:
            self._begin_run(run)

    def _is_settled(self, file: _FileWork) -> bool:
        try:
            self._take(file)
        except (OSError, sqlite3.Error) as error:
            # The file is untouched or already renamed: both are found at the next try or start.
            place, file.refusal = (file.where.run.uuid, file.closed.sequence), refusal_cause(error)
            if self._refused.get(place) is not file.refusal:  # else: told when it was tried first
                _log.exception("ingest_failed", file=file.growing.name, error=str(error))
            self._refused[place] = file.refusal
            return not file.is_there()
        return True

    def _take(self, file: _FileWork) -> None:
        path, run = file.growing, file.where.run
        if file.sealed is None:
            found, closing = f"{GROWING_FOLDER}/{path.name}", _closing(path, file.closed)
            self._know_run(run)  # over since the file was set aside
            run_id = self._run_ids[run.uuid]
            hole_cause = self._refused.get((run.uuid, file.closed.sequence - 1), Cause.UNPLAYABLE)
            closed = ClosedFile(file.where.volume, found, run_id, closing, Origin.LIVE, hole_cause)
            file.sealed = seal(self.store, closed)
        if file.sealed is None:
            _log.warning("quarantined", file=path.name, camera=run.camera_uuid)
            return
        enter(self.store, file.sealed)

    def _run_over(self, where: RunOnDisk, over: RunOver) -> None:
        # Each a work of its own: one that is tried again must not repeat what was done before it.
        camera_uuid, sequence, began_by_us = where.run.camera_uuid, over.next_sequence, over.began_by_us
        while _is_found(where.growing(sequence)):
            closed = FileClosed(
                sequence, over.ended_at_us, clock_break=over.clock_break, began_by_us=began_by_us
            )
            self._do(camera_uuid, partial(self._ingest, _FileWork(where, closed)))
            sequence, began_by_us = sequence + 1, None
        ended = (over.ended_at_us, camera_uuid, where.run.uuid, over.cause)
        fact = LateFact(str(uuid4()), LateKind.RUN_OVER, *ended)
        self._do(camera_uuid, partial(self._end_run, where.run, over, fact), fact)

    def _end_run(self, run: NewRun, over: RunOver, fact: LateFact) -> None:
        run_id = self._run_ids.get(run.uuid)
        with self._recording(fact) as connection:
            if run_id is not None:  # else: an attempt that never brought a picture
                end_run(connection, run_id, over.ended_at_us, over.cause)
            self._note_absence(connection, run.camera_uuid, over.ended_at_us, over.cause)
        self._run_ids.pop(run.uuid, None)
        self._refused = {place: why for place, why in self._refused.items() if place[0] != run.uuid}

    def _note_absence(
        self, connection: sqlite3.Connection, camera_uuid: str, now_us: int, cause: Cause
    ) -> None:
        recorded_at_us = self.store.clock.wall_us()
        if cause is Cause.CAMERA_RETIRED:  # nobody expects footage of it any more
            end_absence(connection, camera_uuid, now_us, recorded_at_us)
            return
        owed_from_us = self.owed.absent_from_us(camera_uuid, now_us)
        # What is owed no more ends where its schedule does: evidence.schedule_accounts settles that.
        if owed_from_us is None or cause is Cause.SCHEDULE_OVER:
            return
        from_us = now_us
        if has_open_gap(connection, camera_uuid):
            if cause is Cause.STARTING:  # known already why there was nothing
                return
        else:
            last_us = last_footage_us(connection, camera_uuid)
            # Much later than now: the clock was set back. A picture's length later is measurement.
            if last_us is not None and last_us - now_us <= SEAM_US:
                from_us = max(last_us, owed_from_us)
        note_absence(connection, camera_uuid, from_us, cause, recorded_at_us)


def _is_done(work: Work) -> bool:
    try:
        work()
    except sqlite3.IntegrityError as error:
        # Our mistake: the next try would fail as well, and nothing of another camera may wait for it.
        _log.exception("fact_refused_for_good", error=str(error))
    except sqlite3.Error as error:
        _log.exception("database_refused", error=str(error))
        return False
    return True


def _is_found(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # left to the next start
        _log.exception("file_lost", file=path.name)
        return False


def _closing(path: Path, closed: FileClosed) -> Closing:
    at_us = closed.noticed_at_us
    changed_us = path.stat().st_mtime_ns // 1000
    if 0 <= at_us - changed_us <= LONGEST_NOTICE_US:
        at_us = changed_us
    began_by_us = closed.began_by_us if closed.clock_break is None else None  # told by which clock?
    return Closing(at_us, closed.ending, closed.arrived_by_us, closed.clock_break, began_by_us)


def _report(done: Future[None]) -> None:
    error = done.exception()
    if error is not None:
        _log.error("keeping_failed", exc_info=error)
