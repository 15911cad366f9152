"""The keyframes of footage files while they grow: bytes for a decoder, and how much followed each.

The recorder flushes one fragment per keyframe. A file is held open from the first look, so that it can be
read to its end although ingest renames it meanwhile. Reading only; nothing here touches a file.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from evidence.boxes import Box, BoxError, child, file_boxes, inner_boxes, unpack
from evidence.fragments import LONGEST_SAMPLE_US
from exam.clock import SECOND_US

# A sample entry's fixed fields before the boxes that describe the codec.
_ENTRY_FIELDS: Final = 78
_SETUP_BOXES: Final = {"avcC": "h264", "hvcC": "hevc"}
_SAMPLE_FIELDS: Final = (0x100, 0x200, 0x400, 0x800)


@dataclass(frozen=True, slots=True)
class CodecSetup:
    """What a decoder must be told before the first picture: codec (h264 or hevc) and its parameters."""

    codec: str
    parameters: bytes


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One fragment: its first sample, our wall clock at that picture, and how much followed it."""

    sample: bytes
    moment_us: int
    duration_us: int
    pictures: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Track:
    id: int
    timescale: int
    setup: CodecSetup
    # Of samples whose fragment says nothing: duration in ticks, size in bytes.
    duration: int
    size: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A complete fragment and where its first video sample lies."""

    sample_at: int
    sample_bytes: int
    duration_us: int
    pictures: int
    size_bytes: int


@dataclass(slots=True)
class GrowingFile:
    """One file, followed from fragment to fragment. Raises OSError on construction when it is gone."""

    path: Path
    _descriptor: int = field(init=False)
    _track: _Track | None = None
    _offset: int = 0

    def __post_init__(self) -> None:
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    @property
    def setup(self) -> CodecSetup | None:
        """How to decode it; None before its description was written, or for a codec we cannot look at."""
        return None if self._track is None else self._track.setup

    def advance(self, longest_backlog: int) -> list[Keyframe]:
        """The fragments completed since the last call; of more than so many only the latest.

        Raises BoxError for what is not a recording of ours, and OSError when the disk does not answer.
        """
        found = os.fstat(self._descriptor)
        fragments = list(self._fragments(found.st_size))
        # The file was last written when its last fragment was flushed: right after that one's last picture.
        moment_us = found.st_mtime_ns // 1000
        keyframes: list[Keyframe] = []
        for fragment in reversed(fragments):
            moment_us -= fragment.duration_us
            if len(keyframes) < longest_backlog:
                keyframes.append(self._keyframe(fragment, moment_us))
        return keyframes[::-1]

    def _keyframe(self, found: _Found, moment_us: int) -> Keyframe:
        sample = os.pread(self._descriptor, found.sample_bytes, found.sample_at)
        return Keyframe(sample, moment_us, found.duration_us, found.pictures, found.size_bytes)

    def _fragments(self, size_bytes: int) -> Iterator[_Found]:
        moof: Box | None = None
        for box in file_boxes(self._descriptor, self._offset, size_bytes):
            if box.name == "moov":
                self._track = _video_track(self._read(box))
                self._offset = box.end
            elif box.name == "moof":
                moof = box
            elif box.name == "mdat" and moof is not None and self._track is not None:
                yield _found(self._read(moof), moof.offset, box, self._track)
                self._offset, moof = box.end, None

    def _read(self, box: Box) -> bytes:
        return os.pread(self._descriptor, box.size_bytes, box.offset)


def _found(moof: bytes, moof_offset: int, mdat: Box, track: _Track) -> _Found:
    whole = next(inner_boxes(moof))
    for traf in inner_boxes(moof, whole.content, whole.end):
        if traf.name != "traf":
            continue
        tfhd, trun = child(moof, traf, "tfhd"), child(moof, traf, "trun")
        if unpack("I", moof, tfhd.content + 4) == (track.id,):
            return _first_sample(moof, (tfhd, trun), (moof_offset, mdat), track)
    raise BoxError(f"a fragment without track {track.id}")


def _first_sample(moof: bytes, heads: tuple[Box, Box], place: tuple[int, Box], track: _Track) -> _Found:
    (tfhd, trun), (moof_offset, mdat) = heads, place
    duration, size = _defaults(moof, tfhd, track)
    flags, count = unpack("II", moof, trun.content)
    at = trun.content + 8
    start = mdat.content
    if flags & 0x1:
        start, at = moof_offset + unpack("i", moof, at)[0], at + 4
    at += 4 * bool(flags & 0x4)
    fields = [flag for flag in _SAMPLE_FIELDS if flags & flag]
    words = unpack(f"{count * len(fields)}I", moof, at)
    ticks = _column(words, fields, 0x100) or [duration] * count
    first_bytes = (_column(words, fields, 0x200) or [size])[0]
    if not (mdat.content <= start <= start + first_bytes <= mdat.end):
        raise BoxError("the first picture lies outside its fragment")
    return _Found(
        sample_at=start,
        sample_bytes=first_bytes,
        duration_us=sum(min(each * SECOND_US // track.timescale, LONGEST_SAMPLE_US) for each in ticks),
        pictures=count,
        size_bytes=mdat.end - moof_offset,
    )


def _column(words: tuple[int, ...], fields: list[int], flag: int) -> list[int]:
    return list(words[fields.index(flag) :: len(fields)]) if flag in fields else []


def _defaults(moof: bytes, tfhd: Box, track: _Track) -> tuple[int, int]:
    """Duration and size of samples in a fragment that does not list them."""
    flags = unpack("I", moof, tfhd.content)[0] & 0xFFFFFF
    at = tfhd.content + 8 + 8 * bool(flags & 0x1) + 4 * bool(flags & 0x2)
    duration, size = track.duration, track.size
    if flags & 0x8:
        duration, at = unpack("I", moof, at)[0], at + 4
    if flags & 0x10:
        size = unpack("I", moof, at)[0]
    return duration, size


def _video_track(moov: bytes) -> _Track | None:
    """The video track; None when there is none, or in a codec that we do not look at."""
    whole = next(inner_boxes(moov))
    for trak in inner_boxes(moov, whole.content, whole.end):
        if trak.name == "trak" and _handler(moov, trak) == b"vide":
            return _track(moov, whole, trak)
    return None


def _handler(moov: bytes, trak: Box) -> bytes:
    handler = child(moov, child(moov, trak, "mdia"), "hdlr")
    return moov[handler.content + 8 : handler.content + 12]


def _track(moov: bytes, whole: Box, trak: Box) -> _Track | None:
    tkhd, mdia = child(moov, trak, "tkhd"), child(moov, trak, "mdia")
    mdhd = child(moov, mdia, "mdhd")
    track_id = unpack("I", moov, tkhd.content + (20 if moov[tkhd.content] == 1 else 12))[0]
    timescale = unpack("I", moov, mdhd.content + (20 if moov[mdhd.content] == 1 else 12))[0]
    stsd = child(moov, child(moov, child(moov, mdia, "minf"), "stbl"), "stsd")
    setup = _setup(moov, next(inner_boxes(moov, stsd.content + 8, stsd.end)))
    if setup is None or timescale == 0:
        return None
    duration, size = _track_defaults(moov, whole, track_id)
    return _Track(track_id, timescale, setup, duration, size)


def _setup(moov: bytes, entry: Box) -> CodecSetup | None:
    for box in inner_boxes(moov, entry.content + _ENTRY_FIELDS, entry.end):
        if box.name in _SETUP_BOXES:
            return CodecSetup(_SETUP_BOXES[box.name], moov[box.content : box.end])
    return None


def _track_defaults(moov: bytes, whole: Box, track_id: int) -> tuple[int, int]:
    mvex = child(moov, whole, "mvex")
    for box in inner_boxes(moov, mvex.content, mvex.end):
        if box.name == "trex" and unpack("I", moov, box.content + 4) == (track_id,):
            duration, size = unpack("II", moov, box.content + 12)
            return duration, size
    return 0, 0
