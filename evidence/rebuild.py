"""Making a footage index anew from files that describe themselves, after footage.db was lost or damaged.

Names carry camera, run, sequence and start; boxes carry codec, fragments and lengths; the list beside each
day's files carries their digests. What only the lost index knew is gone and said to be so: causes of gaps
(`index_lost`), who measured what, reports of work. Nothing is deleted and no file is touched.
"""

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Final, Protocol

from evidence.database import WriterDatabase
from evidence.day_manifest import read_digests
from evidence.file_digest import sha256_of
from evidence.footage import LONGEST_SEGMENT_US, SEAM_US, Cause, Origin
from evidence.footage_rows import (
    NewRun,
    NewSegment,
    add_past_gap,
    add_run,
    add_volume,
    insert_segment,
    note_absence,
)
from evidence.fragments import FragmentError, ParsedFile, parse
from evidence.naming import FOOTAGE_FOLDER, VOLUME_MARK, NamingError, SegmentName, read_name
from evidence.picture_time import Before, Closing, Placement, place, shifted

UNKNOWN_BOOT: Final = "unknown"
# Segments of one transaction: enough that durability costs little, few enough to hold in memory.
BATCH: Final = 2000


class RebuildError(Exception):
    """The index cannot be made anew; the message says what stands in the way."""


@dataclass(frozen=True, slots=True)
class FoundVolume:
    """A footage folder that says who it is."""

    uuid: str
    path: Path


@dataclass(slots=True)
class Rebuilt:
    """What was found. `hashed`: files whose digest no list told; `absent`: listed files that are gone."""

    segments: int = 0
    hashed: int = 0
    gaps: int = 0
    absent: int = 0
    left: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    volume_id: int
    path: Path
    found: str
    name: SegmentName
    # None: no list told it, or the file is to be asked.
    sha256: bytes | None

    @property
    def order(self) -> tuple[int, str, int]:
        return self.name.started_at_us or 0, self.name.run_uuid, self.name.sequence


@dataclass(slots=True)
class _Run:
    id: int
    last_sequence: int = -1
    before: Before | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """What a file says of itself. It comes from another process: the less it holds, the sooner it is here."""

    sha256: bytes
    size_bytes: int
    parsed: ParsedFile
    closed_at_us: int


class ForEach(Protocol):
    """Applies a function to each file; the answers come in the order of the files."""

    def __call__(
        self, function: Callable[[_File], _Read | str], files: Sequence[_File], /
    ) -> Iterable[_Read | str]:
        """Like `map`."""
        ...


def find_volume(path: Path) -> FoundVolume:
    """The volume in a folder, by its mark. Raises RebuildError: without it its footage would be missing."""
    try:
        mark = str(uuid.UUID((path / VOLUME_MARK).read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as error:
        raise RebuildError(
            f"footage folder {path} has no readable mark {VOLUME_MARK}: mount the right disk there first"
        ) from error
    return FoundVolume(mark, path.absolute())


class Rebuild:
    """One rebuilding of an empty index. `is_thorough`: every file is read, whatever the lists say.

    `each` applies a function to files in order, like `map`; it may do so in other processes.
    """

    def __init__(
        self, database: WriterDatabase, now_us: int, *, is_thorough: bool, each: "ForEach" = map
    ) -> None:
        self.found = Rebuilt()
        self._each = each
        self._database, self._now_us, self._is_thorough = database, now_us, is_thorough
        self._runs: dict[str, _Run] = {}
        # By camera: where its footage ends so far, and the run and sequence that end it.
        self._ends: dict[str, tuple[int, str, int]] = {}

    def fill(self, volumes: Sequence[FoundVolume]) -> Iterator[Rebuilt]:
        """Index all files of all volumes, day by day; tells after each batch how far it is."""
        with self._database.write() as connection:
            ids = {each.path: add_volume(connection, each.uuid, each.path, self._now_us) for each in volumes}
        for day in sorted({day.name for each in volumes for day in _days(each.path)}):
            files = sorted(
                (file for path, id_ in ids.items() for file in self._files(path, id_, day)),
                key=lambda file: file.order,
            )
            yield from self._enter_all(files)
            listed = {name for volume in ids for name in read_digests(volume / FOOTAGE_FOLDER / day)}
            # A file that was brought to another volume keeps its line where it was.
            self.found.absent += len(listed - {file.path.name for file in files})
        self._end()
        yield self.found

    def _enter_all(self, files: Sequence[_File]) -> Iterator[Rebuilt]:
        # Asked for one batch ahead: other processes read the next files while this one enters these.
        batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
        asked = deque(self._each(_read, batch) for batch in batches[:1])
        for number, batch in enumerate(batches, 1):
            asked.extend(self._each(_read, upcoming) for upcoming in batches[number : number + 1])
            with self._database.write() as connection:
                for file, answer in zip(batch, asked.popleft(), strict=True):
                    self._enter_or_leave(connection, file, answer)
            yield self.found

    def _enter_or_leave(self, connection: Connection, file: _File, answer: _Read | str) -> None:
        if isinstance(answer, _Read):
            self._enter(connection, file, answer)
        else:
            self.found.left.append((file.path, answer))

    def _files(self, volume: Path, volume_id: int, day: str) -> Iterator[_File]:
        folder = volume / FOOTAGE_FOLDER / day
        if not folder.is_dir():
            return
        digests = read_digests(folder)
        for path in sorted(folder.glob("*.mp4")):
            try:
                name = read_name(path.name)
            except NamingError:
                self.found.left.append((path, "its name is not one of ours"))
                continue
            sha256 = None if self._is_thorough else digests.get(path.name)
            yield _File(volume_id, path, f"{FOOTAGE_FOLDER}/{day}/{path.name}", name, sha256)

    def _enter(self, connection: Connection, file: _File, read: _Read) -> None:
        name = file.name
        self.found.hashed += file.sha256 is None
        run = self._run(connection, name)
        # Two files for one place cannot be; a later start will set the second one aside.
        is_taken = name.sequence <= run.last_sequence
        placement = _placed(name, read, run if name.sequence == run.last_sequence + 1 else None)
        if is_taken or not 0 < placement.ended_at_us - placement.started_at_us <= LONGEST_SEGMENT_US:
            self.found.left.append((file.path, "its place or its length is impossible"))
            return
        self._account(connection, name, placement)
        new = NewSegment(
            run_id=run.id,
            sequence=name.sequence,
            camera_uuid=name.camera_uuid,
            volume_id=file.volume_id,
            path=file.found,
            size_bytes=read.size_bytes,
            sha256=read.sha256,
            origin=Origin.ADOPTED,
        )
        insert_segment(connection, new, read.parsed, placement, self._now_us)
        run.last_sequence, run.before = (
            name.sequence,
            Before(placement.ended_at_us, placement.camera_offset_us),
        )
        self.found.segments += 1

    def _run(self, connection: Connection, name: SegmentName) -> _Run:
        run = self._runs.get(name.run_uuid)
        if run is None:
            new = NewRun(name.run_uuid, name.camera_uuid, UNKNOWN_BOOT, max(1, name.started_at_us or 1), 0)
            run = self._runs[name.run_uuid] = _Run(add_run(connection, new))
        return run

    def _account(self, connection: Connection, name: SegmentName, placement: Placement) -> None:
        """Whatever lies between two pieces of footage is a gap whose cause is lost."""
        end_us, run_uuid, sequence = self._ends.get(name.camera_uuid, (placement.started_at_us, "", 0))
        seam_us = SEAM_US if (run_uuid, sequence + 1) == (name.run_uuid, name.sequence) else 0
        if placement.started_at_us - end_us > seam_us:
            interval = (end_us, placement.started_at_us)
            add_past_gap(connection, name.camera_uuid, interval, Cause.INDEX_LOST, self._now_us)
            self.found.gaps += 1
        if placement.ended_at_us >= end_us:
            self._ends[name.camera_uuid] = (placement.ended_at_us, name.run_uuid, name.sequence)

    def _end(self) -> None:
        with self._database.write() as connection:
            end_runs_of_lost_index(connection)
            for camera_uuid, (end_us, _, _) in self._ends.items():
                note_absence(connection, camera_uuid, end_us, Cause.INDEX_LOST, self._now_us)
                self.found.gaps += 1


def end_runs_of_lost_index(connection: Connection) -> None:
    """No run of a lost index is alive: each ends where its footage ends."""
    connection.execute(
        "update run set end_cause = ?, ended_at_us = coalesce((select max(ended_at_us) from segment"
        " where run_id = run.id), started_at_us) where ended_at_us is null",
        (Cause.INDEX_LOST,),
    )


def _days(volume: Path) -> list[Path]:
    folder = volume / FOOTAGE_FOLDER
    return [day for day in folder.iterdir() if day.is_dir()] if folder.is_dir() else []


def _read(file: _File) -> _Read | str:
    """What a file says of itself, or why it says nothing. Needs nothing but the file."""
    try:
        found = file.path.stat()
        parsed = parse(file.path)
        sha256 = file.sha256 or sha256_of(file.path)
    except (OSError, FragmentError) as error:
        return str(error)
    if file.name.started_at_us is None:
        return "its name does not tell when it starts"
    return _Read(sha256, found.st_size, parsed, found.st_mtime_ns // 1000)


def _placed(name: SegmentName, read: _Read, run: _Run | None) -> Placement:
    # The last byte's time is kept when a file is cut, sealed and moved, so it still tells the closing.
    placement = place(read.parsed, Closing(read.closed_at_us), None if run is None else run.before)
    assert name.started_at_us is not None
    return shifted(placement, name.started_at_us)
