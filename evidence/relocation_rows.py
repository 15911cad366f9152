"""The rows of relocations (迁回): which file goes where, how far it is, and which copies lie beside.

Functions of one transaction. The change of place and the end of the first file are a leaf each.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.ledger import LeafKind, append
from evidence.volumes import Volume


@dataclass(frozen=True, slots=True)
class Relocation:
    """A file of one volume that goes to another. `id` is None before it is on record."""

    id: int | None
    segment_id: int
    source: Volume
    home: Volume
    path: str
    size_bytes: int
    sha256: bytes
    is_moved: bool = False

    @property
    def first(self) -> Path:
        """Where the file was recorded."""
        return self.source.path / self.path

    @property
    def final(self) -> Path:
        """Where it lies for good."""
        return self.home.path / self.path


_OPEN: Final = (
    "select segment_relocation.id, segment_id, segment.path, size_bytes, sha256,"
    " from_volume_id, source.uuid as from_uuid, source.path as from_path,"
    " to_volume_id, home.uuid as to_uuid, home.path as to_path,"
    " moved_at_us is not null as is_moved"
    " from segment_relocation join segment on segment.id = segment_id"
    " join volume as source on source.id = from_volume_id join volume as home on home.id = to_volume_id"
    " where released_at_us is null and mirror_id is null"
)
_COPIES: Final = (
    "select path from segment_relocation join segment on segment.id = segment_id"
    " where released_at_us is null and ? = iif(moved_at_us is null, to_volume_id, from_volume_id)"
)


def open_relocations(connection: Connection) -> list[Relocation]:
    """Those that are not complete, oldest first."""
    rows = connection.execute(f"{_OPEN} order by segment_relocation.id").fetchall()
    return [_relocation(row) for row in rows]


def open_relocation(connection: Connection, relocation_id: int) -> Relocation | None:
    """One that is not complete."""
    row = connection.execute(f"{_OPEN} and segment_relocation.id = ?", (relocation_id,)).fetchone()
    return None if row is None else _relocation(row)


def to_bring(
    connection: Connection, source: Volume, home: Volume, besides: Collection[int]
) -> Relocation | None:
    """The earliest file of a volume that may go to another; files that are disposed of stay."""
    rows = connection.execute(
        "select id, path, size_bytes, sha256 from segment where volume_id = ?"
        " and not exists (select 1 from disposal where segment_id = segment.id)"
        " and not exists (select 1 from segment_relocation where segment_id = segment.id"
        "  and released_at_us is null)"
        " order by started_at_us",
        (source.id,),
    )
    for row in rows:
        if row["id"] not in besides:
            return Relocation(None, row["id"], source, home, row["path"], row["size_bytes"], row["sha256"])
    return None


def begin(connection: Connection, relocation: Relocation, now_us: int) -> int | None:
    """Put on record that a copy is about to get its name; None when the file is no longer free to go."""
    row = connection.execute(
        "insert into segment_relocation (segment_id, from_volume_id, to_volume_id, begun_at_us)"
        " select id, volume_id, ?, ? from segment where id = ? and volume_id = ?"
        " and not exists (select 1 from disposal where segment_id = segment.id) returning id",
        (relocation.home.id, now_us, relocation.segment_id, relocation.source.id),
    ).fetchone()
    return None if row is None else int(row[0])


def settle(connection: Connection, relocation: Relocation, now_us: int) -> None:
    """From here on the index names the new place."""
    connection.execute(
        "update segment set volume_id = ? where id = ?", (relocation.home.id, relocation.segment_id)
    )
    connection.execute(
        "update segment_relocation set moved_at_us = max(begun_at_us, ?) where id = ?",
        (now_us, relocation.id),
    )
    append(connection, LeafKind.SEGMENT_RELOCATED, leaf_body(relocation), now_us)


def finish(connection: Connection, relocation: Relocation, now_us: int) -> None:
    """The first file is no more."""
    connection.execute(
        "update segment_relocation set released_at_us = max(moved_at_us, ?) where id = ?",
        (now_us, relocation.id),
    )
    append(connection, LeafKind.DUPLICATE_RELEASED, leaf_body(relocation), now_us)


def leaf_body(relocation: Relocation) -> dict[str, int | str | None]:
    """What both leaves say: the file, and the volumes by their uuids."""
    return {
        "segment_relocation_id": relocation.id,
        "segment_id": relocation.segment_id,
        "from_volume_uuid": relocation.source.uuid,
        "to_volume_uuid": relocation.home.uuid,
        "size_bytes": relocation.size_bytes,
        "sha256": relocation.sha256.hex(),
    }


def is_relocating(connection: Connection, segment_id: int) -> bool:
    """Whether two copies of a file may lie on the volumes."""
    row = connection.execute(
        "select 1 from segment_relocation where segment_id = ? and released_at_us is null", (segment_id,)
    ).fetchone()
    return row is not None


def copies_under_way(connection: Connection, volume_id: int) -> set[str]:
    """Where on a volume the other copy of a file under way may lie: no stray, and not to be adopted."""
    return {row[0] for row in connection.execute(_COPIES, (volume_id,))}


def _relocation(row: Row) -> Relocation:
    return Relocation(
        row["id"],
        row["segment_id"],
        Volume(row["from_volume_id"], row["from_uuid"], Path(row["from_path"])),
        Volume(row["to_volume_id"], row["to_uuid"], Path(row["to_path"])),
        row["path"],
        row["size_bytes"],
        row["sha256"],
        bool(row["is_moved"]),
    )
