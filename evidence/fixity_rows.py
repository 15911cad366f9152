"""What the index knows of the soundness of files: last readings, turns, damages, and what is to be read next.

Functions of one transaction. A turn is one leaf for many files; a damage and its end are a leaf each.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.ledger import LeafKind, append


class Soundness(StrEnum):
    """What a reading found."""

    SOUND = "sound"
    DAMAGED = "damaged"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class FoundBy(StrEnum):
    """Who noticed a damage."""

    FIXITY = "fixity"
    PRESENCE = "presence"
    MIRROR = "mirror"


class RepairedBy(StrEnum):
    """How footage became whole again."""

    MIRROR = "mirror"
    CAME_BACK = "came_back"


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A file as the index knows it."""

    segment_id: int
    volume_id: int
    volume: Path
    volume_uuid: str
    path: str
    size_bytes: int
    sha256: bytes

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self.volume / self.path


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading one file found."""

    segment_id: int
    result: Soundness
    read_bytes: int

    def line(self) -> str:
        """Its line in the list that a turn's digest commits to."""
        return f"{self.segment_id} {self.result}\n"


@dataclass(frozen=True, slots=True)
class Turn:
    """Readings that become one leaf. `order_id` is None for the regular reading."""

    readings: Sequence[Reading]
    began_at_us: int
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what was indexed; `repaired_at_us` is None while it lasts."""

    id: int
    segment_id: int
    camera_uuid: str
    started_at_us: int
    ended_at_us: int
    kind: Soundness
    found_by: FoundBy
    found_at_us: int
    repaired_at_us: int | None
    repaired_by: RepairedBy | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the regular reading is with one volume."""

    volume: str
    files: int
    total_bytes: int
    checked_files: int
    checked_bytes: int
    oldest_at_us: int | None
    updated_at_us: int


_FILE: Final = (
    "select segment.id as segment_id, volume_id, volume.path as volume, volume.uuid as volume_uuid,"
    " segment.path, size_bytes, sha256 from segment join volume on volume.id = volume_id"
)
# Nothing is read any more of what a register names.
_KEPT: Final = "not exists (select 1 from disposal where disposal.segment_id = segment.id)"


def indexed_file(row: Row) -> IndexedFile:
    """A row of the question above."""
    return IndexedFile(**{**dict(row), "volume": Path(row["volume"])})


def find_file(connection: Connection, segment_id: int) -> IndexedFile | None:
    """The file of a segment that was not disposed of."""
    row = connection.execute(f"{_FILE} where segment.id = ? and {_KEPT}", (segment_id,)).fetchone()
    return None if row is None else indexed_file(row)


def never_checked(
    connection: Connection, volumes: Collection[int], after_id: int, limit: int
) -> list[IndexedFile]:
    """Files of these volumes that nobody has read since they were indexed, the first ones after an id."""
    rows = connection.execute(
        f"{_FILE} where segment.id > ? and volume_id in (select value from json_each(?)) and {_KEPT}"  # noqa: S608 - our own words
        " and not exists (select 1 from fixity_result where fixity_result.segment_id = segment.id)"
        " order by segment.id limit ?",
        (after_id, json.dumps(list(volumes)), limit),
    )
    return [indexed_file(row) for row in rows]


def checked_before(
    connection: Connection, volumes: Collection[int], before_us: int, limit: int
) -> list[IndexedFile]:
    """Files of these volumes that were last read before that moment, the longest ago first."""
    rows = connection.execute(
        f"{_FILE} join fixity_result on fixity_result.segment_id = segment.id"  # noqa: S608 - our own words
        f" where checked_at_us < ? and volume_id in (select value from json_each(?)) and {_KEPT}"
        " order by checked_at_us, segment.id limit ?",
        (before_us, json.dumps(list(volumes)), limit),
    )
    return [indexed_file(row) for row in rows]


def record_turn(connection: Connection, turn: Turn, now_us: int) -> None:
    """Keep what was read and its one leaf; a file that is sound again ends its damage."""
    readings = turn.readings
    list_sha256 = list_digest(each.line() for each in readings)
    connection.executemany(
        "insert into fixity_result (segment_id, result, checked_at_us) values (?, ?, ?)"
        " on conflict (segment_id) do update set result = excluded.result,"
        " checked_at_us = excluded.checked_at_us",
        [(each.segment_id, each.result, now_us) for each in readings],
    )
    row = connection.execute(
        "insert into fixity_turn (order_id, began_at_us, ended_at_us, files, read_bytes, first_segment_id,"
        " last_segment_id, troubles, list_sha256) values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning"
        " id as fixity_turn_id, order_id, began_at_us, ended_at_us, files, read_bytes, first_segment_id,"
        " last_segment_id, troubles",
        (
            turn.order_id,
            turn.began_at_us,
            now_us,
            len(readings),
            sum(each.read_bytes for each in readings),
            readings[0].segment_id,
            readings[-1].segment_id,
            sum(each.result is not Soundness.SOUND for each in readings),
            list_sha256,
        ),
    ).fetchone()
    body = {**dict(row), "list_sha256": list_sha256.hex()}
    append(connection, LeafKind.FIXITY_CHECK, body, now_us)
    for each in readings:
        if each.result is Soundness.SOUND:
            end_damage(connection, each.segment_id, now_us)


def list_digest(lines: Iterable[str]) -> bytes:
    """SHA-256 over the lines."""
    return hashlib.sha256("".join(lines).encode()).digest()


def note_damage(
    connection: Connection, segment_id: int, kind: Soundness, found_by: FoundBy, now_us: int
) -> bool:
    """Row and leaf of a damage; False when one is known already, or the file is being disposed of."""
    row = connection.execute(
        "insert into damage (segment_id, kind, found_by, found_at_us) select ?, ?, ?, ?"
        " where not exists (select 1 from damage where segment_id = ? and repaired_at_us is null)"
        " and not exists (select 1 from disposal where segment_id = ?)"
        " returning id as damage_id, segment_id, kind, found_by, found_at_us",
        (segment_id, kind, found_by, now_us, segment_id, segment_id),
    ).fetchone()
    if row is not None:
        append(connection, LeafKind.DAMAGE_FOUND, dict(row), now_us)
    return row is not None


def note_restoring(connection: Connection, segment_id: int, mirror_id: int) -> None:
    """Keep which mirror the file comes from, before it is put in its place."""
    connection.execute(
        "update damage set restoring_mirror_id = ? where segment_id = ? and repaired_at_us is null",
        (mirror_id, segment_id),
    )


def end_damage(connection: Connection, segment_id: int, now_us: int) -> bool:
    """Complete the damage that lasts, with its leaf, once its file is sound; False when there is none."""
    row = connection.execute(
        "update damage set repaired_at_us = ?,"
        " repaired_by = case when restoring_mirror_id is null then 'came_back' else 'mirror' end"
        " where segment_id = ? and repaired_at_us is null returning id as damage_id, segment_id, kind,"
        " found_by, found_at_us, restoring_mirror_id, repaired_at_us, repaired_by",
        (now_us, segment_id),
    ).fetchone()
    if row is None:
        return False
    connection.execute(
        "update fixity_result set result = 'sound', checked_at_us = ? where segment_id = ?",
        (now_us, segment_id),
    )
    append(connection, LeafKind.DAMAGE_REPAIRED, dict(row), now_us)
    return True


def open_damages(connection: Connection) -> list[Damage]:
    """Every damage that lasts, the latest first."""
    return _damages(
        connection, "where repaired_at_us is null order by found_at_us desc, damage.id desc", 1 << 40
    )


def latest_damages(connection: Connection, limit: int) -> list[Damage]:
    """Damages, repaired ones included, the latest first."""
    return _damages(connection, "order by found_at_us desc, damage.id desc", limit)


def damage_counts(connection: Connection) -> tuple[int, int]:
    """How many damages were ever found, and how many were repaired."""
    row = connection.execute("select count(*), count(repaired_at_us) from damage").fetchone()
    return int(row[0]), int(row[1])


def write_progress(connection: Connection, since_us: int, now_us: int) -> None:
    """Count for each volume what was read since a moment, in place of what was said before."""
    connection.execute("delete from fixity_progress")
    connection.execute(
        "insert into fixity_progress (volume_id, files, total_bytes, checked_files, checked_bytes,"  # noqa: S608 - our own words
        " oldest_at_us, updated_at_us)"
        " select volume_id, count(*), sum(size_bytes), count(case when checked_at_us >= ? then 1 end),"
        " coalesce(sum(case when checked_at_us >= ? then size_bytes end), 0),"
        " case when count(checked_at_us) = count(*) then min(checked_at_us) end, ?"
        " from segment left join fixity_result on fixity_result.segment_id = segment.id"
        f" where {_KEPT} group by volume_id",
        (since_us, since_us, now_us),
    )


def read_progress(connection: Connection) -> list[Progress]:
    """How far each volume is, by its folder."""
    rows = connection.execute(
        "select volume.path as volume, files, total_bytes, checked_files, checked_bytes, oldest_at_us,"
        " updated_at_us from fixity_progress join volume on volume.id = volume_id order by volume.id"
    )
    return [Progress(**dict(row)) for row in rows]


def read_bytes_since(connection: Connection, since_us: int) -> int:
    """How much was read in turns that ended since a moment."""
    question = "select coalesce(sum(read_bytes), 0) from fixity_turn where ended_at_us >= ?"
    return int(connection.execute(question, (since_us,)).fetchone()[0])


def _damages(connection: Connection, rest: str, limit: int) -> list[Damage]:
    rows = connection.execute(
        "select damage.id, segment_id, camera_uuid, started_at_us, ended_at_us, kind, found_by, found_at_us,"  # noqa: S608 - our own words
        f" repaired_at_us, repaired_by from damage join segment on segment.id = segment_id {rest} limit ?",
        (limit,),
    )
    return [
        Damage(
            **{
                **dict(row),
                "kind": Soundness(row["kind"]),
                "found_by": FoundBy(row["found_by"]),
                "repaired_by": None if row["repaired_by"] is None else RepairedBy(row["repaired_by"]),
            }
        )
        for row in rows
    ]
