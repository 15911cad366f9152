"""Is every file that a row promises there and what it was, and has every file its row? Nothing is changed."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.check_codes import Code, Depth, Finding
from evidence.day_manifest import read_digests
from evidence.file_digest import sha256_of
from evidence.footage import SEAM_US, Cause
from evidence.naming import DAY_MANIFEST, FOOTAGE_FOLDER, QUARANTINE_FOLDER
from evidence.relocation_rows import copies_under_way
from evidence.volume_look import has_mark


@dataclass(slots=True)
class Cost:
    """What a check has read so far."""

    files: int = 0
    read_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """How closely to look, and whom to tell after each file."""

    depth: Depth
    cost: Cost
    tell: Callable[[Cost], None] = lambda _cost: None


def check_volumes(connection: Connection, look: Look) -> Iterator[Finding]:
    """All footage folders that the index knows."""
    for volume in connection.execute(_VOLUMES).fetchall():
        path = Path(volume["path"])
        is_gone = volume["is_lost"] and not has_mark(path, volume["uuid"])
        try:
            found = set() if is_gone else _files_below(path)
        except OSError as error:
            yield Finding(Code.VOLUME_UNREADABLE, f"{path}: {error.strerror}")
            continue
        closely = replace(look, depth=Depth.PRESENCE) if is_gone else look
        yield from _check_volume(connection, volume["id"], (path, found), closely)


def is_claimed(connection: Connection, path: str) -> bool:
    """Whether a row says that a file lies there, now: one may have come, or moved, while we looked."""
    row = connection.execute(
        "select 1 from volume join segment on volume_id = volume.id"
        " and segment.path = substr(:path, length(volume.path) + 2)"
        " where :path = volume.path || '/' || segment.path"
        " union all select 1 from segment_relocation join segment on segment.id = segment_id"
        " join volume on volume.id in (from_volume_id, to_volume_id)"
        " where released_at_us is null and :path = volume.path || '/' || segment.path",
        {"path": path},
    ).fetchone()
    return row is not None


def check_coverage(connection: Connection) -> Iterator[Finding]:
    """Footage of a camera never overlaps, and between two files of a run nothing is missing without a gap."""
    for (camera,) in connection.execute("select distinct camera_uuid from segment order by 1").fetchall():
        spans = connection.execute(
            "select started_at_us, ended_at_us from segment where camera_uuid = ? order by started_at_us",
            (camera,),
        ).fetchall()
        for (_, ended_us), (started_us, _) in pairwise(spans):
            if ended_us - started_us > SEAM_US:
                yield Finding(Code.FOOTAGE_OVERLAPS, f"camera {camera} at {started_us}")
            elif started_us - ended_us > SEAM_US and not _is_explained(
                connection, camera, ended_us, started_us
            ):
                yield Finding(Code.TIME_UNACCOUNTED, f"camera {camera} from {ended_us} to {started_us}")


def _is_explained(connection: Connection, camera: str, from_us: int, until_us: int) -> bool:
    gaps = connection.execute(
        "select started_at_us, coalesce(ended_at_us, ?) from gap where camera_uuid = ?"
        " and started_at_us < ? and coalesce(ended_at_us, ?) > ? order by started_at_us",
        (until_us, camera, until_us, until_us, from_us),
    ).fetchall()
    reached_us = from_us
    for started_us, ended_us in gaps:
        if started_us - reached_us > SEAM_US:
            return False
        reached_us = max(reached_us, ended_us)
    return until_us - reached_us <= SEAM_US or _is_unscheduled(connection, camera, reached_us, until_us)


def _is_unscheduled(connection: Connection, camera: str, from_us: int, until_us: int) -> bool:
    """Nobody wanted footage then: the run before was ended by the schedule, or by hand."""
    row = connection.execute(
        "select end_cause from run where camera_uuid = ? and ended_at_us between ? and ?"
        " order by ended_at_us desc limit 1",
        (camera, from_us - SEAM_US, until_us),
    ).fetchone()
    return row is not None and row["end_cause"] in (Cause.SCHEDULE_OVER, Cause.CAMERA_RETIRED)


def _files_below(volume: Path) -> set[str]:
    folders = [volume / FOOTAGE_FOLDER, volume / QUARANTINE_FOLDER]
    with os.scandir(volume) as listed:  # a folder that cannot be read is not an empty one
        there = {entry.name for entry in listed}
    return {
        str(path.relative_to(volume))
        for folder in folders
        if folder.name in there
        for path in folder.rglob("*")
        if path.name != DAY_MANIFEST and not path.is_dir()
    }


# Whether a volume was declared lost: what is not there any more is missing, and no disk is to be plugged in.
_VOLUMES: Final = (
    "select id, uuid, path, exists (select 1 from volume_loss where volume_id = volume.id) as is_lost"
    " from volume order by id"
)
# Each file in quarantine: whether its disposal has begun, and whether it is done.
_QUARANTINED: Final = (
    "select path, disposal.segment_id is not null, done_at_us is not null from quarantined_file"
    " left join disposal_remnant on quarantined_file_id = quarantined_file.id"
    " left join disposal on disposal.segment_id = disposal_remnant.segment_id where volume_id = ?"
)


def _check_volume(
    connection: Connection, volume_id: int, where: tuple[Path, set[str]], look: Look
) -> Iterator[Finding]:
    volume, unclaimed = where
    rows = connection.execute(
        "select path, size_bytes, sha256, done_at_us, plan_id from segment"
        " left join disposal on segment_id = segment.id where volume_id = ? order by path",
        (volume_id,),
    )
    for row in rows:
        is_there = row["path"] in unclaimed
        unclaimed.discard(row["path"])
        look.cost.files += 1
        finding = _check_file(volume / row["path"], row, look, is_there=is_there)
        look.tell(look.cost)
        if finding is not None:
            yield Finding(finding, str(volume / row["path"]))
    for path, is_begun, is_gone in connection.execute(_QUARANTINED, (volume_id,)):
        if path in unclaimed and is_gone:
            yield Finding(Code.FILE_DISPOSED_BUT_THERE, str(volume / path))
        elif path not in unclaimed and not is_begun:
            yield Finding(Code.QUARANTINED_MISSING, str(volume / path))
        unclaimed.discard(path)
    if look.depth is not Depth.PRESENCE:
        yield from _check_lists(connection, volume_id, volume)
    unclaimed -= copies_under_way(connection, volume_id)
    yield from (Finding(Code.FILE_STRAY, str(volume / path)) for path in sorted(unclaimed))


def _check_lists(connection: Connection, volume_id: int, volume: Path) -> Iterator[Finding]:
    """The list of digests in each folder says of every file what its row says; disposed ones stay in it."""
    rows = connection.execute(
        "select path, sha256 from segment where volume_id = ? order by path", (volume_id,)
    )
    for folder, files in groupby(rows, lambda row: (volume / row["path"]).parent):
        said = read_digests(folder) if folder.is_dir() else {}
        if any(said.get(Path(row["path"]).name) != row["sha256"] for row in files):
            yield Finding(Code.DIGEST_LIST, str(folder / DAY_MANIFEST))


def _check_file(path: Path, row: Row, look: Look, *, is_there: bool) -> Code | None:
    if row["done_at_us"] is not None:
        return Code.FILE_DISPOSED_BUT_THERE if is_there else None
    if not is_there:
        # A disposal that a crash cut short has named the file before it went, and is gone on with.
        return Code.FILE_MISSING if row["plan_id"] is None else None
    try:
        return None if look.depth is Depth.PRESENCE else _look_into(path, row, look)
    except OSError:
        return Code.FILE_UNREADABLE


def _look_into(path: Path, row: Row, look: Look) -> Code | None:
    if path.stat().st_size != row["size_bytes"]:
        return Code.FILE_SIZE
    if look.depth is Depth.SIZE:
        return None
    look.cost.read_bytes += row["size_bytes"]
    return None if sha256_of(path) == row["sha256"] else Code.FILE_DIGEST
