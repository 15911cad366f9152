"""Looking at a footage folder: is it the right disk, does it take what is written, how much room has it.

A disk that is not mounted, the wrong one, two that changed places, one that stands twice in the
settings: each is refused by name, with what was expected and what was found, before anything is
written to it. Nothing here is remembered between two looks except the index's own `volume` rows.
"""

import errno
import os
import threading
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from evidence.database import WriterDatabase
from evidence.footage import Cause
from evidence.footage_rows import add_volume, volume_path_of, volume_uuid_at
from evidence.naming import FOOTAGE_FOLDER, GROWING_FOLDER, PROBE, QUARANTINE_FOLDER, VOLUME_MARK
from evidence.protection import Level, can_protect, make_mutable
from evidence.small_files import create_whole
from evidence.volumes import LocalDisk, Volume

FSTAB: Final = Path("/etc/fstab")
PROBE_BYTES: Final = 4096
# A volume with fewer inodes than this is full: every camera needs some for its next files and day folders.
KEEP_INODES: Final = 128


# Two new folders that are one disk must not be marked at the same moment.
_MARKING: Final = threading.Lock()


class Trouble(StrEnum):
    """Why a footage folder takes no footage."""

    NOT_MOUNTED = "not_mounted"
    NO_MARK = "no_mark"
    DAMAGED_MARK = "damaged_mark"
    WRONG_VOLUME = "wrong_volume"
    SWAPPED = "swapped"
    DUPLICATE = "duplicate"
    READ_ONLY = "read_only"
    FULL = "full"
    NO_INODES = "no_inodes"
    FAULT = "fault"
    NO_ANSWER = "no_answer"

    @property
    def cause(self) -> Cause:
        """The cause of a gap that this trouble makes."""
        if self in (Trouble.FULL, Trouble.NO_INODES):
            return Cause.DISK_FULL
        if self in (Trouble.READ_ONLY, Trouble.FAULT, Trouble.NO_ANSWER):
            return Cause.DISK_FAULT
        return Cause.DISK_MISSING


class VolumeError(Exception):
    """A footage folder cannot be used; the message names it, what was expected and what was found."""

    def __init__(self, path: Path, trouble: Trouble, expected: str, found: str) -> None:
        """The facts are kept beside the sentence for those who show them in their own words."""
        super().__init__(f"footage folder {path}: {trouble}: expected {expected}, found {found}")
        self.trouble, self.expected, self.found = trouble, expected, found


@dataclass(frozen=True, slots=True)
class Space:
    """The room of a file system. `free_inodes` is None where files are not counted."""

    device: int
    total_bytes: int
    free_bytes: int
    free_inodes: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A footage folder of the settings, and all folders of the settings beside it."""

    path: Path
    neighbours: frozenset[Path]
    keep_free_bytes: int = 0
    is_reserve: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What was found at a place at one moment. `volume` is set once it is certain which one lies there."""

    place: Place
    volume: Volume | None = None
    trouble: Trouble | None = None
    expected: str = ""
    found: str = ""
    space: Space | None = None
    level: Level = Level.DETECT_ONLY

    @property
    def is_usable(self) -> bool:
        """Whether footage can be written there."""
        return self.trouble is None and self.volume is not None


def places(volumes: Collection[Path], reserve: Path | None, keep_free_bytes: int) -> list[Place]:
    """The settings' folders in their order, the reserve last."""
    paths = [path.absolute() for path in volumes]
    reserves = [] if reserve is None else [reserve.absolute()]
    together = dict.fromkeys([*paths, *reserves])
    return [Place(path, frozenset(together), keep_free_bytes, path in reserves) for path in together]


def read_space(path: Path) -> Space:
    """How much room the folder's file system has. Raises OSError: a failure is neither room nor none."""
    numbers = os.statvfs(path)
    return Space(
        path.stat().st_dev,
        numbers.f_blocks * numbers.f_frsize,
        numbers.f_bavail * numbers.f_frsize,
        numbers.f_favail if numbers.f_files else None,
    )


def probe_write(path: Path) -> None:
    """Write a little to the volume's probe file, durably. Raises OSError."""
    probe = path / PROBE
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    if probe.exists():  # a crash between setting and clearing its flag leaves it immutable
        make_mutable(probe)
    descriptor = os.open(probe, flags, 0o600)
    try:
        os.write(descriptor, bytes(PROBE_BYTES))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at footage folders. The callables are the file system, which a test may replace."""

    database: WriterDatabase
    space: Callable[[Path], Space] = read_space
    write: Callable[[Path], None] = probe_write
    fstab: Path = FSTAB

    def look(self, place: Place, now_us: int) -> Look:
        """Everything about one place. What is wrong with it is part of the answer, never an exception."""
        try:
            volume = self.identify(place, now_us)
        except VolumeError as error:
            return Look(place, None, error.trouble, error.expected, error.found)
        try:
            space = self.space(volume.path)
        except OSError as error:
            return Look(place, volume, Trouble.FAULT, "free space", _words(error))
        trouble = _shortage(space, place)
        if trouble is not None:
            left = f"{space.free_bytes} bytes, {space.free_inodes} inodes"
            return Look(place, volume, trouble, f"{place.keep_free_bytes} bytes", left, space)
        try:
            self.write(volume.path)
            level = Level.SINGLE_MACHINE if can_protect(volume.path) else Level.DETECT_ONLY
        except OSError as error:
            return Look(place, volume, trouble_of(error), "a write that succeeds", _words(error), space)
        return Look(place, volume, space=space, level=level)

    def identify(self, place: Place, now_us: int) -> Volume:
        """Which volume lies there; a new folder is marked and becomes one. Raises VolumeError."""
        try:
            self._require_mounted(place.path)
            with _MARKING:
                mark = self._checked_mark(place)
                if mark is None:
                    mark = _write_mark(place.path)
                    self._enter(mark, place.path, now_us)
            for folder in (GROWING_FOLDER, FOOTAGE_FOLDER, QUARANTINE_FOLDER):
                LocalDisk().make_folder(place.path / folder)
        except OSError as error:
            raise VolumeError(place.path, trouble_of(error), "a writable folder", _words(error)) from error
        with self.database.read() as connection:
            row = connection.execute(
                "select id from volume where uuid = ? and path = ?", (mark, str(place.path))
            ).fetchone()
        volume_id = self._enter(mark, place.path, now_us) if row is None else int(row[0])
        return Volume(volume_id, mark, place.path)

    def _enter(self, mark: str, path: Path, now_us: int) -> int:
        with self.database.write() as connection:
            return add_volume(connection, mark, path, now_us)

    def _require_mounted(self, path: Path) -> None:
        """Refuse a folder below a mount point of the machine's table that has nothing mounted."""
        for point in mount_points(self.fstab):
            if path.is_relative_to(point) and point != Path("/") and not os.path.ismount(point):
                raise VolumeError(path, Trouble.NOT_MOUNTED, f"a disk mounted at {point}", "none")

    def _checked_mark(self, place: Place) -> str | None:
        """The folder's mark; None for a folder that is new to us and to itself. Raises VolumeError."""
        path = place.path
        with self.database.read() as connection:
            expected = volume_uuid_at(connection, path)
        if expected is None:
            path.mkdir(parents=True, exist_ok=True)
        mark = _read_mark(path)
        if mark == expected:
            return mark
        if mark is None:
            trouble = Trouble.NOT_MOUNTED if _is_empty(path) else Trouble.NO_MARK
            what = "an empty folder" if trouble is Trouble.NOT_MOUNTED else "a folder without mark"
            raise VolumeError(path, trouble, f"volume {expected}", what)
        with self.database.read() as connection:
            home = volume_path_of(connection, mark)
        if home is not None and Path(home) in place.neighbours:
            trouble = Trouble.DUPLICATE if has_mark(Path(home), mark) else Trouble.SWAPPED
            raise VolumeError(
                path,
                trouble,
                f"volume {expected or '(a new one)'}",
                f"volume {mark}, which is that of {home}",
            )
        if expected is not None:
            raise VolumeError(path, Trouble.WRONG_VOLUME, f"volume {expected}", f"volume {mark}")
        return mark


def open_volume(database: WriterDatabase, path: Path, now_us: int) -> Volume:
    """The volume of one folder. Raises VolumeError."""
    path = path.absolute()
    return Looker(database).identify(Place(path, frozenset([path])), now_us)


def _shortage(space: Space, place: Place) -> Trouble | None:
    if space.free_bytes < place.keep_free_bytes:
        return Trouble.FULL
    if space.free_inodes is not None and space.free_inodes < KEEP_INODES:
        return Trouble.NO_INODES
    return None


def trouble_of(error: OSError) -> Trouble:
    """What a refused step on a footage folder says about its disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble.FULL
    return Trouble.READ_ONLY if error.errno == errno.EROFS else Trouble.FAULT


def _words(error: OSError) -> str:
    return error.strerror or str(error)


def _is_empty(path: Path) -> bool:
    return not path.is_dir() or not any(path.iterdir())


def has_mark(path: Path, mark: str) -> bool:
    """Whether the disk that should lie in the folder lies there."""
    try:
        return _read_mark(path) == mark
    except (OSError, VolumeError):
        return False


def mount_points(fstab: Path) -> list[Path]:
    """Where the machine's table says that disks are mounted."""
    if not fstab.exists():
        return []
    rows = [line.split() for line in fstab.read_text(encoding="utf-8").splitlines()]
    return [Path(row[1]) for row in rows if len(row) >= 2 and row[0][0] != "#" and row[1].startswith("/")]


def _read_mark(path: Path) -> str | None:
    try:
        text = (path / VOLUME_MARK).read_text(encoding="ascii").strip()
        return str(uuid.UUID(text))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise VolumeError(path, Trouble.DAMAGED_MARK, f"a uuid in {VOLUME_MARK}", "something else") from error


def _write_mark(path: Path) -> str:
    mark = str(uuid.uuid4())
    create_whole(path / VOLUME_MARK, mark.encode("ascii") + b"\n", 0o444)
    return mark
