"""What a recorded file consists of: its init segment and one fragment per keyframe.

`parse` reads the structure from the boxes alone (never the pictures); `pack` and `unpack_map` are
the one codec of the `fragment_map.fragments` column.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from evidence.boxes import Box, BoxError, FileWindow, boxes_between, child, inner_boxes, unpack
from evidence.codecs import codec_string
from evidence.sound import NO_SOUND, Sound, sound_of
from exam.clock import SECOND_US

NTP_TO_UNIX_S: Final = 2_208_988_800
MAP_VERSION: Final = 1
# A sample longer than this is not a slow camera but a jump of its timestamps.
LONGEST_SAMPLE_US: Final = 10 * SECOND_US
# A fragment that claims more pictures is damaged: an hour, the longest file, has fewer.
MOST_PICTURES: Final = 1 << 20

# A picture so many times shorter than the mean is one without a length; the first so many may be.
_FAR: Final = 8
_FIRST_PICTURES: Final = 8

_TFHD_OPTIONAL: Final = ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4))
_TFHD_DURATION: Final = 0x8
_TRUN_OFFSET, _TRUN_FIRST_FLAGS = 0x1, 0x4
_TRUN_DURATION: Final = 0x100
_BYTES: Final = tuple(bytes([number]) for number in range(0x80))
# How many words each sample takes, by the four flags that give it one each.
_TRUN_WORDS: Final = tuple(flags.bit_count() for flags in range(16))


class FragmentError(Exception):
    """A file holds no playable footage; the message says why."""


class FragmentMapError(Exception):
    """A stored fragment map is damaged or of a version this program does not know."""


class Fragment(NamedTuple):
    """One keyframe and the pictures up to the next, as the index knows it.

    `media_us` counts from the start of its segment; `wall_us` is our wall clock at its first picture.
    """

    offset: int
    size_bytes: int
    media_us: int
    duration_us: int
    wall_us: int


class ParsedFragment(NamedTuple):
    """One fragment as found in the file; `stamp_us` is the UTC time in its `prft` box, if any."""

    offset: int
    size_bytes: int
    media_us: int
    duration_us: int
    stamp_us: int | None


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The structure of one recorded file. Bytes beyond `complete_bytes` are a torn tail or an index box."""

    init_bytes: int
    codec: str
    width_px: int
    height_px: int
    fragments: tuple[ParsedFragment, ...]
    complete_bytes: int
    has_torn_tail: bool
    # Usual time from one picture to the next.
    frame_us: int
    sound: Sound = NO_SOUND
    # Pictures at the beginning that last no time: a connection's first ones come without their own.
    lengthless: int = 0
    # Whether its writer ended it. If not, pictures may have come after the last fragment and are lost.
    is_ended: bool = True

    @property
    def media_us(self) -> int:
        """Length of all complete fragments by the camera's clock."""
        last = self.fragments[-1]
        return last.media_us + last.duration_us


@dataclass(frozen=True, slots=True)
class _Track:
    id: int
    timescale: int
    codec: str
    width_px: int
    height_px: int
    default_duration: int


class _Timing(NamedTuple):
    ticks: int
    pictures: int
    # Whether sound came with the pictures.
    has_sound: bool
    # Lengths of the first few pictures.
    first_ticks: Sequence[int]


class _RawFragment(NamedTuple):
    offset: int
    end: int
    timing: _Timing
    stamp_us: int | None


def parse(path: Path) -> ParsedFile:
    """The structure of a file, up to its last complete fragment. Raises FragmentError when there is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _parse(FileWindow(descriptor), os.fstat(descriptor).st_size)
    except BoxError as error:
        raise FragmentError(f"not a recording: {error}") from error
    finally:
        os.close(descriptor)


def _parse(window: FileWindow, size_bytes: int) -> ParsedFile:
    boxes = boxes_between(window.read, 0, size_bytes)
    moov = next((box for box in boxes if box.name == "moov"), None)
    if moov is None:
        raise FragmentError("the description of the stream (moov) was never written")
    description = window.read(moov.offset, moov.size_bytes)
    track = _video_track(description)
    raw: list[_RawFragment] = []
    with suppress(BoxError):  # lengths can reach the disk before contents: torn here, like a cut
        raw.extend(_raw_fragments(window, boxes, track))
    if not raw:
        raise FragmentError("no fragment was completed")
    lengthless = _lengthless(raw[0].timing)
    fragments = tuple(_timed(raw, track.timescale))
    # The index box that closes a file belongs to it, but only right behind a complete fragment.
    behind = next(boxes_between(window.read, raw[-1].end, size_bytes), None)
    is_ended = behind is not None and behind.name == "mfra"
    ended = behind.end if behind is not None and is_ended else raw[-1].end
    return ParsedFile(
        init_bytes=moov.end,
        codec=track.codec,
        width_px=track.width_px,
        height_px=track.height_px,
        fragments=fragments,
        complete_bytes=ended,
        has_torn_tail=ended != size_bytes,
        frame_us=sum(fragment.duration_us for fragment in fragments)
        // max(1, sum(found.timing.pictures for found in raw) - lengthless),
        sound=sound_of(description, has_samples=any(found.timing.has_sound for found in raw)),
        lengthless=lengthless,
        is_ended=is_ended,
    )


def _timed(raw: Sequence[_RawFragment], timescale: int) -> Iterator[ParsedFragment]:
    # Laid end to end: after a jump of the camera's timestamps the decode times mean nothing.
    ticks = -_lead_ticks(raw[0].timing)
    start_us = 0
    for offset, end, timing, stamp_us in raw:
        ticks += timing.ticks
        end_us = ticks * SECOND_US // timescale
        yield ParsedFragment(offset, end - offset, start_us, end_us - start_us, stamp_us)
        start_us = end_us


def _lead_ticks(timing: _Timing) -> int:
    """By how much the first picture seems too long, because a run's sound began before its pictures."""
    if not timing.has_sound or timing.pictures < 2:
        return 0
    first = timing.first_ticks[0]
    usual = (timing.ticks - first) // (timing.pictures - 1)
    return max(0, first - usual) if first > 2 * usual else 0


def _raw_fragments(window: FileWindow, boxes: Iterable[Box], track: _Track) -> Iterator[_RawFragment]:
    # prft, styp and sidx before a moof belong to its fragment, so that fragments leave no hole.
    start: int | None = None
    stamp_us: int | None = None
    timing: _Timing | None = None
    for name, offset, content, end in boxes:
        start = offset if start is None else start
        if name == "prft":
            stamp_us = _stamp(window.read(offset, end - offset))
        elif name == "moof":
            moof = window.read(offset, end - offset)
            timing = _moof_timing(moof, Box(name, 0, content - offset, end - offset), track)
        elif name == "mdat" and timing is not None:
            if not _is_written(window, content, end):
                return
            yield _RawFragment(start, end, timing, stamp_us)
            start, stamp_us, timing = None, None, None


def _is_written(window: FileWindow, content: int, end: int) -> bool:
    # A power cut can leave the length without the bytes. Neither the length of the first picture
    # nor the end of the last one (a stop bit) can be zero in H.264.
    first = window.read(content, 4)
    last = window.read(max(end - 16, content), 16)
    return any(first) and any(last)


def _stamp(prft: bytes) -> int:
    seconds, fraction = unpack("II", prft, 16)
    # The writer rounds to milliseconds, but stores a binary fraction: round back.
    return (seconds - NTP_TO_UNIX_S) * SECOND_US + (fraction * SECOND_US + (1 << 31) >> 32)


def _moof_timing(moof: bytes, whole: Box, track: _Track) -> _Timing:
    trafs = [box for box in inner_boxes(moof, whole.content, whole.end) if box.name == "traf"]
    for traf in trafs:
        boxes = list(inner_boxes(moof, traf.content, traf.end))
        tfhd = next((box for box in boxes if box.name == "tfhd"), None)
        if tfhd is None:
            raise BoxError("a track's fragment that does not say whose it is")
        if unpack("I", moof, tfhd.content + 4)[0] == track.id:
            durations = _traf_durations(moof, boxes, tfhd, track)
            ticks = _believable(durations, track.timescale)
            return _Timing(ticks, len(durations), len(trafs) > 1, durations[:_FIRST_PICTURES])
    raise BoxError(f"a fragment without track {track.id}")


def _lengthless(timing: _Timing) -> int:
    """How many of the first pictures last far shorter than is usual in their fragment."""
    return sum(own * _FAR * timing.pictures < timing.ticks for own in timing.first_ticks)


def _traf_durations(moof: bytes, boxes: Iterable[Box], tfhd: Box, track: _Track) -> Sequence[int]:
    default = _default_duration(moof, tfhd, track.default_duration)
    durations: Sequence[int] = ()
    for box in boxes:
        if box.name == "trun":
            found = _trun_durations(moof, box, default)
            durations = [*durations, *found] if durations else found
    return durations


def _default_duration(moof: bytes, tfhd: Box, otherwise: int) -> int:
    flags = unpack("I", moof, tfhd.content)[0] & 0xFFFFFF
    if not flags & _TFHD_DURATION:
        return otherwise
    skipped = sum(size for flag, size in _TFHD_OPTIONAL if flag < _TFHD_DURATION and flags & flag)
    return unpack("I", moof, tfhd.content + 8 + skipped)[0]


def _trun_durations(moof: bytes, trun: Box, default: int) -> Sequence[int]:
    flags, count = unpack("II", moof, trun.content)
    if count > MOST_PICTURES:
        raise BoxError(f"a fragment of {count} pictures")
    if not flags & _TRUN_DURATION:
        return [default] * count
    at = trun.content + 8 + 4 * bool(flags & _TRUN_OFFSET) + 4 * bool(flags & _TRUN_FIRST_FLAGS)
    words = _TRUN_WORDS[flags >> 8 & 0xF]
    return unpack(f"{count * words}I", moof, at)[::words]


def _believable(durations: Sequence[int], timescale: int) -> int:
    """The sum, with each sample that a timestamp jump made absurd replaced by the usual one."""
    longest = LONGEST_SAMPLE_US * timescale // SECOND_US
    if max(durations, default=0) <= longest:
        return sum(durations)
    usual = sorted(durations)[len(durations) // 2]
    usual = usual if usual <= longest else timescale // 25
    return sum(ticks if ticks <= longest else usual for ticks in durations)


def _video_track(moov: bytes) -> _Track:
    whole = next(inner_boxes(moov))
    for trak in inner_boxes(moov, whole.content, whole.end):
        if trak.name == "trak" and _is_video(moov, trak):
            return _track(moov, whole, trak)
    raise FragmentError("the file has no video track")


def _is_video(moov: bytes, trak: Box) -> bool:
    handler = child(moov, child(moov, trak, "mdia"), "hdlr")
    return moov[handler.content + 8 : handler.content + 12] == b"vide"


def _track(moov: bytes, whole: Box, trak: Box) -> _Track:
    tkhd = child(moov, trak, "tkhd")
    mdia = child(moov, trak, "mdia")
    mdhd = child(moov, mdia, "mdhd")
    long_times = moov[mdhd.content] == 1
    track_id = unpack("I", moov, tkhd.content + (20 if moov[tkhd.content] == 1 else 12))[0]
    timescale = unpack("I", moov, mdhd.content + (20 if long_times else 12))[0]
    if timescale == 0:
        raise BoxError("a timescale of zero")
    stsd = child(moov, child(moov, child(moov, mdia, "minf"), "stbl"), "stsd")
    entry = next(inner_boxes(moov, stsd.content + 8, stsd.end), None)
    if entry is None:
        raise BoxError("a track that describes no codec")
    width_px, height_px = unpack("HH", moov, entry.content + 24)
    return _Track(
        track_id, timescale, codec_string(moov, entry), width_px, height_px, _trex(moov, whole, track_id)
    )


def _trex(moov: bytes, whole: Box, track_id: int) -> int:
    mvex = child(moov, whole, "mvex")
    for box in inner_boxes(moov, mvex.content, mvex.end):
        if box.name == "trex" and unpack("I", moov, box.content + 4) == (track_id,):
            return unpack("I", moov, box.content + 12)[0]
    return 0


def pack(fragments: Sequence[Fragment]) -> bytes:
    """The column value: version, count, then each fragment as differences from where it was expected."""
    packed = bytearray([MAP_VERSION])
    packed += _unsigned(len(fragments))
    offset = media_us = wall_us = 0
    for fragment in fragments:
        packed += _signed(fragment.offset - offset) + _unsigned(fragment.size_bytes)
        packed += _signed(fragment.media_us - media_us) + _unsigned(fragment.duration_us)
        packed += _signed(fragment.wall_us - wall_us)
        offset = fragment.offset + fragment.size_bytes
        media_us = fragment.media_us + fragment.duration_us
        wall_us = fragment.wall_us + fragment.duration_us
    return bytes(packed)


def unpack_map(packed: bytes) -> list[Fragment]:
    """The fragments again. Raises FragmentMapError for anything `pack` did not write."""
    if packed[:1] != bytes([MAP_VERSION]):
        raise FragmentMapError("a fragment map of an unknown version")
    numbers = _numbers(packed[1:])
    if not numbers or len(numbers) != 1 + 5 * numbers[0]:
        raise FragmentMapError("a damaged fragment map: its length does not fit its count")
    fragments: list[Fragment] = []
    offset = media_us = wall_us = 0
    for at in range(1, len(numbers), 5):
        offset += _unfold(numbers[at])
        media_us += _unfold(numbers[at + 2])
        wall_us += _unfold(numbers[at + 4])
        size_bytes, duration_us = numbers[at + 1], numbers[at + 3]
        fragments.append(Fragment(offset, size_bytes, media_us, duration_us, wall_us))
        offset, media_us, wall_us = offset + size_bytes, media_us + duration_us, wall_us + duration_us
    return fragments


def _unsigned(number: int) -> bytes:
    if number <= 0x7F:  # most differences are none
        return _BYTES[number]
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _signed(number: int) -> bytes:
    return _unsigned(number << 1 if number >= 0 else (-number << 1) - 1)


def _unfold(number: int) -> int:
    return -(number + 1 >> 1) if number & 1 else number >> 1


def _numbers(packed: bytes) -> list[int]:
    numbers: list[int] = []
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            numbers.append(number)
            number = shift = 0
    if shift:
        raise FragmentMapError("a damaged fragment map: it ends inside a number")
    return numbers
