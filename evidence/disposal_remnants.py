"""What else holds the pictures of a file that is disposed of: set aside in quarantine, here or on a mirror.

A damaged original, the torn end of a recording, a copy that rotted: all keep the file's own name in front
of theirs. They are destroyed with it, under the same register.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.mirror import SecondCopy
from evidence.naming import QUARANTINE_FOLDER, SegmentName, read_name

# What may follow the name of the recording in the name of what is left of it.
_ENDS: Final = ("", "_", ".")


@dataclass(frozen=True, slots=True)
class Remnant:
    """A file in quarantine on a volume, by its row."""

    quarantined_file_id: int
    volume: Path
    volume_uuid: str
    path: str

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self.volume / self.path


def remnants(connection: Connection, segment_path: str) -> list[Remnant]:
    """What is left in quarantine, on any volume, of the recording of this file."""
    stem = recording_stem(segment_path)
    rows = connection.execute(
        "select quarantined_file.id, volume.path as volume, volume.uuid, quarantined_file.path"
        " from quarantined_file join volume on volume.id = volume_id where instr(quarantined_file.path, ?)"
        " order by quarantined_file.id",
        (stem,),
    )
    found = [Remnant(row[0], Path(row[1]), row[2], row[3]) for row in rows]
    return [each for each in found if _is_of(each.file.name, stem)]


def note_remnants(connection: Connection, segment_id: int, found: list[Remnant]) -> None:
    """Put on record which of them go with the file; comes with the row of its disposal."""
    connection.executemany(
        "insert into disposal_remnant (quarantined_file_id, segment_id) values (?, ?)",
        [(each.quarantined_file_id, segment_id) for each in found],
    )


def set_aside_copies(copy: SecondCopy) -> Iterator[Path]:
    """Copies of the file that rotted and were set aside on its mirror; they have no rows."""
    folder = copy.folder / QUARANTINE_FOLDER
    stem = recording_stem(copy.path)
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if _is_of(path.name, stem))


def recording_stem(segment_path: str) -> str:
    """Camera, run and number: what every name of a recording begins with, also while it grows."""
    name = read_name(Path(segment_path).name)
    return SegmentName(name.camera_uuid, name.run_uuid, name.sequence).file_name().removesuffix(".mp4")


def _is_of(name: str, stem: str) -> bool:
    return name.startswith(stem) and name[len(stem) : len(stem) + 1] in _ENDS
