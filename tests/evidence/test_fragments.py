import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.fragments import (
    Fragment,
    FragmentError,
    FragmentMapError,
    ParsedFile,
    pack,
    parse,
    unpack_map,
)
from tests.evidence.recorded import (
    MFRA,
    Track,
    avc_entry,
    box,
    first_fragment,
    fragment,
    full_box,
    init,
    mdat,
    prft,
    recording,
    traf,
    trun,
    words,
)

NINE_US = 1_795_309_200_000_000


def parsed(tmp_path: Path, content: bytes) -> ParsedFile:
    path = tmp_path / "file.mp4"
    path.write_bytes(content)
    return parse(path)


def moof(*parts: bytes) -> bytes:
    return box("moof", full_box("mfhd", 0, words(1)), *parts)


def test_a_recording_tells_its_stream_and_its_fragments(tmp_path: Path) -> None:
    first, second = fragment(2000, NINE_US), fragment(1960, NINE_US + 2_000_000)
    content = recording(first, second)

    found = parsed(tmp_path, content)

    assert (found.codec, found.width_px, found.height_px) == ("avc1.64001f", 1280, 720)
    assert found.init_bytes == len(init())
    assert [(f.offset, f.size_bytes) for f in found.fragments] == [
        (len(init()), len(first)),
        (len(init()) + len(first), len(second)),
    ]
    assert [(f.media_us, f.duration_us) for f in found.fragments] == [(0, 2_000_000), (2_000_000, 1_960_000)]
    assert [f.stamp_us for f in found.fragments] == [NINE_US, NINE_US + 2_000_000]
    assert (found.complete_bytes, found.has_torn_tail) == (len(content), False)
    assert found.media_us == 3_960_000
    assert found.frame_us == 40_000


def test_fragments_without_a_time_of_day_are_read_too(tmp_path: Path) -> None:
    assert parsed(tmp_path, recording(fragment(2000))).fragments[0].stamp_us is None


def test_a_file_cut_anywhere_keeps_its_complete_fragments_and_never_more(tmp_path: Path) -> None:
    pieces = [fragment(2000, NINE_US), fragment(2000, NINE_US + 2_000_000)]
    whole = recording(*pieces, end=b"")
    ends = [len(init()), len(init()) + len(pieces[0]), len(whole)]
    for size in range(len(whole) + 1):
        complete = sum(1 for end in ends[1:] if end <= size)
        if complete == 0:
            with pytest.raises(FragmentError):
                parsed(tmp_path, whole[:size])
        else:
            found = parsed(tmp_path, whole[:size])
            assert len(found.fragments) == complete
            assert found.complete_bytes == ends[complete]
            assert found.has_torn_tail == (size != ends[complete])


def test_a_tail_of_zeroes_is_a_torn_tail(tmp_path: Path) -> None:
    found = parsed(tmp_path, recording(fragment(2000), end=b"\0" * 4096))
    assert found.has_torn_tail
    assert found.complete_bytes == len(recording(fragment(2000), end=b""))


@pytest.mark.parametrize("zeroed", [slice(8, 12), slice(-16, None)], ids=["first bytes", "last bytes"])
def test_a_fragment_whose_pictures_never_reached_the_disk_is_torn(tmp_path: Path, zeroed: slice) -> None:
    lost = bytearray(mdat(400))
    lost[zeroed] = bytes(len(lost[zeroed]))
    torn = fragment(2000)[: -len(mdat())] + bytes(lost)
    found = parsed(tmp_path, recording(fragment(2000), torn))
    assert len(found.fragments) == 1
    assert found.has_torn_tail


def test_bytes_behind_the_index_box_are_a_torn_tail(tmp_path: Path) -> None:
    assert parsed(tmp_path, recording(fragment(2000), end=MFRA + b"junk")).has_torn_tail


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "never written"),
        (box("ftyp", b"iso5"), "never written"),
        (init(), "no fragment"),
        (init(Track(handler=b"soun")) + fragment(2000), "no video"),
        (init(Track(timescale=0)) + fragment(2000), "timescale"),
        (init(Track(entry=avc_entry(box("btrt")))) + fragment(2000), "avcC"),
        (init(Track(entry=b"")) + fragment(2000), "describes no codec"),
        (init() + moof(traf([512], track=9)) + mdat(), "no fragment"),
        (init() + moof(box("free")) + mdat(), "no fragment"),
        (init() + mdat(), "no fragment"),
        (init() + box("prft", b"123") + fragment(2000), "no fragment"),
        (
            init()
            + moof(box("traf", full_box("tfhd", 0, words(1)), full_box("trun", 0, words(2**32 - 1))))
            + mdat(),
            "no fragment",
        ),
        (init() + moof(box("traf", trun([512] * 50))) + mdat(), "no fragment"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_a_recording_is_refused_with_a_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(FragmentError, match=reason):
        parsed(tmp_path, content)


def test_the_video_track_is_found_beside_sound(tmp_path: Path) -> None:
    head = init(Track(id=2, handler=b"soun"), Track(id=1))
    body = moof(traf([1, 1], track=2), traf([512] * 50)) + mdat()
    assert parsed(tmp_path, head + body).media_us == 2_000_000


def test_sound_that_began_before_the_pictures_makes_none_of_them_longer(tmp_path: Path) -> None:
    head = init(Track(id=1), Track(id=2, handler=b"soun"))
    early = moof(traf([10_000] + [512] * 49), traf([1024] * 40, track=2)) + mdat()
    usual = moof(traf([512] * 50), traf([1024] * 40, track=2)) + mdat()
    assert [f.duration_us for f in parsed(tmp_path, head + early + usual).fragments] == [2_000_000] * 2
    single = moof(traf([10_000]), traf([1024] * 40, track=2)) + mdat()
    assert parsed(tmp_path, head + single).media_us == 781_250


@pytest.mark.parametrize("lengthless", [1, 3])
def test_a_connections_first_pictures_without_a_time_make_the_others_no_shorter(
    tmp_path: Path, lengthless: int
) -> None:
    found = parsed(tmp_path, recording(first_fragment(1960, NINE_US, lengthless=lengthless), fragment(2000)))
    assert found.lengthless == lengthless
    assert found.frame_us == 40_000
    assert [f.duration_us for f in found.fragments] == [1_960_000, 2_000_000]
    assert parsed(tmp_path, recording(fragment(2000))).lengthless == 0


def test_long_times_and_other_codecs_are_understood(tmp_path: Path) -> None:
    entry = box("vp09", b"\0" * 24, b"\x07\x80\x04\x38", b"\0" * 50)
    found = parsed(tmp_path, init(Track(entry=entry, long_times=True)) + fragment(2000))
    assert (found.codec, found.width_px, found.height_px) == ("vp09", 1920, 1080)


@pytest.mark.parametrize(
    ("part", "expected_us"),
    [
        (traf([512] * 50, flags=0xF05), 2_000_000),
        (traf([512] * 50, flags=0x101), 2_000_000),
        (traf([512] * 50, flags=0x000), 2_000_000),
        (traf([1] * 50, flags=0x1, tfhd=full_box("tfhd", 0x8, words(1, 256))), 1_000_000),
        (traf([1] * 50, flags=0x1, tfhd=full_box("tfhd", 0x3B, words(1, 0, 0, 5, 256, 7, 8))), 1_000_000),
    ],
    ids=["every sample field", "no first flags", "from the description", "from the fragment", "all options"],
)
def test_durations_stand_in_the_samples_or_in_the_defaults(
    tmp_path: Path, part: bytes, expected_us: int
) -> None:
    assert parsed(tmp_path, init() + moof(part) + mdat()).media_us == expected_us


def test_without_any_default_a_fragment_has_no_length(tmp_path: Path) -> None:
    foreign = full_box("trex", 0, words(5, 1, 512, 0, 0))
    body = moof(traf([1] * 50, flags=0x1)) + mdat()
    assert parsed(tmp_path, init(defaults=foreign) + body).media_us == 0


def test_a_timestamp_jump_does_not_make_a_minute_last_for_hours(tmp_path: Path) -> None:
    jump = 12_800 * 3600 * 5
    content = init() + moof(traf([512] * 49 + [jump])) + mdat() + moof(traf([jump])) + mdat()
    assert [f.duration_us for f in parsed(tmp_path, content).fragments] == [2_000_000, 40_000]


def test_a_file_made_by_the_real_writer_is_read_and_survives_any_cut(tmp_path: Path) -> None:
    path = tmp_path / "real.mp4"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "3"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "0"),
            *("-write_prft", "wallclock", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"),
            str(path),
        ],
        check=True,
    )
    whole = parse(path)
    assert [f.duration_us for f in whole.fragments] == [1_000_000] * 3
    assert (whole.width_px, whole.height_px) == (320, 240)
    assert whole.codec.startswith("avc1.")
    assert all(f.stamp_us is not None for f in whole.fragments)
    assert not whole.has_torn_tail

    content = path.read_bytes()
    second_end = whole.fragments[2].offset
    for size in (second_end, second_end + 50, whole.complete_bytes - 200):
        cut = parsed(tmp_path, content[:size])
        assert (len(cut.fragments), cut.complete_bytes) == (2, second_end)
        zeroed = parsed(tmp_path, content[:size] + bytes(len(content) - size))
        assert (len(zeroed.fragments), zeroed.has_torn_tail) == (2, True)


_MOMENT = st.integers(0, 1 << 52)
_FRAGMENTS = st.lists(
    st.builds(Fragment, _MOMENT, st.integers(1, 1 << 33), _MOMENT, st.integers(0, 1 << 40), _MOMENT),
    max_size=40,
)


@given(_FRAGMENTS)
def test_a_packed_map_unpacks_to_itself(fragments: list[Fragment]) -> None:
    assert unpack_map(pack(fragments)) == fragments


@given(st.binary(max_size=60))
def test_a_damaged_map_is_refused_and_never_misread(packed: bytes) -> None:
    try:
        fragments = unpack_map(packed)
    except FragmentMapError:
        return
    assert unpack_map(pack(fragments)) == fragments


@pytest.mark.parametrize("packed", [b"", b"\x02\x00", b"\x01", b"\x01\x01\x02", b"\x01\x80"])
def test_a_map_of_another_version_or_length_is_refused(packed: bytes) -> None:
    with pytest.raises(FragmentMapError):
        unpack_map(packed)


def test_a_usual_map_takes_few_bytes() -> None:
    usual = [
        Fragment(800 + i * 1_000_000, 1_000_000, i * 2_000_000, 2_000_000, i * 2_000_000) for i in range(30)
    ]
    assert len(pack(usual)) < 30 * 12


def test_a_stamp_is_the_millisecond_it_was_written_with(tmp_path: Path) -> None:
    stamps = [NINE_US + 1000 * ms for ms in (0, 1, 333, 999)]
    found = parsed(tmp_path, recording(*(prft(stamp) + fragment(2000) for stamp in stamps)))
    assert [f.stamp_us for f in found.fragments] == stamps
