"""Bringing the footage of a lost volume back from its mirror onto another volume (整卷恢复), file by file.

The loss is put on record first, then every file on its own: a copy under a name that is no footage, read
back; a row that says where it goes; its name; the day's list; its protection; then one transaction in which
the index names the new place, with its leaf. Doing all again after a crash ends the same. Nothing here
deletes: should the lost disk come back, its files are strays there, and kept.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.fixity import digest_of
from evidence.fixity_rows import (
    FoundBy,
    IndexedFile,
    Soundness,
    end_damage,
    find_file,
    indexed_file,
    note_damage,
    note_restoring,
)
from evidence.ingest import Store
from evidence.ledger import LeafKind, append
from evidence.mirror import SecondCopy, copies_of
from evidence.naming import RESTORING_FOLDER
from evidence.volume_look import has_mark, read_space
from evidence.volumes import MOVING, Volume

# The part of the target's file system that stays free for the recording itself.
KEEP_FREE: Final = 0.1


class RestoreError(Exception):
    """The order cannot be carried out; the message says why and what to do, in Chinese."""


class Restored(StrEnum):
    """What became of one file."""

    WHOLE = "whole"
    # Its copy is not what was indexed any more.
    BAD_COPY = "bad_copy"
    # No mirror with a copy is there.
    ABSENT = "absent"
    # It was being brought home from the reserve when its disk was lost.
    UNDER_WAY = "under_way"


@dataclass(frozen=True, slots=True)
class Loss:
    """A lost volume and the one its footage goes to, as an order says."""

    order_id: int
    lost: Volume
    target: Volume


@dataclass(frozen=True, slots=True)
class Holdings:
    """Kept files that the index still knows on a volume, and those with a verified second copy."""

    files: int
    size_bytes: int
    copied_files: int
    copied_bytes: int


_HELD: Final = (
    "select segment.id as segment_id, volume_id, volume.path as volume, volume.uuid as volume_uuid,"
    " segment.path, size_bytes, sha256 from segment join volume on volume.id = volume_id"
    " where volume_id = :volume and segment.id > :after"
    " and not exists (select 1 from disposal where segment_id = segment.id)"
    " and {} exists (select 1 from mirror_copy where segment_id = segment.id and verified_at_us is not null)"
    " order by segment.id limit :limit"
)
_ON_ITS_WAY: Final = (
    "select 1 from segment_relocation where segment_id = ? and released_at_us is null and mirror_id is null"
)
_EVERY: Final = 1 << 40


def declare_loss(store: Store, order_id: int, volumes: tuple[str, str]) -> Loss:
    """Put the loss on record, once for an order: the uuids of the lost volume and of the one to bring it to.

    Raises RestoreError when the volume is not lost, or the other one cannot take its footage.
    """
    with store.database.read() as connection:
        lost, target = (_volume(connection, each) for each in volumes)
        held = holdings(connection, lost.id)
        known = connection.execute("select 1 from volume_loss where order_id = ?", (order_id,)).fetchone()
    if has_mark(lost.path, lost.uuid):
        raise RestoreError("这个证据卷仍然读得到，没有丢失，不需要整卷恢复。")
    if lost.uuid == target.uuid or not has_mark(target.path, target.uuid):
        raise RestoreError("目标证据卷没有接上，请接好后重新提出。")
    loss = Loss(order_id, lost, target)
    if known is None:
        _require_room(loss, held)
        _record_loss(store, loss, held)
    return loss


def holdings(connection: Connection, volume_id: int) -> Holdings:
    """What the index knows on a volume now."""
    row = connection.execute(
        "select count(*), coalesce(sum(size_bytes), 0), coalesce(sum(is_copied), 0),"
        " coalesce(sum(size_bytes * is_copied), 0) from (select size_bytes, exists (select 1 from mirror_copy"
        "  where segment_id = segment.id and verified_at_us is not null) as is_copied from segment"
        " where volume_id = ? and not exists (select 1 from disposal where segment_id = segment.id))",
        (volume_id,),
    ).fetchone()
    return Holdings(*row)


def declared_files(connection: Connection, order_id: int) -> int:
    """How many files the lost volume held when the order was taken up."""
    row = connection.execute("select files from volume_loss where order_id = ?", (order_id,)).fetchone()
    return int(row["files"])


def restorable(connection: Connection, loss: Loss, after_id: int, limit: int) -> list[IndexedFile]:
    """Files of the lost volume that have a verified copy somewhere, the first ones after an id."""
    facts = {"volume": loss.lost.id, "after": after_id, "limit": limit}
    return [indexed_file(row) for row in connection.execute(_HELD.format(""), facts)]


def restore(store: Store, loss: Loss, segment_id: int) -> Restored:
    """Bring one file back, or go on where a crash cut that short. Raises OSError when a disk refuses."""
    with MOVING:
        with store.database.read() as connection:
            file = find_file(connection, segment_id)
            copies = [each for each in copies_of(connection, segment_id) if each.is_verified]
            is_under_way = connection.execute(_ON_ITS_WAY, (segment_id,)).fetchone() is not None
        if file is None or file.volume_id != loss.lost.id:  # disposed of, or brought back already
            return Restored.WHOLE
        if is_under_way:
            return Restored.UNDER_WAY
        there = [each for each in copies if each.is_reachable()]
        if not there or not has_mark(loss.target.path, loss.target.uuid):
            return Restored.ABSENT
        copy = next((each for each in there if _is_good(each, file)), None)
        if copy is None:
            return Restored.BAD_COPY
        _place(store, loss, file, copy)
        _settle(store, loss, file, copy)
    return Restored.WHOLE


def note_lost_files(store: Store, loss: Loss) -> int:
    """Record as missing what has no copy to come back from; returns how many files are gone."""
    facts = {"volume": loss.lost.id, "after": 0, "limit": _EVERY}
    now_us = store.clock.wall_us()
    with store.database.write() as connection:
        gone = [row["segment_id"] for row in connection.execute(_HELD.format("not"), facts)]
        for segment_id in gone:
            note_damage(connection, segment_id, Soundness.MISSING, FoundBy.MIRROR, now_us)
    return len(gone)


def distrust_copies(store: Store, segment_id: int) -> None:
    """No copy of this file is what was indexed: it cannot come back, and is missing from now on."""
    with store.database.write() as connection:
        connection.execute("update mirror_copy set verified_at_us = null where segment_id = ?", (segment_id,))


def _volume(connection: Connection, volume_uuid: str) -> Volume:
    row: Row | None = connection.execute("select * from volume where uuid = ?", (volume_uuid,)).fetchone()
    if row is None:
        raise RestoreError("没有这个证据卷。")
    return Volume(row["id"], row["uuid"], Path(row["path"]))


def _require_room(loss: Loss, held: Holdings) -> None:
    space = read_space(loss.target.path)
    if space.free_bytes - held.copied_bytes < space.total_bytes * KEEP_FREE:
        raise RestoreError(
            f"目标证据卷空间不足：需要{held.copied_bytes / 1e9:.1f} GB，并须给录像留出余地；请换用更大的卷。"
        )


def _record_loss(store: Store, loss: Loss, held: Holdings) -> None:
    now_us = store.clock.wall_us()
    facts = {"files": held.files, "size_bytes": held.size_bytes, "copied_files": held.copied_files}
    with store.database.write() as connection:
        row = connection.execute(
            "insert into volume_loss (volume_id, target_volume_id, order_id, declared_at_us, files,"
            " size_bytes, copied_files) values (?, ?, ?, ?, ?, ?, ?) returning id",
            (loss.lost.id, loss.target.id, loss.order_id, now_us, *facts.values()),
        ).fetchone()
        body: dict[str, int | str] = {
            "volume_loss_id": row["id"],
            "order_id": loss.order_id,
            "volume_uuid": loss.lost.uuid,
            "target_volume_uuid": loss.target.uuid,
            **facts,
        }
        append(connection, LeafKind.VOLUME_LOST, body, now_us)


def _is_good(copy: SecondCopy, file: IndexedFile) -> bool:
    try:
        return digest_of(copy.file) == file.sha256
    except OSError:
        return False


def _place(store: Store, loss: Loss, file: IndexedFile, copy: SecondCopy) -> None:
    """The file at its new place, and the row that says so before it has its name there."""
    final = loss.target.path / file.path
    if not final.exists():
        restoring = loss.target.path / RESTORING_FOLDER / final.name
        store.disk.make_folder(restoring.parent)
        store.disk.copy(copy.file, restoring)
        if store.disk.digest(restoring) != file.sha256:
            raise OSError(f"{restoring} is not what was written")
        _begin(store, loss, file, copy)
        store.disk.make_folder(final.parent)
        store.disk.move(restoring, final)
        store.disk.sync_folder(restoring.parent)
    elif store.disk.digest(final) != file.sha256:
        raise OSError(f"another file lies at {final}")
    store.disk.sync_folder(final.parent)
    store.disk.note_digest(final, file.sha256)
    store.disk.protect(final)


def _begin(store: Store, loss: Loss, file: IndexedFile, copy: SecondCopy) -> None:
    with store.database.write() as connection:
        connection.execute(
            "insert into segment_relocation (segment_id, from_volume_id, to_volume_id, begun_at_us,"
            " mirror_id) select ?, ?, ?, ?, ? where not exists"
            " (select 1 from segment_relocation where segment_id = ? and released_at_us is null)",
            (
                *(file.segment_id, loss.lost.id, loss.target.id, store.clock.wall_us()),
                *(copy.mirror_id, file.segment_id),
            ),
        )


def _settle(store: Store, loss: Loss, file: IndexedFile, copy: SecondCopy) -> None:
    """From here on the index names the new place; a damage that lasted is over."""
    now_us = store.clock.wall_us()
    with store.database.write() as connection:
        connection.execute("update segment set volume_id = ? where id = ?", (loss.target.id, file.segment_id))
        row = connection.execute(
            "select id from segment_relocation where segment_id = ? and released_at_us is null",
            (file.segment_id,),
        ).fetchone()
        for column in ("moved_at_us", "released_at_us"):
            connection.execute(
                f"update segment_relocation set {column} = max(begun_at_us, ?) where id = ?",  # noqa: S608 - our own names
                (now_us, row["id"]),
            )
        body: dict[str, int | str] = {
            "segment_relocation_id": row["id"],
            "segment_id": file.segment_id,
            "from_volume_uuid": loss.lost.uuid,
            "to_volume_uuid": loss.target.uuid,
            "mirror_uuid": copy.mirror_uuid,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256.hex(),
        }
        append(connection, LeafKind.SEGMENT_RESTORED, body, now_us)
        note_restoring(connection, file.segment_id, copy.mirror_id)
        end_damage(connection, file.segment_id, now_us)
