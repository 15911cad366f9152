"""Fragmented MP4 files made by hand, as small as they can be, for tests of the footage memory."""

import os
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from evidence.fragments import NTP_TO_UNIX_S, ParsedFile
from evidence.naming import SegmentName
from evidence.sound import Sound, SoundKind

TIMESCALE = 12_800
CAMERA = str(UUID(int=0xC1))
CAMERA_2 = str(UUID(int=0xC2))
RUN = str(UUID(int=0xA1))
RUN_2 = str(UUID(int=0xA2))


def box(name: str, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), name.encode()) + content


def full_box(name: str, flags: int, *contents: bytes, version: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *contents)


def words(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def avc_entry(parameters: bytes | None = None) -> bytes:
    avcc = box("avcC", b"\x01\x64\x00\x1f\xff") if parameters is None else parameters
    return box("avc1", b"\0" * 24, struct.pack(">HH", 1280, 720), b"\0" * 50, avcc)


@dataclass(frozen=True, slots=True)
class Track:
    """The description of one stream; tests replace the parts they are about."""

    id: int = 1
    handler: bytes = b"vide"
    entry: bytes = field(default_factory=avc_entry)
    timescale: int = TIMESCALE
    long_times: bool = False
    name: bytes = b""

    def boxes(self) -> bytes:
        version = int(self.long_times)
        times = b"\0" * (16 if self.long_times else 8)
        return box(
            "trak",
            full_box("tkhd", 3, times, words(self.id, 0), version=version),
            box(
                "mdia",
                full_box("mdhd", 0, times, words(self.timescale, 0), version=version),
                full_box("hdlr", 0, words(0), self.handler, words(0, 0, 0), self.name + b"\0"),
                box("minf", box("stbl", full_box("stsd", 0, words(1), self.entry))),
            ),
        )


def init(*tracks: Track, defaults: bytes | None = None) -> bytes:
    described = tracks or (Track(),)
    trex = b"".join(full_box("trex", 0, words(track.id, 1, 512, 0, 0)) for track in described)
    mvex = box("mvex", trex if defaults is None else defaults)
    return box("ftyp", b"iso5") + box("moov", full_box("mvhd", 0), *(t.boxes() for t in described), mvex)


def prft(stamp_us: int) -> bytes:
    seconds, rest_us = divmod(stamp_us, 1_000_000)
    fraction = (rest_us << 32) // 1_000_000
    return full_box("prft", 24, words(1, seconds + NTP_TO_UNIX_S, fraction, 0, 0), version=1)


def trun(durations: list[int], *, flags: int = 0x105) -> bytes:
    """Samples with their durations; further flags of the table add fields that the parser must step over."""
    per_sample = [[ticks] if flags & 0x100 else [] for ticks in durations]
    extra = [7] * sum(1 for flag in (0x200, 0x400, 0x800) if flags & flag)
    head = [len(durations), *([0] if flags & 0x1 else []), *([0] if flags & 0x4 else [])]
    return full_box("trun", flags, words(*head, *(word for own in per_sample for word in own + extra)))


def traf(durations: list[int], *, track: int = 1, tfhd: bytes | None = None, flags: int = 0x105) -> bytes:
    head = full_box("tfhd", 0x20000, words(track)) if tfhd is None else tfhd
    return box("traf", head, full_box("tfdt", 0, words(0, 0), version=1), trun(durations, flags=flags))


def mdat(size: int = 40) -> bytes:
    return box("mdat", words(size - 4), b"\x65" * (size - 4))


def fragment(duration_ms: int, stamp_us: int | None = None, *, frames: int = 0) -> bytes:
    """One fragment of pictures 40 ms apart (or so many pictures), with its time of day."""
    count = frames or max(1, duration_ms // 40)
    ticks = duration_ms * TIMESCALE // 1000
    durations = [ticks // count] * (count - 1)
    durations.append(ticks - sum(durations))
    stamp = b"" if stamp_us is None else prft(stamp_us)
    return stamp + box("moof", full_box("mfhd", 0, words(1)), traf(durations)) + mdat()


def first_fragment(duration_ms: int, stamp_us: int | None = None, *, lengthless: int = 1) -> bytes:
    """The first fragment of a connection: its first pictures came without a time and have one tick each."""
    count = duration_ms // 40
    ticks = [1] * lengthless + [TIMESCALE // 25] * count
    ticks[lengthless] -= lengthless
    stamp = b"" if stamp_us is None else prft(stamp_us)
    return stamp + box("moof", full_box("mfhd", 0, words(1)), traf(ticks)) + mdat()


MFRA = box("mfra", b"\0" * 8)


def recording(*fragments: bytes, end: bytes = MFRA) -> bytes:
    return init() + b"".join(fragments) + end


def sender_reported(first_us: int, lengths_ms: list[int]) -> list[bytes]:
    """Fragments stamped with the camera's time of their own first picture, one picture late."""
    made: list[bytes] = []
    camera_us = first_us + 40_000
    for length_ms in lengths_ms:
        made.append(fragment(length_ms, camera_us))
        camera_us += length_ms * 1000
    return made


def flush_stamped(first_us: int, lengths_ms: list[int], *, late_us: int = 0) -> list[bytes]:
    """Fragments stamped when the keyframe after them had arrived, one picture late."""
    made: list[bytes] = []
    flushed_us = first_us + 40_000 + late_us
    for length_ms in lengths_ms:
        flushed_us += length_ms * 1000
        made.append(fragment(length_ms, flushed_us))
    return made


def derived_sound(parsed: ParsedFile) -> ParsedFile:
    """The same file, beside whose pictures transcoded sound lies."""
    return replace(parsed, sound=Sound(SoundKind.DERIVED, "pcm_alaw"))


def growing_name(sequence: int = 0, *, camera: str = CAMERA, run: str = RUN) -> str:
    return SegmentName(camera, run, sequence).path()


def put(folder: Path, found: str, content: bytes, *, closed_at_us: int | None = None) -> Path:
    path = folder / found
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if closed_at_us is not None:
        os.utime(path, ns=(closed_at_us * 1000, closed_at_us * 1000))
    return path
