"""Second copies of footage (第二份副本) on another disk of this machine, verified by read-back.

A copy guards against a dying disk and rotten bytes; whoever has full root here can destroy both, so it
does not raise the protection level. Copying never holds up recording and never changes the footage itself.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.day_manifest import read_digests
from evidence.fixity import Pace, StoppedError, digest_of, has_mark, read_file
from evidence.fixity_rows import FoundBy, IndexedFile, Soundness, find_file, indexed_file, note_damage
from evidence.ingest import Store
from evidence.ledger import LeafKind, append
from evidence.mirror_look import Mirror, MirrorLook, MirrorTrouble, trouble_of
from evidence.naming import COPYING_FOLDER, MIRROR_MARK, QUARANTINE_FOLDER
from evidence.volumes import MOVING


class MirrorError(Exception):
    """The mirror takes no copies now."""

    def __init__(self, trouble: MirrorTrouble, found: str) -> None:
        super().__init__(f"{trouble}: {found}")
        self.trouble, self.found = trouble, found


@dataclass(frozen=True, slots=True)
class SecondCopy:
    """Where a copy of a file lies, or may lie; `is_verified` once it was read back."""

    mirror_id: int
    mirror_uuid: str
    folder: Path
    path: str
    is_verified: bool

    @property
    def file(self) -> Path:
        """The copy."""
        return self.folder / self.path

    @property
    def growing(self) -> Path:
        """Its name while it is made."""
        return self.folder / COPYING_FOLDER / self.file.name

    def is_reachable(self) -> bool:
        """Whether the mirror lies where it should."""
        return has_mark(self.folder, self.mirror_uuid, MIRROR_MARK)


_UNMIRRORED: Final = (
    "select segment.id as segment_id, volume_id, volume.path as volume, volume.uuid as volume_uuid,"
    " segment.path, size_bytes, sha256 from segment join volume on volume.id = volume_id"
    " where segment.id > ? and volume_id in (select value from json_each(?))"
    " and not exists (select 1 from disposal where segment_id = segment.id)"
    " and not exists (select 1 from damage where segment_id = segment.id and repaired_at_us is null)"
    " and not exists (select 1 from mirror_copy where segment_id = segment.id and mirror_id = ?"
    "  and verified_at_us >= ?) order by segment.id limit ?"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files are to be copied: of these volumes, not verified since, the first after an id."""

    volumes: Collection[int]
    verified_since_us: int
    after_id: int = 0
    limit: int = 100


def unmirrored(connection: Connection, mirror_id: int, wanted: Wanted) -> list[IndexedFile]:
    """Files without a copy on that mirror that was verified lately."""
    facts = (wanted.after_id, json.dumps(list(wanted.volumes)), mirror_id, wanted.verified_since_us)
    return [indexed_file(row) for row in connection.execute(_UNMIRRORED, (*facts, wanted.limit))]


def files_behind(connection: Connection, mirror_id: int) -> int:
    """How many kept files have no verified copy on that mirror."""
    # Counted so that nothing is looked up row by row: there may be millions.
    kept, disposed = connection.execute(
        "select (select count(*) from segment), (select count(*) from disposal)"
    ).fetchone()
    copied, gone = connection.execute(
        "select (select count(*) from mirror_copy where mirror_id = :id and verified_at_us is not null),"
        " (select count(*) from disposal join mirror_copy on mirror_copy.segment_id = disposal.segment_id"
        "  where mirror_id = :id and verified_at_us is not null)",
        {"id": mirror_id},
    ).fetchone()
    return int(kept - disposed - copied + gone)


@dataclass(frozen=True, slots=True)
class MirrorState:
    """The mirror as the recorder last found it."""

    path: str
    mirror_id: int | None
    trouble: MirrorTrouble | None
    expected: str
    found: str
    since_us: int
    free_bytes: int | None
    behind_files: int
    updated_at_us: int


def write_mirror_state(connection: Connection, path: Path, look: MirrorLook, now_us: int) -> None:
    """What lies there now; the moment stays as long as the trouble does."""
    before = mirror_state(connection)
    is_same = before is not None and (before.path, before.trouble) == (str(path), look.trouble)
    connection.execute("delete from mirror_state")
    connection.execute(
        "insert into mirror_state (path, mirror_id, trouble, expected, found, since_us, free_bytes,"
        " behind_files, updated_at_us) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            str(path),
            None if look.mirror is None else look.mirror.id,
            look.trouble or "",
            look.expected,
            look.found,
            before.since_us if before is not None and is_same else now_us,
            look.free_bytes,
            0 if look.mirror is None else files_behind(connection, look.mirror.id),
            now_us,
        ),
    )


def forget_mirror_state(connection: Connection) -> None:
    """No mirror is set any more."""
    connection.execute("delete from mirror_state")


def mirror_state(connection: Connection) -> MirrorState | None:
    """The mirror of the settings; None when there is none."""
    row = connection.execute("select * from mirror_state").fetchone()
    if row is None:
        return None
    trouble = MirrorTrouble(row["trouble"]) if row["trouble"] else None
    return MirrorState(**{**dict(row), "trouble": trouble})


def copies_of(connection: Connection, segment_id: int) -> list[SecondCopy]:
    """Every place where a copy of the file was begun."""
    rows = connection.execute(
        "select mirror.id, mirror.uuid, mirror.path, segment.path, verified_at_us is not null"
        " from mirror_copy join mirror on mirror.id = mirror_id join segment on segment.id = segment_id"
        " where segment_id = ? order by mirror.id",
        (segment_id,),
    )
    return [SecondCopy(row[0], row[1], Path(row[2]), row[3], bool(row[4])) for row in rows]


def copy_files(store: Store, mirror: Mirror, files: Iterable[IndexedFile], pace: Pace) -> int:
    """Copy files in turn, all together as one turn in the ledger; returns how many.

    Raises MirrorError when the mirror takes no more; what was copied until then is on record.
    """
    done: list[IndexedFile] = []
    try:
        for file in files:
            if _copy(store, mirror, file):
                done.append(file)
                pace(file.size_bytes)
    except StoppedError:
        pass
    finally:
        if done:
            _record(store, mirror, done)
    return len(done)


def _copy(store: Store, mirror: Mirror, file: IndexedFile) -> bool:
    """Make one copy. False when the file is not fit to be copied, and that is on record."""
    copy = SecondCopy(mirror.id, mirror.uuid, mirror.path, file.path, is_verified=False)
    with MOVING:
        if not _begin(store, mirror, file):
            return False
        try:
            return _place(store, copy, file)
        except OSError as error:
            if _is_sound(store, file):
                raise MirrorError(trouble_of(error), error.strerror or str(error)) from error
            return False


def _begin(store: Store, mirror: Mirror, file: IndexedFile) -> bool:
    """The row before the first byte, so that a disposal knows what to look for."""
    with store.database.write() as connection:
        if find_file(connection, file.segment_id) != file:  # disposed of, or brought to another volume
            return False
        connection.execute(
            "insert into mirror_copy (segment_id, mirror_id) values (?, ?) on conflict do nothing",
            (file.segment_id, mirror.id),
        )
    return True


def _place(store: Store, copy: SecondCopy, file: IndexedFile) -> bool:
    """Copy, read back, rename, protect. A copy that is there already is read and taken, or set aside."""
    if copy.file.exists():
        if digest_of(copy.file) == file.sha256:
            return _keep(store, copy, file)
        set_aside(store, copy)
    store.disk.copy(file.file, copy.growing)
    if store.disk.digest(copy.growing) != file.sha256:
        if _is_sound(store, file):
            raise MirrorError(MirrorTrouble.BAD_COPIES, file.path)
        return False
    store.disk.make_folder(copy.file.parent)
    store.disk.move(copy.growing, copy.file)
    store.disk.sync_folder(copy.file.parent)
    store.disk.sync_folder(copy.growing.parent)
    return _keep(store, copy, file)


def _keep(store: Store, copy: SecondCopy, file: IndexedFile) -> bool:
    store.disk.protect(copy.file)
    if read_digests(copy.file.parent).get(copy.file.name) != file.sha256:
        store.disk.note_digest(copy.file, file.sha256)
    return True


def set_aside(store: Store, copy: SecondCopy) -> None:
    """Move a copy that is no longer one out of the way, inside its mirror."""
    folder = copy.folder / QUARANTINE_FOLDER
    store.disk.unprotect(copy.file)
    store.disk.move(copy.file, folder / f"{copy.file.name}.{store.clock.wall_us()}")
    store.disk.sync_folder(folder)


def _is_sound(store: Store, file: IndexedFile) -> bool:
    """Whether the original is what was indexed, and so a fault is the mirror's; a damage is recorded."""
    reading = read_file(file)
    if reading is None:
        return False
    if reading.result is Soundness.SOUND:
        return True
    with store.database.write() as connection:
        note_damage(connection, file.segment_id, reading.result, FoundBy.MIRROR, store.clock.wall_us())
    return False


def _record(store: Store, mirror: Mirror, done: list[IndexedFile]) -> None:
    lines = "".join(f"{file.segment_id} copied\n" for file in done)
    digest = hashlib.sha256(lines.encode()).digest()
    now_us = store.clock.wall_us()
    with store.database.write() as connection:
        connection.executemany(
            "update mirror_copy set verified_at_us = ? where segment_id = ? and mirror_id = ?",
            [(now_us, file.segment_id, mirror.id) for file in done],
        )
        row = connection.execute(
            "insert into mirror_turn (mirror_id, ended_at_us, files, copied_bytes, first_segment_id,"
            " last_segment_id, list_sha256) values (?, ?, ?, ?, ?, ?, ?) returning id as mirror_turn_id,"
            " mirror_id, ended_at_us, files, copied_bytes, first_segment_id, last_segment_id",
            (
                mirror.id,
                now_us,
                len(done),
                sum(file.size_bytes for file in done),
                done[0].segment_id,
                done[-1].segment_id,
                digest,
            ),
        ).fetchone()
        append(connection, LeafKind.MIRROR_COPIES, {**dict(row), "list_sha256": digest.hex()}, now_us)
