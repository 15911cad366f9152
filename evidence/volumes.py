"""Footage folders: which disk is which, and the few things that may be done to files on them.

There is no delete here and no overwrite: `Disk` can make files durable, move them and cut a torn tail
that has been kept elsewhere. Deleting footage belongs to disposal alone (invariant 3).
"""

import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from evidence.day_manifest import add_digest
from evidence.file_digest import sha256_of
from evidence.naming import FOOTAGE_FOLDER, GROWING_FOLDER, QUARANTINE_FOLDER
from evidence.protection import (
    Ioctl,
    is_immutable,
    kernel_ioctl,
    make_immutable,
    make_mutable,
    make_read_only,
)

_COPY_BYTES: Final = 1 << 20
# Held by whoever disposes of a file, moves, mirrors or restores it: none of them under another's hands.
MOVING: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Volume:
    """A footage folder whose identity was checked."""

    id: int
    uuid: str
    path: Path

    @property
    def growing(self) -> Path:
        """Where files lie while they grow."""
        return self.path / GROWING_FOLDER

    @property
    def footage(self) -> Path:
        """Where ingested files lie, by UTC day."""
        return self.path / FOOTAGE_FOLDER

    @property
    def quarantine(self) -> Path:
        """Where files lie that could not be adopted."""
        return self.path / QUARANTINE_FOLDER


class Disk(Protocol):
    """What ingest does to files, each call one durable step; tests crash between any two of them."""

    def copy_tail(self, source: Path, offset: int, target: Path) -> None:
        """Copy what lies behind an offset to another file, durably."""
        ...

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file whole, durably, over what an earlier try left there; the target is nobody's footage."""
        ...

    def cut(self, path: Path, size_bytes: int) -> None:
        """Shorten the file, leaving its modification time as it was."""
        ...

    def protect(self, path: Path) -> None:
        """Make the file read-only and, where that is possible, immutable. Comes after its last rename."""
        ...

    def unprotect(self, path: Path) -> None:
        """Let the file be deleted by disposal, or set aside by repair; for these two alone."""
        ...

    def sync_file(self, path: Path) -> None:
        """Make the file's bytes durable."""
        ...

    def sync_growing(self, path: Path) -> None:
        """Make durable what a growing file holds so far. Does nothing when it has just been moved."""
        ...

    def digest(self, path: Path) -> bytes:
        """SHA-256 of the file."""
        ...

    def forget(self, path: Path) -> None:
        """Drop what memory holds of a durable file: its next reading asks the disk."""
        ...

    def note_digest(self, path: Path, sha256: bytes) -> None:
        """Add the file's digest to the list of its folder, durably."""
        ...

    def make_folder(self, path: Path) -> None:
        """Make one folder durably, unless it exists."""
        ...

    def move(self, source: Path, target: Path) -> None:
        """Rename on the same disk. Raises FileExistsError rather than overwrite."""
        ...

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable."""
        ...


@dataclass(frozen=True, slots=True)
class LocalDisk:
    """A file system of this machine. `immutable`: whether ingested files get the immutable flag."""

    immutable: bool = False
    ioctl: Ioctl = kernel_ioctl

    def copy_tail(self, source: Path, offset: int, target: Path) -> None:
        """Copy what lies behind an offset to another file, durably."""
        with source.open("rb") as reader, target.open("wb") as writer:
            reader.seek(offset)
            shutil.copyfileobj(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())
        self.sync_folder(target.parent)

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file whole, durably, over what an earlier try left there; the target is nobody's footage."""
        before = source.stat()
        with source.open("rb") as reader, target.open("wb") as writer:
            shutil.copyfileobj(reader, writer, _COPY_BYTES)
            writer.flush()
            # The time of the last byte written tells when the last picture arrived.
            os.utime(writer.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(writer.fileno())
            for each in (reader, writer):  # read back from the disk, and out of the recording's memory
                os.posix_fadvise(each.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.sync_folder(target.parent)

    def cut(self, path: Path, size_bytes: int) -> None:
        """Shorten the file, leaving its modification time as it was."""
        before = path.stat()
        os.truncate(path, size_bytes)
        # The time of the last byte written tells when the last picture arrived.
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def protect(self, path: Path) -> None:
        """Make the file read-only and, where that is possible, immutable. Comes after its last rename."""
        make_read_only(path)
        if self.immutable:
            make_immutable(path, self.ioctl)
        self.sync_file(path)

    def unprotect(self, path: Path) -> None:
        """Let the file be deleted by disposal, or set aside by repair; for these two alone."""
        if not make_mutable(path, self.ioctl) and is_immutable(path, self.ioctl):
            raise PermissionError(f"{path} is immutable and this service may not clear the flag")

    def sync_file(self, path: Path) -> None:
        """Make the file's bytes durable."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_growing(self, path: Path) -> None:
        """Make durable what a growing file holds so far. Does nothing when it has just been moved."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def digest(self, path: Path) -> bytes:
        """SHA-256 of the file."""
        return sha256_of(path)

    def forget(self, path: Path) -> None:
        """Drop what memory holds of a durable file: its next reading asks the disk."""
        with path.open("rb", buffering=0) as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def note_digest(self, path: Path, sha256: bytes) -> None:
        """Add the file's digest to the list of its folder, durably."""
        if add_digest(path, sha256):
            self.sync_folder(path.parent)

    def make_folder(self, path: Path) -> None:
        """Make one folder durably, unless it exists."""
        if not path.is_dir():
            path.mkdir(mode=0o755)
            self.sync_folder(path.parent)

    def move(self, source: Path, target: Path) -> None:
        """Rename on the same disk. Raises FileExistsError rather than overwrite."""
        if target.exists():
            raise FileExistsError(f"{target} exists already and is not overwritten")
        source.rename(target)

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
