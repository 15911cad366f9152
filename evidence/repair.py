"""Making footage whole again from a verified second copy (修复). The damaged file is kept, in quarantine.

The copy is brought to the volume and read back before anything there is touched. A crash between any two
steps leaves the damage open and every byte findable; doing all again ends the same.
"""

from enum import StrEnum
from typing import Final

from evidence.day_manifest import read_digests
from evidence.fixity import digest_of, read_file
from evidence.fixity_rows import IndexedFile, Soundness, end_damage, find_file, note_restoring
from evidence.ingest import Store, record_quarantined
from evidence.mirror import SecondCopy, copies_of
from evidence.naming import QUARANTINE_FOLDER, RESTORING_FOLDER
from evidence.volumes import MOVING, Volume

DAMAGED: Final = "damaged_footage"


class Mending(StrEnum):
    """What became of an attempt to repair."""

    WHOLE = "whole"
    NO_COPY = "no_copy"
    BAD_COPY = "bad_copy"
    ABSENT = "absent"


def repair(store: Store, segment_id: int) -> Mending:
    """Bring one damaged file back, or see that it came back by itself. Raises OSError when a disk refuses."""
    with MOVING:
        with store.database.read() as connection:
            file = find_file(connection, segment_id)
            copies = [each for each in copies_of(connection, segment_id) if each.is_verified]
        reading = None if file is None else read_file(file)
        if file is None or reading is None:  # disposed of, or its volume is away
            return Mending.ABSENT
        if reading.result is Soundness.SOUND:
            _finish(store, file)
            return Mending.WHOLE
        return _restore(store, file, [each for each in copies if each.is_reachable()])


def _restore(store: Store, file: IndexedFile, copies: list[SecondCopy]) -> Mending:
    if not copies:
        return Mending.NO_COPY
    copy = next((each for each in copies if _is_good(each, file)), None)
    if copy is None:
        _distrust(store, file.segment_id, copies)
        return Mending.BAD_COPY
    restoring = file.volume / RESTORING_FOLDER / file.file.name
    store.disk.make_folder(restoring.parent)
    store.disk.copy(copy.file, restoring)
    if store.disk.digest(restoring) != file.sha256:
        return Mending.BAD_COPY
    with store.database.write() as connection:
        note_restoring(connection, file.segment_id, copy.mirror_id)
    _set_aside(store, file)
    store.disk.make_folder(file.file.parent)
    store.disk.move(restoring, file.file)
    store.disk.sync_folder(file.file.parent)
    store.disk.sync_folder(restoring.parent)
    _finish(store, file)
    return Mending.WHOLE


def _is_good(copy: SecondCopy, file: IndexedFile) -> bool:
    try:
        return digest_of(copy.file) == file.sha256
    except OSError:
        return False


def _distrust(store: Store, segment_id: int, copies: list[SecondCopy]) -> None:
    """These copies are none; they are made anew should the footage become whole by another way."""
    with store.database.write() as connection:
        connection.executemany(
            "update mirror_copy set verified_at_us = null where segment_id = ? and mirror_id = ?",
            [(segment_id, each.mirror_id) for each in copies],
        )


def _set_aside(store: Store, file: IndexedFile) -> None:
    """The damaged file goes to quarantine with its row: it may still tell something."""
    if not file.file.exists():
        return
    volume = Volume(file.volume_id, file.volume_uuid, file.volume)
    name = f"{file.file.stem}_damaged_{store.clock.wall_us()}"
    store.disk.unprotect(file.file)
    store.disk.make_folder(volume.quarantine)
    store.disk.move(file.file, volume.quarantine / name)
    store.disk.sync_folder(volume.quarantine)
    store.disk.sync_folder(file.file.parent)
    record_quarantined(store, volume, file.path, name, DAMAGED)
    store.disk.protect(volume.path / QUARANTINE_FOLDER / name)


def _finish(store: Store, file: IndexedFile) -> None:
    """Protection, the line in the day's list, the damage's end. The file is sound and in its place."""
    store.disk.protect(file.file)
    if read_digests(file.file.parent).get(file.file.name) != file.sha256:
        store.disk.note_digest(file.file, file.sha256)
    with store.database.write() as connection:
        end_damage(connection, file.segment_id, store.clock.wall_us())
