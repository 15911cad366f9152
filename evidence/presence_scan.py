"""Is every file still in its folder? Asked by reading folders, never by touching files.

The newest days are looked at in every turn, the others one after another, so that each has had its look
within the hour. A file deleted behind our back becomes a damage with its row and leaf; a stray is only told.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from sqlite3 import Connection
from threading import Event
from typing import Final

from evidence.fixity import has_mark, present_volumes
from evidence.fixity_rows import FoundBy, Soundness, find_file, note_damage
from evidence.footage_rows import known_paths
from evidence.ingest import Store
from evidence.naming import DAY_MANIFEST, FOOTAGE_FOLDER
from evidence.relocation_rows import copies_under_way

# Day folders of a volume that are looked at in every turn: today and yesterday, and one more across midnight.
NEWEST: Final = 3
# Turns in which all other folders have their look.
TURNS: Final = 50


@dataclass(frozen=True, slots=True, order=True)
class DayFolder:
    """A folder that should hold files."""

    name: str
    volume_id: int
    volume: Path
    volume_uuid: str

    @property
    def path(self) -> str:
        """Below the volume."""
        return f"{FOOTAGE_FOLDER}/{self.name}"


@dataclass(slots=True)
class PresenceScan:
    """Looks at folders, turn by turn. For one thread."""

    store: Store
    # Files without a row at the last look; told once they are there at the next one too.
    _strangers: dict[tuple[int, str], frozenset[str]] = field(default_factory=dict)
    _strays: dict[tuple[int, str], frozenset[str]] = field(default_factory=dict)
    _waiting: Iterator[DayFolder] = field(default_factory=lambda: iter(()))
    _is_first: bool = True

    def turn(self, is_over: Event) -> list[str]:
        """One turn; the first one looks at everything. Returns the paths of files newly found missing."""
        missing: list[str] = []
        for folder in self._due():
            if is_over.is_set():
                return missing
            missing += self._look(folder)
        self._is_first = False
        with self.store.database.write() as connection:
            connection.execute(
                "insert into presence_look (id, strays, looked_at_us) values (1, ?, ?) on conflict (id)"
                " do update set strays = excluded.strays, looked_at_us = excluded.looked_at_us",
                (sum(map(len, self._strays.values())), self.store.clock.wall_us()),
            )
        return missing

    def strays(self) -> list[str]:
        """Files without a row that were there in two looks."""
        return sorted(f"{folder}/{name}" for (_, folder), names in self._strays.items() for name in names)

    def _due(self) -> list[DayFolder]:
        with self.store.database.read() as connection:
            folders = sorted(_day_folders(connection), reverse=True)
        if self._is_first:
            return folders
        newest, seen = list[DayFolder](), dict[int, int]()
        for folder in folders:
            seen[folder.volume_id] = seen.get(folder.volume_id, 0) + 1
            if seen[folder.volume_id] <= NEWEST:
                newest.append(folder)
        older = [folder for folder in folders if folder not in newest]
        share = -(-len(older) // TURNS)
        chosen = list(islice(self._waiting, share))
        if len(chosen) < share:
            self._waiting = iter(older)
            chosen += islice(self._waiting, share - len(chosen))
        return [*newest, *chosen]

    def _look(self, folder: DayFolder) -> list[str]:
        # Rows first: each had its file when it was written, so what a later listing lacks has gone since.
        with self.store.database.read() as connection:
            known = known_paths(connection, folder.volume_id, folder.path)
            absent = _absences(connection, folder)
            copies = {Path(each).name for each in copies_under_way(connection, folder.volume_id)}
        try:
            there = {each.name for each in os.scandir(folder.volume / folder.path)} - {DAY_MANIFEST}
        except FileNotFoundError:
            there = set()
        except OSError:  # the reading of its files, or the look at its volume, tells
            return []
        names = {path.rpartition("/")[2]: path for path in known}
        self._note_strangers(folder, frozenset(there - names.keys() - copies))
        lost = [path for name, path in sorted(names.items()) if name not in there and path not in absent]
        return [path for path in lost if self._note(folder, path)]

    def _note(self, folder: DayFolder, path: str) -> bool:
        with self.store.database.write() as connection:
            if (folder.volume / path).exists() or not has_mark(folder.volume, folder.volume_uuid):
                return False  # made whole meanwhile; or the whole disk has gone
            row = connection.execute(
                "select id from segment where volume_id = ? and path = ?", (folder.volume_id, path)
            ).fetchone()
            if row is None or find_file(connection, row["id"]) is None:
                return False  # brought to another volume, or disposed of
            now_us = self.store.clock.wall_us()
            return note_damage(connection, row["id"], Soundness.MISSING, FoundBy.PRESENCE, now_us)

    def _note_strangers(self, folder: DayFolder, found: frozenset[str]) -> None:
        key = folder.volume_id, folder.path
        self._strays[key] = found & self._strangers.get(key, frozenset())
        self._strangers[key] = found


def _absences(connection: Connection, folder: DayFolder) -> set[str]:
    """Files whose absence is explained: disposed of, or known to be missing."""
    rows = connection.execute(
        "select path from segment where volume_id = ? and path > ? and path < ? and"
        " (exists (select 1 from disposal where segment_id = segment.id)"
        " or exists (select 1 from damage where segment_id = segment.id and repaired_at_us is null))",
        (folder.volume_id, folder.path + "/", folder.path + "0"),
    )
    return {row[0] for row in rows}


def _day_folders(connection: Connection) -> Iterator[DayFolder]:
    """The folders that the index knows, on volumes that are there; one step of an index for each."""
    for volume_id in present_volumes(connection):
        row = connection.execute("select uuid, path from volume where id = ?", (volume_id,)).fetchone()
        after = FOOTAGE_FOLDER + "/"
        while True:
            (path,) = connection.execute(
                "select min(path) from segment where volume_id = ? and path > ?", (volume_id, after)
            ).fetchone()
            if path is None:
                break
            name = path.split("/")[1]
            yield DayFolder(name, volume_id, Path(row["path"]), row["uuid"])
            after = f"{FOOTAGE_FOLDER}/{name}0"  # behind every path of that folder
