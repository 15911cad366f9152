"""Thumbnails (缩略图): small JPEG pictures of keyframes, for finding a moment. Derived, not evidence.

They lie outside the evidence root, one pair of files per camera and hour (UTC): `HH.pack` holds the
pictures end to end, `HH.index` a record for each. The record is written after its picture, so a killed
writer leaves at most some unused bytes. Nothing is made durable: the footage has it all.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence.timeline import Interval
from exam.clock import MINUTE_US, SECOND_US, from_us

HOUR_US: Final = 60 * MINUTE_US
# A thumbnail this much older than the moment asked for says nothing about it.
NEAR_US: Final = 30 * SECOND_US
# Moment (microseconds UTC), where the picture lies in the pack, its length.
_RECORD: Final = struct.Struct(">QQI")
_JPEG_START: Final = b"\xff\xd8"


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One small picture and the moment it shows."""

    moment_us: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class _Place:
    moment_us: int
    pack: Path
    offset: int
    size_bytes: int


def keep_thumbnail(root: Path, camera_uuid: str, thumbnail: Thumbnail) -> None:
    """Add a thumbnail. Folders that have vanished are made again. Raises OSError when the disk refuses."""
    pack = _hour_file(root, camera_uuid, thumbnail.moment_us)
    pack.parent.mkdir(parents=True, exist_ok=True)
    with pack.open("ab") as pictures:
        offset = pictures.tell()
        pictures.write(thumbnail.jpeg)
    descriptor = os.open(pack.with_suffix(".index"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        size_bytes = os.fstat(descriptor).st_size
        # Over a record that a killed writer left unfinished.
        at = size_bytes - size_bytes % _RECORD.size
        os.pwrite(descriptor, _RECORD.pack(thumbnail.moment_us, offset, len(thumbnail.jpeg)), at)
    finally:
        os.close(descriptor)


def newest_thumbnail(root: Path, camera_uuid: str, now_us: int, within_us: int = HOUR_US) -> Thumbnail | None:
    """The latest thumbnail of a camera, if it is not older than that."""
    return _latest(root, camera_uuid, Interval(now_us - within_us, now_us + 1))


def thumbnail_at(root: Path, camera_uuid: str, moment_us: int, interval: Interval) -> Thumbnail | None:
    """The thumbnail that shows a moment: the last one before it, inside the interval and not long ago."""
    from_us = max(moment_us - NEAR_US, interval.from_us)
    return _latest(root, camera_uuid, Interval(from_us, min(moment_us + 1, interval.until_us)))


def thumbnail_moments(root: Path, camera_uuid: str, interval: Interval) -> list[int]:
    """Of which moments of the interval there are thumbnails, earliest first."""
    return sorted(place.moment_us for place in _places(root, camera_uuid, interval))


def _latest(root: Path, camera_uuid: str, interval: Interval) -> Thumbnail | None:
    for place in sorted(_places(root, camera_uuid, interval), key=lambda each: -each.moment_us):
        jpeg = _picture(place)
        if jpeg is not None:
            return Thumbnail(place.moment_us, jpeg)
    return None


def _places(root: Path, camera_uuid: str, interval: Interval) -> Iterator[_Place]:
    for hour_us in range(interval.from_us // HOUR_US * HOUR_US, interval.until_us, HOUR_US):
        pack = _hour_file(root, camera_uuid, hour_us)
        try:
            records = pack.with_suffix(".index").read_bytes()
        except OSError:  # never written, or given up for room: there are no thumbnails then
            continue
        whole = len(records) - len(records) % _RECORD.size
        for moment_us, offset, size_bytes in _RECORD.iter_unpack(records[:whole]):
            if interval.from_us <= moment_us < interval.until_us:
                yield _Place(moment_us, pack, offset, size_bytes)


def _picture(place: _Place) -> bytes | None:
    try:
        with place.pack.open("rb") as pictures:
            pictures.seek(place.offset)
            jpeg = pictures.read(place.size_bytes)
    except OSError:
        return None
    is_whole = len(jpeg) == place.size_bytes and jpeg.startswith(_JPEG_START)
    return jpeg if is_whole else None


def _hour_file(root: Path, camera_uuid: str, moment_us: int) -> Path:
    hour = from_us(moment_us)
    return root / camera_uuid / f"{hour:%Y-%m-%d}" / f"{hour:%H}.pack"
