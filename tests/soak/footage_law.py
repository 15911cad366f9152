"""The evidence invariants as questions to a stopped site: what is wrong after a crash and a clean start."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from evidence.database import WriterDatabase
from evidence.footage import SEAM_US
from evidence.ledger import LedgerError, recompute, tree_head
from evidence.naming import DAY_MANIFEST, FOOTAGE_FOLDER, GROWING_FOLDER, QUARANTINE_FOLDER

# A gap and the footage beside it may disagree by this much: two ways of measuring one moment.
BLUR_US = SEAM_US


def digest(path: Path) -> bytes:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def files_below(volume: Path) -> list[Path]:
    """Everything that must be accounted for; the days' lists of digests belong to their folders."""
    folders = (volume / name for name in (GROWING_FOLDER, FOOTAGE_FOLDER, QUARANTINE_FOLDER))
    found = (path for folder in folders if folder.exists() for path in sorted(folder.rglob("*")))
    return [path for path in found if path.is_file() and path.name != DAY_MANIFEST]


def broken_laws(
    database: WriterDatabase, volume: Path, acknowledged: dict[str, bytes], kept: Iterable[bytes]
) -> list[str]:
    """What is wrong with a site that has just started and records nothing, in words; empty: all is well.

    `acknowledged`: segment paths the recorder had confirmed, with their digests. `kept`: digests of contents
    that must still lie somewhere.
    """
    with database.read() as connection:
        return [
            *_files_and_rows(connection, volume),
            *_acknowledged(connection, acknowledged),
            *_lost_bytes(volume, kept),
            *_unaccounted(connection),
            *_ledger(connection),
        ]


def _files_and_rows(connection: sqlite3.Connection, volume: Path) -> Iterator[str]:
    segments = connection.execute("select path, size_bytes, sha256 from segment")
    rows = {path: (size, sha) for path, size, sha in segments}
    quarantined = {row[0] for row in connection.execute("select path from quarantined_file")}
    found = {str(path.relative_to(volume)) for path in files_below(volume)}
    for path in sorted(found):
        places = (path in rows) + (path in quarantined)
        if places != 1:
            yield f"{path} has {places} rows"
    for path, (size, sha) in rows.items():
        if path not in found:
            yield f"the file of {path} is gone"
        elif (volume / path).stat().st_size != size or digest(volume / path) != sha:
            yield f"{path} is not what its row says"
    yield from (f"{path} is not in quarantine" for path in sorted(quarantined - found))


def _acknowledged(connection: sqlite3.Connection, acknowledged: dict[str, bytes]) -> Iterator[str]:
    now = dict(connection.execute("select path, sha256 from segment").fetchall())
    for path, sha in acknowledged.items():
        if now.get(path) != sha:
            yield f"the acknowledged segment {path} is lost"


def _lost_bytes(volume: Path, kept: Iterable[bytes]) -> Iterator[str]:
    found = Counter(digest(path) for path in files_below(volume))
    yield from (f"contents {sha.hex()[:12]} are lost" for sha in kept if sha not in found)


def _unaccounted(connection: sqlite3.Connection) -> Iterator[str]:
    cameras = [row[0] for row in connection.execute("select distinct camera_uuid from run")]
    for camera in cameras:
        footage = connection.execute(
            "select started_at_us, ended_at_us from segment where camera_uuid = ?", (camera,)
        ).fetchall()
        gaps = connection.execute(
            "select started_at_us, coalesce(ended_at_us, 1 << 60) from gap where camera_uuid = ?", (camera,)
        ).fetchall()
        parts = sorted([*map(tuple, footage), *map(tuple, gaps)])
        if not any(until_us == 1 << 60 for _, until_us in parts):
            yield f"nothing says that camera {camera[-4:]} does not record now"
        until_us = parts[0][0] if parts else 0
        for start_us, end_us in parts:
            if start_us - until_us > BLUR_US:
                yield f"{(start_us - until_us) / 1e6:.3f} s of camera {camera[-4:]} are unaccounted"
            until_us = max(until_us, end_us)
        for start_us, end_us in footage:
            for gap_us, gap_end_us in gaps:
                if min(end_us, gap_end_us) - max(start_us, gap_us) > BLUR_US:
                    yield f"a gap of camera {camera[-4:]} lies over its footage"


def _ledger(connection: sqlite3.Connection) -> Iterator[str]:
    try:
        if recompute(connection) != tree_head(connection):
            yield "the ledger's root is not that of its leaves"
    except LedgerError as error:
        yield str(error)
    check = [row[0] for row in connection.execute("pragma integrity_check")]
    if check != ["ok"]:
        yield f"the database is damaged: {check[0]}"
    leaves = Counter(row[0] for row in connection.execute("select kind from ledger_leaf"))
    for kind, table in (("segment", "segment"), ("quarantined_file", "quarantined_file")):
        count = connection.execute(f"select count(*) from {table}").fetchone()[0]
        if leaves[kind] != count:
            yield f"{count} rows of {table} have {leaves[kind]} leaves"
