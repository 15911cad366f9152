"""Keyframes of growing files: the first sample of each fragment, whatever else is there."""

import os
import struct
from pathlib import Path

import pytest

from evidence.boxes import BoxError
from evidence.keyframes import CodecSetup, GrowingFile, Keyframe
from tests.evidence.recorded import TIMESCALE, Track, avc_entry, box, full_box, init, words

FLUSHED_US = 1_795_309_200_000_000
KEYFRAME = b"\x00\x00\x00\x05\x65key!"
LATER = b"\x00\x00\x00\x03\x41lat"
TICKS = TIMESCALE // 25
DATA_OFFSET, FIRST_FLAGS, DURATIONS, SIZES, FLAGS, SHIFTS = 0x1, 0x4, 0x100, 0x200, 0x400, 0x800


def fragment(
    samples: tuple[bytes, ...] = (KEYFRAME, LATER, LATER),
    *,
    flags: int = DATA_OFFSET | FIRST_FLAGS | DURATIONS | SIZES,
    tfhd: bytes | None = None,
    off_by: int = 0,
    sound: bytes = b"",
) -> bytes:
    """One fragment with exactly these samples; `sound` lies before them, in a track of its own."""

    def moof(offset: int) -> bytes:
        rows = b""
        for sample in samples:
            row = [
                (DURATIONS, TICKS), (SIZES, len(sample)), (FLAGS, 0), (SHIFTS, 0)
            ]  # fmt: skip
            rows += words(*(value for flag, value in row if flags & flag))
        head = words(len(samples)) + (struct.pack(">i", offset) if flags & DATA_OFFSET else b"")
        head += words(0) if flags & FIRST_FLAGS else b""
        video = box("traf", tfhd or full_box("tfhd", 0x20000, words(1)), full_box("trun", flags, head, rows))
        other = box("traf", full_box("tfhd", 0x20000, words(2)), full_box("trun", 0, words(1)))
        return box("moof", full_box("mfhd", 0, words(1)), *([other] if sound else []), video)

    offset = len(moof(0)) + 8 + len(sound) + off_by
    return moof(offset) + box("mdat", sound + b"".join(samples))


def grown(tmp_path: Path, *parts: bytes) -> Path:
    path = tmp_path / "growing.mp4"
    path.write_bytes(b"".join(parts))
    os.utime(path, ns=(FLUSHED_US * 1000, FLUSHED_US * 1000))
    return path


def test_every_fragment_gives_its_keyframe_and_how_much_followed(tmp_path: Path) -> None:
    one = fragment()
    path = grown(tmp_path, init(), one, fragment((KEYFRAME, LATER)))
    with GrowingFile(path) as file:
        assert file.setup is None
        first, second = file.advance(9)
        assert file.setup == CodecSetup("h264", b"\x01\x64\x00\x1f\xff")
    assert first == Keyframe(KEYFRAME, FLUSHED_US - 200_000, 120_000, 3, len(one))
    assert (second.moment_us, second.duration_us, second.pictures) == (FLUSHED_US - 80_000, 80_000, 2)


def test_a_file_is_followed_as_it_grows_and_after_it_was_renamed(tmp_path: Path) -> None:
    path = grown(tmp_path, init()[:40])
    with GrowingFile(path) as file:
        assert file.advance(9) == []
        torn = fragment()
        path.write_bytes(init() + fragment() + torn[:-3])
        assert len(file.advance(9)) == 1
        moved = path.rename(tmp_path / "ingested.mp4")
        moved.write_bytes(init() + fragment() + torn + fragment())
        assert len(file.advance(9)) == 2
        assert file.advance(9) == []


def test_of_a_backlog_only_the_latest_fragments_are_read(tmp_path: Path) -> None:
    path = grown(tmp_path, init(), *[fragment()] * 5)
    with GrowingFile(path) as file:
        assert [keyframe.moment_us for keyframe in file.advance(2)] == [
            FLUSHED_US - 240_000,
            FLUSHED_US - 120_000,
        ]


def test_sound_before_the_picture_is_stepped_over(tmp_path: Path) -> None:
    path = grown(tmp_path, init(), fragment(sound=b"la la la"))
    with GrowingFile(path) as file:
        assert [keyframe.sample for keyframe in file.advance(9)] == [KEYFRAME]


def test_what_samples_do_not_say_the_fragment_or_the_track_says(tmp_path: Path) -> None:
    size = len(KEYFRAME)
    plain = full_box("tfhd", 0x20000, words(1))
    told = full_box("tfhd", 0x2003B, words(1), words(0, 0), words(0), words(TICKS), words(size), words(0))
    by_track = full_box("trex", 0, words(1, 1, TICKS, size, 0))
    other_track = full_box("trex", 0, words(9, 1, 1, 1, 0))
    no_trex = b""
    for defaults, tfhd, duration_us in (
        (by_track, plain, 80_000),
        (other_track + by_track, plain, 80_000),
        (no_trex, told, 80_000),
    ):
        content = fragment((KEYFRAME, KEYFRAME), flags=FLAGS | SHIFTS, tfhd=tfhd)
        with GrowingFile(grown(tmp_path, init(defaults=defaults), content)) as file:
            (found,) = file.advance(9)
        assert (found.sample, found.duration_us) == (KEYFRAME, duration_us)


def test_without_any_size_the_picture_is_empty(tmp_path: Path) -> None:
    content = fragment((KEYFRAME,), flags=0)
    with GrowingFile(grown(tmp_path, init(defaults=b""), content)) as file:
        assert [keyframe.sample for keyframe in file.advance(9)] == [b""]


def test_a_picture_outside_its_fragment_is_refused(tmp_path: Path) -> None:
    with GrowingFile(grown(tmp_path, init(), fragment(off_by=4000))) as file, pytest.raises(BoxError):
        file.advance(9)


def test_a_fragment_of_another_track_is_refused(tmp_path: Path) -> None:
    strange = fragment(tfhd=full_box("tfhd", 0x20000, words(7)))
    with GrowingFile(grown(tmp_path, init(), strange)) as file, pytest.raises(BoxError, match="track 1"):
        file.advance(9)


def test_h265_is_told_from_h264(tmp_path: Path) -> None:
    entry = box("hvc1", avc_entry()[8:86], box("hvcC", b"\x01hevc"))
    with GrowingFile(grown(tmp_path, init(Track(entry=entry, long_times=True)), fragment())) as file:
        assert len(file.advance(9)) == 1
        assert file.setup == CodecSetup("hevc", b"\x01hevc")


@pytest.mark.parametrize(
    "track",
    [
        Track(handler=b"soun"),
        Track(timescale=0),
        Track(entry=box("vp09", avc_entry()[8:86], box("vpcC", b"\x01"))),
    ],
    ids=["sound only", "no timescale", "another codec"],
)
def test_a_stream_that_cannot_be_looked_at_has_no_keyframes(tmp_path: Path, track: Track) -> None:
    with GrowingFile(grown(tmp_path, init(track), fragment())) as file:
        assert file.advance(9) == []
        assert file.setup is None
