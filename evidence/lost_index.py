"""Putting a rebuilt footage index in the place of a lost one, hiding nothing.

The new index is made in a folder of its own, with a ledger, checkpoints and a key of its own: signing a
second history with the old key would look like a forgery. Its first leaf names the last checkpoint of the
lost ledger. Only when it is whole, the lost files move aside together, and it takes their place. Interrupted
anywhere, the service refuses to start on the halves, and rebuilding again goes on from there.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence.checkpoints import Checkpoints, last_note
from evidence.database import DatabaseError, WriterBusyError, WriterDatabase, writer_lock
from evidence.file_digest import sha256_of
from evidence.ledger import LeafKind, append
from evidence.rebuild import ForEach, FoundVolume, Rebuild, Rebuilt

NAME: Final = "footage"
INDEX: Final = "footage.db"
CHECKPOINTS: Final = "footage_checkpoints.db"
KEY: Final = "ledger_footage.key"
# What SQLite keeps beside a file; a log left behind would be read into the next file of that name.
BESIDE: Final = ("-wal", "-shm", "")


@dataclass(frozen=True, slots=True)
class IndexPlace:
    """Where an index, its checkpoints and its key lie."""

    folder: Path
    keys: Path

    @property
    def index(self) -> Path:
        """The database of the index."""
        return self.folder / INDEX

    @property
    def key(self) -> Path:
        """The key that signs for the ledger."""
        return self.keys / KEY

    def files_of(self, database: str) -> list[Path]:
        """What there is of a database, the file itself last."""
        found = (self.folder / f"{database}{beside}" for beside in BESIDE)
        return [path for path in found if path.exists()]


@dataclass(frozen=True, slots=True)
class LostIndex:
    """What is known of an index that cannot be used."""

    reason: str
    sha256: bytes | None
    checkpoint: str | None


def trouble_with(place: IndexPlace) -> str:
    """Why the index cannot be used; empty when nothing is wrong. Raises WriterBusyError while it is in use.

    Opens it as a service would, compares its ledger with the last checkpoint and reads every page.
    """
    if not place.index.exists():
        return f"{INDEX} is missing"
    try:
        with closing(WriterDatabase(place.index, NAME)) as database:
            with closing(Checkpoints(database, place.keys, NAME)):
                pass
            with database.read() as connection:
                return damage_in(connection)
    except WriterBusyError:
        raise
    except (DatabaseError, sqlite3.Error) as error:
        return str(error)


def damage_in(connection: sqlite3.Connection) -> str:
    """The first damage that SQLite finds in any page; empty when there is none."""
    first = str(connection.execute("pragma quick_check(1)").fetchone()[0])
    return "" if first == "ok" else first


def lost_index(place: IndexPlace, reason: str) -> LostIndex:
    """Commit to the lost file as it is, and read the last checkpoint of its ledger."""
    sha256 = None
    if place.index.exists():
        sha256 = sha256_of(place.index)
    return LostIndex(reason, sha256, _last_checkpoint(place.folder / CHECKPOINTS))


def _last_checkpoint(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return last_note(connection)
    except sqlite3.Error:
        return None


def build_new(
    new: IndexPlace, lost: LostIndex, volumes: Sequence[FoundVolume], rebuilding: "Rebuilding"
) -> Iterator[Rebuilt]:
    """Fill a new index and sign its ledger; tells how far it is. The lost one is not touched."""
    with (
        closing(WriterDatabase(new.index, NAME)) as database,
        closing(Checkpoints(database, new.keys, NAME)) as checkpoints,
    ):
        with database.write() as connection:
            _record_loss(connection, lost, rebuilding)
        rebuild = Rebuild(
            database, rebuilding.now_us, is_thorough=rebuilding.is_thorough, each=rebuilding.each
        )
        yield from rebuild.fill(volumes)
        checkpoints.sign(rebuilding.now_us)


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """When an index is rebuilt, where the lost one goes, whether every file is read, and by how many."""

    now_us: int
    aside: Path
    is_thorough: bool
    each: ForEach = map


def _record_loss(connection: sqlite3.Connection, lost: LostIndex, rebuilding: Rebuilding) -> None:
    connection.execute(
        "insert into rebuilt_index (id, rebuilt_at_us, reason, aside_folder, lost_sha256, lost_checkpoint)"
        " values (1, ?, ?, ?, ?, ?)",
        (rebuilding.now_us, lost.reason, rebuilding.aside.name, lost.sha256, lost.checkpoint),
    )
    lines = (lost.checkpoint or "").split("\n")
    origin, size, root = lines[:3] if lost.checkpoint is not None and len(lines) >= 3 else (None, None, None)
    body = {
        "lost_sha256": None if lost.sha256 is None else lost.sha256.hex(),
        "lost_origin": origin,
        "lost_size": size,
        "lost_root": root,
        "lost_checkpoint_sha256": None
        if lost.checkpoint is None
        else hashlib.sha256(lost.checkpoint.encode()).hexdigest(),
    }
    append(connection, LeafKind.INDEX_REBUILT, body, rebuilding.now_us)


def exchange(old: IndexPlace, new: IndexPlace, aside: Path) -> None:
    """Move the lost files aside and the new ones to their place. Renames only, each durable before the next.

    From the first to the last one key, checkpoints and ledger do not belong together, so that whoever starts
    in between refuses: the old key leaves first, the new one comes last.
    """
    for source in (old.key,) if old.key.exists() else ():
        _move(source, aside / source.name)
    for name in (INDEX, CHECKPOINTS):
        for source in old.files_of(name):
            _move(source, aside / source.name)
        for source in new.files_of(name):
            _move(source, old.folder / source.name)
    _move(new.key, old.key)


def _move(source: Path, target: Path) -> None:
    if target.exists():
        raise FileExistsError(f"{target} exists already and is not overwritten")
    source.rename(target)
    for folder in {source.parent, target.parent}:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def exclusive(place: IndexPlace) -> Iterator[None]:
    """Keep every recorder away. Raises WriterBusyError when one runs."""
    with writer_lock(place.index):
        yield
