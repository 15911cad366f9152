"""Looking at the folder for second copies (第二份副本): is it the right one, on another disk, with room?

A mirror has an identity file like a volume. On the disk of a volume it would be no second copy and is
refused; so is another mirror in its place, an empty mount point, and a volume. Nothing is copied anywhere
before this is certain, and nothing here holds up a recording.
"""

import errno
import os
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.database import WriterDatabase
from evidence.naming import COPYING_FOLDER, FOOTAGE_FOLDER, MIRROR_MARK, QUARANTINE_FOLDER, VOLUME_MARK
from evidence.small_files import create_whole
from evidence.volume_look import FSTAB, mount_points, read_space
from evidence.volumes import LocalDisk

# Less room than this counts as full: the longest file must still fit.
KEEP_FREE_BYTES: Final = 512 * 1024 * 1024
DEVICES: Final = Path("/sys/dev/block")


class MirrorTrouble(StrEnum):
    """Why no copies are made."""

    SAME_DISK = "same_disk"
    IS_VOLUME = "is_volume"
    ABSENT = "absent"
    NO_MARK = "no_mark"
    WRONG_MIRROR = "wrong_mirror"
    READ_ONLY = "read_only"
    FULL = "full"
    FAULT = "fault"
    BAD_COPIES = "bad_copies"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder for second copies whose identity was checked."""

    id: int
    uuid: str
    path: Path


@dataclass(frozen=True, slots=True)
class MirrorLook:
    """What was found. `mirror` is set once it is certain which one lies there."""

    mirror: Mirror | None
    trouble: MirrorTrouble | None = None
    expected: str = ""
    found: str = ""
    free_bytes: int | None = None


class _RefusedError(Exception):
    def __init__(self, trouble: MirrorTrouble, expected: str, found: str) -> None:
        super().__init__(trouble)
        self.look = MirrorLook(None, trouble, expected, found)


def disk_of(path: Path, devices: Path = DEVICES) -> str:
    """Names the disk under a folder; two partitions of one disk are one. Raises OSError."""
    number = path.stat().st_dev
    name = f"{os.major(number)}:{os.minor(number)}"
    device = devices / name
    if not device.exists():  # no disk of this machine: a mount over the network, memory
        return name
    real = device.resolve()
    return str(real.parent if (real / "partition").exists() else real)


@dataclass(frozen=True, slots=True)
class MirrorLooker:
    """Looks at one folder beside the volumes. The callables are the machine, which a test may replace."""

    database: WriterDatabase
    path: Path
    volumes: Collection[Path]
    disk: Callable[[Path], str] = disk_of
    keep_free_bytes: int = KEEP_FREE_BYTES
    fstab: Path = FSTAB
    # Uuids of mirrors that two people have given up for lost.
    given_up: Callable[[], Collection[str]] = frozenset

    def look(self, now_us: int) -> MirrorLook:
        """Everything about the folder. What is wrong with it is part of the answer, never an exception."""
        try:
            mirror = self._identify(now_us)
            space = read_space(self.path)
        except _RefusedError as refusal:
            return refusal.look
        except OSError as error:
            return MirrorLook(None, trouble_of(error), "a writable folder", error.strerror or str(error))
        if space.free_bytes < self.keep_free_bytes:
            wanted, left = f"{self.keep_free_bytes} bytes", f"{space.free_bytes} bytes"
            return MirrorLook(mirror, MirrorTrouble.FULL, wanted, left, space.free_bytes)
        return MirrorLook(mirror, free_bytes=space.free_bytes)

    def _identify(self, now_us: int) -> Mirror:
        self._require_there()
        mark = _read_mark(self.path)
        with self.database.read() as connection:
            expected = _mirror_at(connection, self.path)
        lost = self.given_up()
        if mark is not None and mark in lost:
            raise _RefusedError(MirrorTrouble.GIVEN_UP, "a new disk", f"mirror {mark}, given up for lost")
        if expected in lost:  # a new disk may take its place
            expected = None
        if mark is None and expected is not None:
            raise _RefusedError(MirrorTrouble.NO_MARK, f"mirror {expected}", "a folder without mark")
        self._require_other_disk()
        if expected not in (None, mark):
            raise _RefusedError(MirrorTrouble.WRONG_MIRROR, f"mirror {expected}", f"mirror {mark}")
        if mark is None:
            mark = str(uuid.uuid4())
            create_whole(self.path / MIRROR_MARK, mark.encode("ascii") + b"\n", 0o444)
        for folder in (COPYING_FOLDER, FOOTAGE_FOLDER, QUARANTINE_FOLDER):
            LocalDisk().make_folder(self.path / folder)
        with self.database.read() as connection:
            row = connection.execute(
                "select id from mirror where uuid = ? and path = ?", (mark, str(self.path))
            ).fetchone()
        return Mirror(self._enter(mark, now_us) if row is None else row["id"], mark, self.path)

    def _require_there(self) -> None:
        for point in mount_points(self.fstab):
            if self.path.is_relative_to(point) and point != Path("/") and not os.path.ismount(point):
                raise _RefusedError(MirrorTrouble.ABSENT, f"a disk mounted at {point}", "none")
        if not self.path.is_dir():
            raise _RefusedError(MirrorTrouble.ABSENT, str(self.path), "no such folder")

    def _require_other_disk(self) -> None:
        if (self.path / VOLUME_MARK).exists():
            raise _RefusedError(MirrorTrouble.IS_VOLUME, "a folder for copies", "a volume of footage")
        own = self.disk(self.path)
        for volume in self.volumes:
            if volume.is_dir() and self.disk(volume) == own:
                wanted = "another disk than every volume"
                raise _RefusedError(MirrorTrouble.SAME_DISK, wanted, f"that of {volume}")

    def _enter(self, mark: str, now_us: int) -> int:
        with self.database.write() as connection:
            row = connection.execute(
                "insert into mirror (uuid, path, created_at_us) values (?, ?, ?)"
                " on conflict (uuid) do update set path = excluded.path returning id",
                (mark, str(self.path), now_us),
            ).fetchone()
        return int(row["id"])


def trouble_of(error: OSError) -> MirrorTrouble:
    """What a failed write says about the folder."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MirrorTrouble.FULL
    return MirrorTrouble.READ_ONLY if error.errno == errno.EROFS else MirrorTrouble.FAULT


def _mirror_at(connection: Connection, path: Path) -> str | None:
    row = connection.execute(
        "select uuid from mirror where path = ? order by id desc limit 1", (str(path),)
    ).fetchone()
    return None if row is None else str(row["uuid"])


def _read_mark(path: Path) -> str | None:
    try:
        return (path / MIRROR_MARK).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return "something else"
