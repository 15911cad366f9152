"""Reading footage files to see whether they still are what was indexed (完整性校验). Nothing is changed.

What is asked of a file is asked of the disk: pages that the system remembers are dropped first, so
that a rotten sector is not hidden by memory. A volume that is away is no damage of its files.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.fixity_rows import (
    FoundBy,
    IndexedFile,
    Reading,
    Soundness,
    Turn,
    find_file,
    note_damage,
    record_turn,
)
from evidence.ingest import Store
from evidence.naming import VOLUME_MARK

CHUNK_BYTES: Final = 1 << 20
# Told of each chunk that was read; may wait; raises StoppedError to end the reading at once.
Pace = Callable[[int], None]


class StoppedError(Exception):
    """The service ends: the reading is given up in the middle of a file and begun anew at the next start."""


def unpaced(_size_bytes: int) -> None:
    """As fast as the disk gives."""


def digest_of(path: Path, pace: Pace = unpaced) -> bytes:
    """SHA-256 of what lies on the disk. Raises OSError when it cannot be read."""
    digest, chunk = hashlib.sha256(), memoryview(bytearray(CHUNK_BYTES))
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while size_bytes := os.readv(descriptor, [chunk]):
            digest.update(chunk[:size_bytes])
            pace(size_bytes)
        # What was read once is not wanted again: leave the memory to those who record.
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    return digest.digest()


def has_mark(folder: Path, uuid: str, mark: str = VOLUME_MARK) -> bool:
    """Whether the disk that should lie in the folder lies there."""
    try:
        return (folder / mark).read_text(encoding="ascii").strip() == uuid
    except (OSError, UnicodeDecodeError):
        return False


def present_volumes(connection: Connection) -> list[int]:
    """The volumes that can be read now."""
    rows = connection.execute("select id, uuid, path from volume order by id").fetchall()
    return [row["id"] for row in rows if has_mark(Path(row["path"]), row["uuid"])]


def read_file(file: IndexedFile, pace: Pace = unpaced) -> Reading | None:
    """Read one file; None when its volume has gone and nothing can be said."""
    result, read_bytes = _soundness(file, pace)
    if result is not Soundness.SOUND and not has_mark(file.volume, file.volume_uuid):
        return None
    return Reading(file.segment_id, result, read_bytes)


def _soundness(file: IndexedFile, pace: Pace) -> tuple[Soundness, int]:
    try:
        size_bytes = file.file.stat().st_size
        if size_bytes != file.size_bytes:
            return Soundness.DAMAGED, 0
        is_same = digest_of(file.file, pace) == file.sha256
    except FileNotFoundError:
        return Soundness.MISSING, 0
    except OSError:
        return Soundness.UNREADABLE, 0
    return Soundness.SOUND if is_same else Soundness.DAMAGED, size_bytes


def check_files(
    store: Store, files: Iterable[IndexedFile], pace: Pace, order_id: int | None = None
) -> list[Reading]:
    """Read files in turn, each damage recorded at once, all together as one turn; stops when told to.

    What a stop cuts short is on record up to the last whole file.
    """
    began_us, readings = store.clock.wall_us(), list[Reading]()
    try:
        for file in files:
            reading = read_file(file, pace)
            if reading is not None and _is_told(store, file, reading):
                readings.append(reading)
    except StoppedError:
        pass
    if readings:
        with store.database.write() as connection:
            record_turn(connection, Turn(readings, began_us, order_id), store.clock.wall_us())
    return readings


def _is_told(store: Store, file: IndexedFile, reading: Reading) -> bool:
    """Record a damage at once. False for a file that was disposed of or brought elsewhere meanwhile."""
    if reading.result is Soundness.SOUND:
        return True
    with store.database.write() as connection:
        if find_file(connection, file.segment_id) != file:
            return False
        note_damage(connection, reading.segment_id, reading.result, FoundBy.FIXITY, store.clock.wall_us())
    return True
