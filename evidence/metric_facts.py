"""Figures for monitoring, read from the databases whenever somebody asks: nothing is counted on the way.

Everything is cheap on an index of five years: days are narrow, and the last file of a camera is one step.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.database import ReaderDatabase
from evidence.footage import gaps_between

CHECKPOINTS: Final = "{}_checkpoints.db"


@dataclass(frozen=True, slots=True)
class FilesToday:
    """What was ingested of one camera since the day began. Ages and lags are None without any file."""

    count: int
    size_bytes: int
    # From the last picture of the last file to its row.
    ingest_lag_us: int | None
    # Camera clock minus ours, by the last file that told it.
    clock_offset_us: int | None


@dataclass(frozen=True, slots=True)
class GapsToday:
    """Absences of one camera since the day began, with one cause."""

    count: int
    absent_us: int


def files_since(footage: Connection, camera_uuid: str, day_us: int) -> FilesToday:
    """Files of the camera that began since then."""
    row = footage.execute(
        "select count(*) as count, coalesce(sum(size_bytes), 0) as size_bytes from segment"
        " where camera_uuid = ? and started_at_us >= ?",
        (camera_uuid, day_us),
    ).fetchone()
    last = footage.execute(
        "select ended_at_us, ingested_at_us, camera_offset_us from segment"
        " where camera_uuid = ? and started_at_us >= ? order by started_at_us desc limit 1",
        (camera_uuid, day_us),
    ).fetchone()
    if last is None:
        return FilesToday(0, 0, None, None)
    lag_us = last["ingested_at_us"] - last["ended_at_us"]
    return FilesToday(row["count"], row["size_bytes"], lag_us, last["camera_offset_us"])


def gaps_since(footage: Connection, camera_uuid: str, day_us: int, now_us: int) -> dict[str, GapsToday]:
    """Gaps of the camera since then, by cause; one that lasts counts until now."""
    counts: dict[str, int] = defaultdict(int)
    absent: dict[str, int] = defaultdict(int)
    for gap in gaps_between(footage, camera_uuid, day_us, now_us):
        counts[gap.cause] += 1
        ended_us = now_us if gap.ended_at_us is None else min(gap.ended_at_us, now_us)
        absent[gap.cause] += ended_us - max(gap.started_at_us, day_us)
    return {cause: GapsToday(counts[cause], absent[cause]) for cause in counts}


def checkpoint_age_us(data_folder: Path, name: str, now_us: int) -> int | None:
    """How old the last signed checkpoint of a ledger is; None before there was one."""
    path = data_folder / CHECKPOINTS.format(name)
    if not path.exists():
        return None
    reader = ReaderDatabase(path)
    try:
        with reader.read() as connection:
            question = "select signed_at_us from checkpoint order by id desc limit 1"
            row = connection.execute(question).fetchone()
    finally:
        reader.close()
    return None if row is None else max(0, now_us - row["signed_at_us"])


def kiosk_ages_us(exam: Connection, now_us: int) -> dict[str, int]:
    """How long each kiosk in service has been silent, by its label; kiosks never seen are left out."""
    rows = exam.execute(
        "select label, last_seen_at_us from kiosk"
        " where revoked_at_us is null and last_seen_at_us is not null order by id"
    )
    return {row["label"]: max(0, now_us - row["last_seen_at_us"]) for row in rows}
