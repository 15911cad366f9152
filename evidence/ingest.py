"""Making footage of a closed file: durable, hashed, named and indexed, in this order (invariant 1).

After a crash between any two steps the file is still there, and doing all steps again ends the same.
What cannot become footage goes to quarantine with a row; nothing here deletes.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from evidence.database import WriterDatabase
from evidence.footage import LONGEST_SEGMENT_US, Cause, Origin
from evidence.footage_rows import (
    NewQuarantine,
    NewSegment,
    add_quarantined,
    add_segment,
    has_segment,
    segment_before,
)
from evidence.fragments import FragmentError, ParsedFile, parse
from evidence.naming import QUARANTINE_FOLDER, SegmentName, read_name
from evidence.picture_time import Closing, Placement, place, shifted
from evidence.volume_look import trouble_of
from evidence.volumes import Disk, Volume
from exam.clock import Clock

TORN_TAIL: Final = "torn_tail"
TOO_LONG: Final = "longer_than_an_hour"
NO_LENGTH: Final = "pictures_without_length"
INDEXED_ALREADY: Final = "place_in_run_is_taken"


@dataclass(frozen=True, slots=True)
class Store:
    """Where footage goes: the index, the disk under it, and the clock that dates the rows."""

    database: WriterDatabase
    disk: Disk
    clock: Clock


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """A file nobody writes any more, waiting to be ingested. `found` is its path below the volume.

    `hole_cause`: why the file before it in its run is missing, if it is.
    """

    volume: Volume
    found: str
    run_id: int
    closing: Closing
    origin: Origin
    hole_cause: Cause = Cause.UNPLAYABLE

    @property
    def path(self) -> Path:
        """Where the file lies now."""
        return self.volume.path / self.found


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file that is complete, durable and hashed, on its way to its final place and its row."""

    closed: ClosedFile
    new: NewSegment
    parsed: ParsedFile
    placement: Placement

    @property
    def path(self) -> Path:
        """Where the file lies for good."""
        return self.closed.volume.path / self.new.path


def ingest(store: Store, closed: ClosedFile) -> int | None:
    """The steps from closed file to segment row. None when the file went to quarantine instead."""
    sealed = seal(store, closed)
    return None if sealed is None else enter(store, sealed)


def seal(store: Store, closed: ClosedFile) -> SealedFile | None:
    """The steps that happen before the rename. None when the file went to quarantine instead."""
    name = read_name(closed.path.name)
    try:
        parsed = parse(closed.path)
    except FragmentError as error:
        quarantine(store, closed.volume, closed.found, str(error))
        return None
    placement = _placed(store, closed, name, parsed)
    objection = _objection(store, closed, name, placement)
    if objection is not None:
        quarantine(store, closed.volume, closed.found, objection)
        return None
    if parsed.has_torn_tail:
        _set_tail_aside(store, closed, parsed.complete_bytes)
    store.disk.sync_file(closed.path)
    sha256 = store.disk.digest(closed.path)
    final = SegmentName(name.camera_uuid, name.run_uuid, name.sequence, placement.started_at_us).path()
    new = NewSegment(
        run_id=closed.run_id,
        sequence=name.sequence,
        camera_uuid=name.camera_uuid,
        volume_id=closed.volume.id,
        path=final,
        size_bytes=parsed.complete_bytes,
        sha256=sha256,
        origin=closed.origin,
        hole_cause=closed.hole_cause,
    )
    return SealedFile(closed, new, parsed, placement)


def enter(store: Store, sealed: SealedFile) -> int:
    """Rename, protection, the line in the day's list of digests, row. Doing all again ends the same."""
    _move(store.disk, sealed.closed.path, sealed.path)
    store.disk.protect(sealed.path)  # from here on it cannot be renamed: it must lie where it stays
    store.disk.note_digest(sealed.path, sealed.new.sha256)
    with store.database.write() as connection:
        return add_segment(connection, sealed.new, sealed.parsed, sealed.placement, store.clock.wall_us())


def quarantine(store: Store, volume: Volume, found: str, reason: str) -> None:
    """Keep a file that cannot be footage: move it aside, then record where it lies and why."""
    source = volume.path / found
    target = _free_name(volume.quarantine / source.name)
    _move(store.disk, source, target)
    record_quarantined(store, volume, found, target.name, reason)


def record_quarantined(store: Store, volume: Volume, found: str, file_name: str, reason: str) -> None:
    """The row of a file that lies in quarantine."""
    path = str(PurePosixPath(QUARANTINE_FOLDER) / file_name)
    with store.database.write() as connection:
        add_quarantined(connection, NewQuarantine(volume.id, found, path, reason), store.clock.wall_us())


def refusal_cause(error: OSError | sqlite3.Error) -> Cause:
    """Why a file is missing that a disk or the index refused, until it is tried again."""
    return trouble_of(error).cause if isinstance(error, OSError) else Cause.DISK_FAULT


def _placed(store: Store, closed: ClosedFile, name: SegmentName, parsed: ParsedFile) -> Placement:
    with store.database.read() as connection:
        before = segment_before(connection, closed.run_id, name.sequence)
    placement = place(parsed, closed.closing, before)
    # A crash after the rename: the name has already told when the footage starts.
    return placement if name.started_at_us is None else shifted(placement, name.started_at_us)


def _objection(store: Store, closed: ClosedFile, name: SegmentName, placement: Placement) -> str | None:
    """Why the index would refuse the row. Asked before the file is touched: no start may fail on one file."""
    length_us = placement.ended_at_us - placement.started_at_us
    if length_us > LONGEST_SEGMENT_US:
        return TOO_LONG
    if length_us <= 0:
        return NO_LENGTH
    with store.database.read() as connection:
        return INDEXED_ALREADY if has_segment(connection, closed.run_id, name.sequence) else None


def _set_tail_aside(store: Store, closed: ClosedFile, complete_bytes: int) -> None:
    tail = f"{closed.path.stem}_tail"
    store.disk.copy_tail(closed.path, complete_bytes, closed.volume.quarantine / tail)
    record_quarantined(store, closed.volume, closed.found, tail, TORN_TAIL)
    store.disk.cut(closed.path, complete_bytes)


def _move(disk: Disk, source: Path, target: Path) -> None:
    if source == target:
        return
    disk.make_folder(target.parent)
    if source.exists() or not target.exists():  # else: renamed by a try that failed after it
        disk.move(source, target)
    disk.sync_folder(target.parent)
    disk.sync_folder(source.parent)


def _free_name(wanted: Path) -> Path:
    target, number = wanted, 1
    while target.exists():
        number += 1
        target = wanted.with_name(f"{wanted.name}.{number}")
    return target
