"""What an export will deliver, read from index and ledger before a byte is copied.

What counts is the ledger: each file and each gap is described by its leaf. The plan is cut into parts when
the medium is too small for all of it; every part is an export of its own, of a shorter interval.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Any, Final

from evidence.footage import LONGEST_SEGMENT_US, SEAM_US, gaps_between
from evidence.ledger import Leaf
from evidence.sound import NO_SOUND, Sound, SoundKind
from evidence.timeline import Interval

# A part holds proofs, lists and scripts beside the footage.
OVERHEAD_BYTES: Final = 8_000_000
PROOF_BYTES: Final = 16_384


class ExportError(Exception):
    """The export cannot be made; the message says why and what to do, in Chinese."""


class RestrictedError(ExportError):
    """The footage may be shown to nobody now (限制处理)."""


class FileState(StrEnum):
    """What becomes of a file that was asked for."""

    DELIVERED = "delivered"
    DAMAGED = "damaged"
    MISSING = "missing"
    DISPOSED = "disposed"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who takes the footage (799号令 第十六条)."""

    name: str
    organisation: str
    second_person: str
    reason: str


@dataclass(frozen=True, slots=True)
class AskedCamera:
    """A view of a room, as people call it."""

    uuid: str
    room: str
    label: str


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """How it is delivered. `max_bytes` None: in one bag; `read_back`: the medium is read again at the end."""

    max_bytes: int | None = None
    with_play: bool = True
    burn_in: bool = False
    read_back: bool = True

    @property
    def copies(self) -> int:
        """How many times the footage's size is written."""
        return 1 + self.with_play + self.burn_in


@dataclass(frozen=True, slots=True)
class ExportWish:
    """An export order in full."""

    order_id: int
    account_id: int
    site: str
    asker: Asker
    cameras: tuple[AskedCamera, ...]
    interval: Interval
    options: CopyOptions
    target: Path


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file of footage by its leaf, and where the index says it lies."""

    leaf: Leaf
    body: dict[str, Any]
    source: Path
    is_disposed: bool = False
    sound: Sound = NO_SOUND

    @property
    def name(self) -> str:
        """Its name in the archive, kept in the bag."""
        return Path(self.body["path"]).name


@dataclass(frozen=True, slots=True)
class PlannedGap:
    """A recorded absence by its latest leaf."""

    leaf: Leaf
    body: dict[str, Any]

    @property
    def name(self) -> str:
        """What its proof is called in the bag."""
        return f"gap-{self.leaf.index}"


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """What there is of one camera. `quarantined` are files of it that are kept but are not footage."""

    camera: AskedCamera
    folder: str
    files: tuple[PlannedFile, ...]
    gaps: tuple[PlannedGap, ...]
    quarantined: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BagPlan:
    """One bag: all cameras over one stretch of time."""

    interval: Interval
    part: int
    parts: int
    cameras: tuple[CameraPlan, ...]

    @property
    def total_bytes(self) -> int:
        """The footage in it."""
        return sum(file.body["size_bytes"] for camera in self.cameras for file in camera.files)

    @property
    def needed_size(self) -> int:
        """How many leaves a checkpoint must cover to prove everything in the bag."""
        files = [file.leaf.index for camera in self.cameras for file in camera.files]
        gaps = [gap.leaf.index for camera in self.cameras for gap in camera.gaps]
        return max(files + gaps, default=-1) + 1


def plan(footage: Connection, wish: ExportWish) -> list[BagPlan]:
    """The bags of an export, earliest first. Raises ExportError when the size limit cannot be kept."""
    whole = [
        _camera_plan(footage, camera, f"camera-{number}", wish.interval)
        for number, camera in enumerate(wish.cameras, 1)
    ]
    intervals = _split(whole, wish.interval, wish.options)
    return [
        BagPlan(interval, part, len(intervals), tuple(_cut(camera, interval) for camera in whole))
        for part, interval in enumerate(intervals, 1)
    ]


def shown_interval(footage: Connection, camera_uuid: str, interval: Interval) -> Interval:
    """What the files of an export show: whole files are delivered, so it begins earlier and ends later."""
    row = footage.execute(
        "select min(started_at_us), max(ended_at_us) from segment"
        " where camera_uuid = ? and started_at_us > ? and started_at_us < ? and ended_at_us > ?",
        (
            camera_uuid,
            interval.from_us - LONGEST_SEGMENT_US - SEAM_US,
            interval.until_us + SEAM_US,
            interval.from_us - SEAM_US,
        ),
    ).fetchone()
    if row[0] is None:
        return interval
    return Interval(min(row[0], interval.from_us), max(row[1], interval.until_us))


def _camera_plan(footage: Connection, camera: AskedCamera, folder: str, interval: Interval) -> CameraPlan:
    # A file that ends within a seam of the interval explains the interval's first moments.
    rows = footage.execute(
        "select segment.id, volume.path as volume_path, segment.path,"
        " disposal.done_at_us is not null as is_disposed, sound, sound_codec"
        " from segment join volume on volume.id = volume_id"
        " join fragment_map on fragment_map.segment_id = segment.id"
        " left join disposal on disposal.segment_id = segment.id"
        " where camera_uuid = ? and started_at_us > ? and started_at_us < ? and ended_at_us > ?"
        " order by started_at_us, run_id, sequence",
        (
            camera.uuid,
            interval.from_us - LONGEST_SEGMENT_US - SEAM_US,
            interval.until_us + SEAM_US,
            interval.from_us - SEAM_US,
        ),
    )
    gaps = gaps_between(footage, camera.uuid, interval.from_us, interval.until_us)
    set_aside = footage.execute(
        "select path, reason from quarantined_file where instr(found_path, ?)"
        " and quarantined_at_us >= ? order by id",
        (camera.uuid, interval.from_us),
    )
    return CameraPlan(
        camera,
        folder,
        tuple(_file(footage, row) for row in rows),
        tuple(_gap(footage, gap.id) for gap in gaps),
        tuple(f"{Path(row['path']).name} ({row['reason']})" for row in set_aside),
    )


def _file(footage: Connection, row: Row) -> PlannedFile:
    found = footage.execute(
        "select id, kind, body, recorded_at_us from ledger_leaf"
        " where kind = 'segment' and json_extract(body, '$.segment_id') = ?",
        (row["id"],),
    ).fetchone()
    if found is None:
        raise ExportError(f"录像片段{row['id']}没有台账记录，不能导出；请联系系统管理员核查索引。")
    source = Path(row["volume_path"]) / row["path"]
    sound = Sound(SoundKind(row["sound"]), row["sound_codec"])
    return PlannedFile(Leaf(*found), json.loads(found["body"]), source, bool(row["is_disposed"]), sound)


def _gap(footage: Connection, gap_id: int) -> PlannedGap:
    found = footage.execute(
        "select id, kind, body, recorded_at_us from ledger_leaf"
        " where kind in ('gap_open', 'gap_end') and json_extract(body, '$.gap_id') = ?"
        " order by id desc limit 1",
        (gap_id,),
    ).fetchone()
    if found is None:
        raise ExportError(f"录像缺口{gap_id}没有台账记录，不能导出；请联系系统管理员核查索引。")
    return PlannedGap(Leaf(*found), json.loads(found["body"]))


def _split(whole: Sequence[CameraPlan], interval: Interval, options: CopyOptions) -> list[Interval]:
    """Stretches of time whose files fit; cut where a file begins."""
    if options.max_bytes is None:
        return [interval]
    files = [file.body for camera in whole for file in camera.files]
    starts = {body["started_at_us"] for body in files}
    cuts = sorted(cut for cut in starts if interval.meets(cut, cut + 1) and cut > interval.from_us)
    made: list[Interval] = []
    from_us = interval.from_us
    for cut, following in pairwise([*cuts, interval.until_us]):
        if _needed(files, Interval(from_us, following), options) > options.max_bytes:
            made.append(Interval(from_us, cut))
            from_us = cut
    made.append(Interval(from_us, interval.until_us))
    if any(_needed(files, stretch, options) > options.max_bytes for stretch in made):
        raise ExportError("单个介质的容量上限过小，放不下一段录像；请加大上限。")
    return made


def _needed(files: Iterable[dict[str, Any]], interval: Interval, options: CopyOptions) -> int:
    sizes: list[int] = [
        body["size_bytes"] * options.copies + PROOF_BYTES for body in files if _meets(body, interval)
    ]
    return OVERHEAD_BYTES + sum(sizes)


def _cut(camera: CameraPlan, interval: Interval) -> CameraPlan:
    files = tuple(file for file in camera.files if _meets(file.body, interval))
    gaps = tuple(gap for gap in camera.gaps if _meets_gap(gap.body, interval))
    return CameraPlan(camera.camera, camera.folder, files, gaps, camera.quarantined)


def _meets(body: dict[str, Any], interval: Interval) -> bool:
    near = Interval(interval.from_us - SEAM_US, interval.until_us + SEAM_US)
    return near.meets(body["started_at_us"], body["ended_at_us"])


def _meets_gap(body: dict[str, Any], interval: Interval) -> bool:
    ended_us = body.get("ended_at_us")
    return body["started_at_us"] < interval.until_us and (ended_us is None or ended_us > interval.from_us)
