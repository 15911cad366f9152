"""Start-up after anything: every file below the footage folders gets its row, or a place in quarantine.

Nothing is unlinked and nothing is guessed away (invariant 2): a file that was closed but not yet
indexed is footage, a file torn by a crash is footage up to its last complete fragment, and the
seconds that are missing become a gap with a cause (invariant 4). What the disk or the index does not let us
adopt stays where it is, for the next start: one bad file must not keep the cameras from recording.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.footage import Cause, Origin
from evidence.footage_rows import (
    NewRun,
    add_run,
    end_run,
    has_open_gap,
    known_paths,
    last_footage_us,
    note_absence,
    open_runs,
    quarantined_paths,
)
from evidence.ingest import ClosedFile, Store, ingest, quarantine, record_quarantined, refusal_cause
from evidence.naming import (
    DAY_MANIFEST,
    FOOTAGE_FOLDER,
    GROWING_FOLDER,
    QUARANTINE_FOLDER,
    NamingError,
    read_name,
)
from evidence.picture_time import Closing
from evidence.relocation_rows import copies_under_way
from evidence.volumes import Volume

UNKNOWN_BOOT: Final = "unknown"
FOREIGN_NAME: Final = "foreign_name"
ROW_WAS_MISSING: Final = "row_was_missing"


@dataclass(frozen=True, slots=True)
class _Unadopted:
    """A file without a row. `found` is its path below the volume."""

    volume: Volume
    found: str

    @property
    def path(self) -> Path:
        return self.volume.path / self.found


@dataclass(frozen=True, slots=True)
class Adoption:
    """What start-up found. `left`: files and folders left as they are, with what disk or index said."""

    adopted: int
    quarantined: int
    left: list[tuple[Path, OSError | sqlite3.Error]]


@dataclass(slots=True)
class _Search:
    """Looking through the volumes, noting what could not be looked at."""

    store: Store
    left: list[tuple[Path, OSError | sqlite3.Error]] = field(default_factory=list)
    # Why files were left, by run and place in it: until they are adopted they are missing for this cause.
    refused: dict[tuple[str, int], Cause] = field(default_factory=dict)

    def leave(self, file: Path, error: OSError | sqlite3.Error) -> None:
        """The file stays where it is; what of its run comes after it finds a hole there."""
        self.left.append((file, error))
        with suppress(NamingError):
            name = read_name(file.name)
            self.refused[name.run_uuid, name.sequence] = refusal_cause(error)

    def listed(self, folder: Path) -> list[Path]:
        """What lies in a folder; nothing when the disk does not tell."""
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            self.left.append((folder, error))
            return []

    def without_row(self, volume: Volume) -> list[str]:
        """The files of a volume that the index does not know, by their path below it."""
        growing = [f"{GROWING_FOLDER}/{file.name}" for file in self.listed(volume.growing)]
        return [*self._unindexed(volume), *growing]

    def unrecorded(self, volume: Volume) -> list[str]:
        """The names of files in quarantine that have no row."""
        with self.store.database.read() as connection:
            known = quarantined_paths(connection, volume.id)
        names = [file.name for file in self.listed(volume.quarantine)]
        return [name for name in names if f"{QUARANTINE_FOLDER}/{name}" not in known]

    def _unindexed(self, volume: Volume) -> Iterator[str]:
        for day in self.listed(volume.footage):
            folder = f"{FOOTAGE_FOLDER}/{day.name}"
            if day.is_file():
                yield folder
                continue
            with self.store.database.read() as connection:
                known = known_paths(connection, volume.id, folder) | copies_under_way(connection, volume.id)
            files = [file.name for file in self.listed(day) if file.name != DAY_MANIFEST]
            paths = (f"{folder}/{name}" for name in files)
            yield from [path for path in paths if path not in known]


def adopt(store: Store, *volumes: Volume) -> Adoption:
    """Ingest or quarantine every file of the volumes that has no row yet. Repeating it changes nothing.

    Earlier files come first, wherever they lie: behind a later one they would look like a hole.
    """
    search = _Search(store)
    files = [_Unadopted(volume, found) for volume in volumes for found in search.without_row(volume)]
    adopted = quarantined = 0
    for file in sorted(files, key=_age_order):
        try:
            if _adopt_file(search, file.volume, file.found):
                adopted += 1
            else:
                quarantined += 1
        except (OSError, sqlite3.Error) as error:
            search.leave(file.path, error)
    for volume in volumes:
        for name in search.unrecorded(volume):
            try:
                record_quarantined(store, volume, f"{QUARANTINE_FOLDER}/{name}", name, ROW_WAS_MISSING)
                quarantined += 1
            except sqlite3.Error as error:
                search.left.append((volume.quarantine / name, error))
    return Adoption(adopted, quarantined, search.left)


def settle_broken_runs(connection: Connection, boot_id: str, now_us: int) -> None:
    """End every run that nobody ended, and open the gap from its camera's last footage.

    The cause tells a crashed recorder (same boot of the machine) from a machine that went down.
    """
    for run in open_runs(connection):
        cause = Cause.RECORDER_CRASH if run.boot_id in (boot_id, UNKNOWN_BOOT) else Cause.POWER_LOSS
        last_us = last_footage_us(connection, run.camera_uuid)
        ended_us = max(run.started_at_us, last_us or run.started_at_us)
        end_run(connection, run.id, ended_us, cause)
        if not has_open_gap(connection, run.camera_uuid):
            note_absence(connection, run.camera_uuid, last_us or run.started_at_us, cause, now_us)


def _age_order(file: _Unadopted) -> tuple[int, str]:
    try:
        return file.path.stat().st_mtime_ns, file.path.name
    except OSError:  # whatever it is, adopting the file will tell
        return 0, file.path.name


def _adopt_file(search: _Search, volume: Volume, found: str) -> bool:
    store, path = search.store, volume.path / found
    try:
        name = read_name(path.name)
    except NamingError:
        quarantine(store, volume, found, FOREIGN_NAME)
        return False
    closed_at_us = path.stat().st_mtime_ns // 1000
    run = NewRun(name.run_uuid, name.camera_uuid, UNKNOWN_BOOT, closed_at_us, 0)
    with store.database.write() as connection:
        run_id = add_run(connection, run)
    hole_cause = search.refused.get((name.run_uuid, name.sequence - 1), Cause.UNPLAYABLE)
    closed = ClosedFile(volume, found, run_id, Closing(closed_at_us), Origin.ADOPTED, hole_cause)
    return ingest(store, closed) is not None
