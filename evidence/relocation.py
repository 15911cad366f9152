"""Bringing footage of the reserve volume home to a normal one (迁回), file by file; nothing here deletes.

The steps, each durable before the next: a copy under a name that is no footage, read back; a row that
says where it goes; its name; the day's list; its protection; then one transaction in which the index
names the new place, with its leaf. Doing all again after a crash ends the same, and between any two
steps the index names a good file. The first file is released by `evidence.disposal`.
"""

from dataclasses import replace
from itertools import product
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.ingest import Store
from evidence.naming import RELOCATING
from evidence.relocation_rows import Relocation, begin, open_relocations, settle, to_bring
from evidence.volume_look import Trouble, has_mark
from evidence.volume_rows import VolumeState, volume_states
from evidence.volumes import MOVING, Volume
from exam.clock import SECOND_US

# What the recorder last said of its volumes holds so long.
FRESH_US: Final = 15 * SECOND_US
# A volume must have been well for so long before anything is brought there.
CALM_US: Final = 60 * SECOND_US
# A trouble that has lasted so long is no news.
SETTLED_US: Final = 600 * SECOND_US
# The part of a file system that stays free for the recording itself.
KEEP_FREE: Final = 0.1
_FULL: Final = (Trouble.FULL, Trouble.NO_INODES)


class RelocationError(Exception):
    """A file stays where it is; the message says why."""


def next_to_bring(connection: Connection, besides: set[int], now_us: int) -> Relocation | None:
    """The next file of the reserve that may go home now; None when there is none, or something is wrong."""
    states = volume_states(connection)
    if not _are_calm(states, now_us):
        return None
    well = [one for one in states if _is_well(one)]
    there = {one.volume_id for one in well}
    for begun in open_relocations(connection):
        is_possible = {begun.source.id, begun.home.id} <= there
        if is_possible and not begun.is_moved and begun.segment_id not in besides:
            return begun
    reserves, homes = (
        [one for one in well if one.is_reserve],
        [one for one in well if not one.is_reserve and one.trouble is None],
    )
    for reserve, home in product(reserves, homes):
        found = to_bring(connection, _volume(connection, reserve), _volume(connection, home), besides)
        if found is not None and _is_fit(reserve, home, found.size_bytes, now_us):
            return found
    return None


def bring(store: Store, relocation: Relocation) -> None:
    """Copy one file, verify it, give it its place; or go on where a crash cut that short.

    Raises RelocationError when the file is not what the index says, OSError when a disk refuses.
    """
    with MOVING:
        _require_disks(relocation)
        begun = _under_its_name(store, relocation)
        store.disk.note_digest(begun.final, begun.sha256)
        store.disk.protect(begun.final)
        store.disk.sync_folder(begun.final.parent)
        _require_disks(begun)  # pulled out under our hands: what was written would lie elsewhere
        with store.database.write() as connection:
            settle(connection, begun, store.clock.wall_us())


def empty_leftovers(store: Store) -> None:
    """Let go of a copy that never got its name: what it was copied from is where it was."""
    with MOVING:
        with store.database.read() as connection:
            volumes = connection.execute("select uuid, path from volume").fetchall()
        for volume in volumes:
            copy = Path(volume["path"]) / RELOCATING
            if has_mark(copy.parent, volume["uuid"]) and copy.exists() and copy.stat().st_size:
                store.disk.cut(copy, 0)


def _under_its_name(store: Store, relocation: Relocation) -> Relocation:
    """The file at its new place, and the row that says so."""
    if relocation.final.exists():
        if relocation.id is None:
            raise RelocationError(f"{relocation.final} exists already and nobody knows why")
        _require_good(store, relocation, relocation.final)
        store.disk.sync_folder(relocation.final.parent)
        return relocation
    copy = relocation.home.path / RELOCATING
    store.disk.copy(relocation.first, copy)
    _require_good(store, relocation, copy)
    begun = relocation if relocation.id is not None else _begun(store, relocation)
    store.disk.make_folder(begun.final.parent)
    store.disk.move(copy, begun.final)
    store.disk.sync_folder(begun.final.parent)
    return begun


def _begun(store: Store, relocation: Relocation) -> Relocation:
    with store.database.write() as connection:
        relocation_id = begin(connection, relocation, store.clock.wall_us())
    if relocation_id is None:
        raise RelocationError(f"{relocation.first} is no longer free to go")
    return replace(relocation, id=relocation_id)


def _require_good(store: Store, relocation: Relocation, copy: Path) -> None:
    if copy.stat().st_size != relocation.size_bytes or store.disk.digest(copy) != relocation.sha256:
        raise RelocationError(f"the copy of {relocation.first} is not what the index says")


def _require_disks(relocation: Relocation) -> None:
    for volume in (relocation.source, relocation.home):
        if not has_mark(volume.path, volume.uuid):
            raise RelocationError(f"{volume.path} does not hold volume {volume.uuid}")


def _are_calm(states: list[VolumeState], now_us: int) -> bool:
    """Whether the recorder is alive and no volume has just got into trouble: its cameras need the others now.

    One that stays in trouble is left to those who repair it, and holds up no way between the others.
    """
    return all(
        now_us - one.updated_at_us <= FRESH_US and (_is_well(one) or now_us - one.since_us >= SETTLED_US)
        for one in states
    )


def _is_well(one: VolumeState) -> bool:
    """Whether a volume is known and as it should be; a full one may be full."""
    return one.volume_id is not None and (one.trouble is None or one.trouble in _FULL)


def _is_fit(reserve: VolumeState, home: VolumeState, size_bytes: int, now_us: int) -> bool:
    """Whether bringing a file there frees room here, and leaves the recording what it needs."""
    if home.space is None or reserve.space is None or home.space.device == reserve.space.device:
        return False
    kept_bytes = home.keep_free_bytes + home.space.total_bytes * KEEP_FREE
    return now_us - home.since_us >= CALM_US and home.space.free_bytes - size_bytes >= kept_bytes


def _volume(connection: Connection, state: VolumeState) -> Volume:
    row = connection.execute("select uuid from volume where id = ?", (state.volume_id,)).fetchone()
    return Volume(state.volume_id or 0, row["uuid"], Path(state.path))
