"""The rows that tell the console what the recorder found at its footage folders, and their reading."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.footage_rows import volume_uuid_at
from evidence.ledger import LeafKind, append
from evidence.protection import Level
from evidence.volume_look import Look, Space, Trouble

_HOUR_S: Final = 3600
# How many files tell a camera's bit rate.
_RATE_FILES: Final = 5


@dataclass(frozen=True, slots=True)
class VolumeFound:
    """A place as the recorder publishes it: what was found, since when, and what cameras bring there."""

    look: Look
    trouble: Trouble | None
    since_us: int
    write_bps: int = 0


@dataclass(frozen=True, slots=True)
class VolumeState:
    """A footage folder as the recorder last found it."""

    path: str
    is_reserve: bool
    volume_id: int | None
    trouble: Trouble | None
    expected: str
    found: str
    since_us: int
    space: Space | None
    keep_free_bytes: int
    write_bps: int
    hours_left: float | None
    level: Level
    updated_at_us: int


def hours_until_full(free_bytes: int, keep_free_bytes: int, write_bps: int) -> float | None:
    """How long the room lasts at this rate; None when nothing is written."""
    if write_bps <= 0:
        return None
    return max(0, free_bytes - keep_free_bytes) * 8 / write_bps / _HOUR_S


def write_volume_states(connection: Connection, found: Iterable[VolumeFound], now_us: int) -> None:
    """What lies at every place of the settings, in place of what was said before.

    A trouble that began or ended is a fact of its own: it gets its leaf here.
    """
    rows = [_row(one, now_us) for one in found]
    before = dict(connection.execute("select path, trouble from volume_state").fetchall())
    for row in rows:
        _append_change(connection, row, before.get(str(row["path"]), ""), now_us)
    connection.execute("delete from volume_state")
    connection.executemany(
        "insert into volume_state (path, role, volume_id, trouble, expected, found, since_us, device,"
        " total_bytes, free_bytes, keep_free_bytes, free_inodes, write_bps, hours_left, protection,"
        " updated_at_us) values (:path, :role, :volume_id, :trouble, :expected, :found, :since_us, :device,"
        " :total_bytes, :free_bytes, :keep_free_bytes, :free_inodes, :write_bps, :hours_left, :protection,"
        " :updated_at_us)",
        rows,
    )


def volume_states(connection: Connection) -> list[VolumeState]:
    """Every place of the recorder's settings, normal ones first."""
    return [_state(row) for row in connection.execute("select * from volume_state order by role, path")]


def last_rates(connection: Connection) -> dict[str, int]:
    """Bits per second of each camera over its last files; cameras without footage are left out."""
    rows = connection.execute(
        "select camera_uuid, (select sum(size_bytes) * 8000000 / sum(ended_at_us - started_at_us) from ("
        "  select size_bytes, started_at_us, ended_at_us from segment"
        "   where segment.camera_uuid = camera_state.camera_uuid order by started_at_us desc limit ?))"
        " from camera_state",
        (_RATE_FILES,),
    )
    return {row[0]: row[1] for row in rows if row[1]}


def _append_change(connection: Connection, row: dict[str, object], before: str, now_us: int) -> None:
    trouble = str(row["trouble"])
    if trouble == before:
        return
    kind = LeafKind.VOLUME_TROUBLE if trouble else LeafKind.VOLUME_BACK
    body = {
        # The one that belongs there; null: nobody has ever seen one there. No path: it may name people.
        "volume_uuid": volume_uuid_at(connection, Path(str(row["path"]))),
        "role": str(row["role"]),
        "trouble": trouble or before,
        "since_us": int(str(row["since_us"])),
    }
    append(connection, kind, body, now_us)


def _row(one: VolumeFound, now_us: int) -> dict[str, object]:
    look, space, keep = one.look, one.look.space, one.look.place.keep_free_bytes
    is_same = one.trouble is look.trouble  # else: found out otherwise than by looking
    return {
        "path": str(look.place.path),
        "role": "reserve" if look.place.is_reserve else "normal",
        "volume_id": None if look.volume is None else look.volume.id,
        "trouble": one.trouble or "",
        "expected": look.expected if is_same else "",
        "found": look.found if is_same else "",
        "since_us": one.since_us,
        "device": None if space is None else space.device,
        "total_bytes": None if space is None else space.total_bytes,
        "free_bytes": None if space is None else space.free_bytes,
        "keep_free_bytes": keep,
        "free_inodes": None if space is None else space.free_inodes,
        "write_bps": one.write_bps,
        "hours_left": None if space is None else hours_until_full(space.free_bytes, keep, one.write_bps),
        "protection": look.level,
        "updated_at_us": now_us,
    }


def _state(row: Row) -> VolumeState:
    space = None
    if row["free_bytes"] is not None:
        space = Space(row["device"], row["total_bytes"], row["free_bytes"], row["free_inodes"])
    return VolumeState(
        path=row["path"],
        is_reserve=row["role"] == "reserve",
        volume_id=row["volume_id"],
        trouble=Trouble(row["trouble"]) if row["trouble"] else None,
        expected=row["expected"],
        found=row["found"],
        since_us=row["since_us"],
        space=space,
        keep_free_bytes=row["keep_free_bytes"],
        write_bps=row["write_bps"],
        hours_left=row["hours_left"],
        level=Level(row["protection"]),
        updated_at_us=row["updated_at_us"],
    )
