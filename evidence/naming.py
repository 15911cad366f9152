"""The one codec of footage file names. Nobody else puts together or takes apart a path.

A growing file is named by camera, run and sequence; once its first picture's time is known, that
time (UTC microseconds) joins the name. Run UUIDs are random, so no name ever repeats, whatever the
wall clock does.
"""

import re
from dataclasses import dataclass
from typing import Final

from exam.clock import from_us

GROWING_FOLDER: Final = "growing"
FOOTAGE_FOLDER: Final = "footage"
QUARANTINE_FOLDER: Final = "quarantine"
VOLUME_MARK: Final = "volume.uuid"
# On a volume: where second copies lie while they are made footage again. On a mirror: while they are made.
RESTORING_FOLDER: Final = "restoring"
COPYING_FOLDER: Final = "copying"
MIRROR_MARK: Final = "mirror.uuid"
# A file of another volume is copied here before it gets its name; overwritten by the next one, never footage.
RELOCATING: Final = "volume.copy"
# Rewritten by every look at a volume: whether it takes what is written.
PROBE: Final = "volume.probe"
# In each day's folder: the digests of its files (evidence.day_manifest).
DAY_MANIFEST: Final = "digests.sha256"

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAME: Final = re.compile(
    rf"(?P<camera>{_UUID})_(?P<run>{_UUID})_(?P<sequence>\d{{6,}})(?:_(?P<start>\d{{1,18}}))?\.mp4"
)


class NamingError(Exception):
    """A file name that this recorder never gives."""


@dataclass(frozen=True, slots=True)
class SegmentName:
    """Who a file belongs to. `started_at_us` is None while the file grows."""

    camera_uuid: str
    run_uuid: str
    sequence: int
    started_at_us: int | None = None

    def file_name(self) -> str:
        """The name without folders."""
        start = "" if self.started_at_us is None else f"_{self.started_at_us}"
        return f"{self.camera_uuid}_{self.run_uuid}_{self.sequence:06d}{start}.mp4"

    def path(self) -> str:
        """Where the file lies below its volume: one folder per UTC day once it is complete."""
        if self.started_at_us is None:
            return f"{GROWING_FOLDER}/{self.file_name()}"
        return f"{FOOTAGE_FOLDER}/{from_us(self.started_at_us):%Y-%m-%d}/{self.file_name()}"


def growing_pattern(camera_uuid: str, run_uuid: str) -> str:
    """The names of a run's growing files as the segment writer counts them (printf style)."""
    return f"{camera_uuid}_{run_uuid}_%06d.mp4"


def read_name(file_name: str) -> SegmentName:
    """The parts of a file name. Raises NamingError for a foreign one."""
    found = _NAME.fullmatch(file_name)
    if found is None:
        raise NamingError(f"not a footage file name: {file_name}")
    start = found["start"]
    return SegmentName(
        found["camera"], found["run"], int(found["sequence"]), None if start is None else int(start)
    )
