from dataclasses import replace

from evidence.footage import ClockSource, Origin, Segment, Stream
from evidence.fragments import Fragment
from evidence.timeline import Interval
from exam.clock import SECOND_US
from tests.world import START_US
from web.playlist import playlist

HOUR = Interval(START_US, START_US + 3600 * SECOND_US)


def segment(number: int, started_at_us: int, fragments: int = 2, duration_us: int = 2 * SECOND_US) -> Segment:
    return Segment(
        id=number,
        run_id=1,
        sequence=number,
        camera_uuid="c" * 36,
        volume_path="/volume",
        path=f"{number}.mp4",
        started_at_us=started_at_us,
        ended_at_us=started_at_us + fragments * duration_us,
        media_us=fragments * duration_us,
        clock_source=ClockSource.ARRIVAL,
        camera_offset_us=None,
        size_bytes=5000,
        sha256=bytes(32),
        origin=Origin.LIVE,
        stream=Stream(800, "avc1.64001f", 1920, 1080),
        fragments=[
            Fragment(800 + at * 1000, 1000, at * duration_us, duration_us, started_at_us + at * duration_us)
            for at in range(fragments)
        ],
    )


def address(segment_id: int) -> str:
    return f"../{segment_id}.mp4"


PAST = """\
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-MAP:URI="../7.mp4",BYTERANGE="800@0"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:00:00.040Z
#EXTINF:2.000000,
#EXT-X-BYTERANGE:1000@800
../7.mp4
#EXTINF:2.000000,
#EXT-X-BYTERANGE:1000@1800
../7.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="../8.mp4",BYTERANGE="800@0"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:01:00.000Z
#EXTINF:2.000000,
#EXT-X-BYTERANGE:1000@800
../8.mp4
#EXTINF:2.000000,
#EXT-X-BYTERANGE:1000@1800
../8.mp4
#EXT-X-ENDLIST
"""


def test_each_file_is_a_discontinuity_with_its_own_map_and_wall_time() -> None:
    files = [segment(7, START_US + 40_000), segment(8, START_US + 60 * SECOND_US)]
    assert playlist(files, HOUR, address, complete=True) == PAST


def test_a_playlist_that_may_grow_says_so_and_asks_players_to_come_back_now_and_then() -> None:
    text = playlist([segment(7, START_US)], HOUR, address, complete=False)
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
    assert "#EXT-X-TARGETDURATION:6" in text
    assert "#EXT-X-ENDLIST" not in text


def test_a_growing_playlist_only_gains_lines_at_its_end() -> None:
    first, second = segment(7, START_US), segment(8, START_US + 4 * SECOND_US)
    before = playlist([first], HOUR, address, complete=False)
    assert playlist([first, second], HOUR, address, complete=False).startswith(before)


def test_only_fragments_that_touch_the_interval_are_listed_and_the_first_tells_its_own_time() -> None:
    wanted = Interval(START_US + 3 * SECOND_US, START_US + 4 * SECOND_US)
    text = playlist(
        [segment(7, START_US), segment(8, START_US + 5 * SECOND_US)], wanted, address, complete=True
    )
    assert text.count("#EXTINF") == 1
    assert "#EXT-X-BYTERANGE:1000@1800" in text
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:00:02.000Z" in text
    assert "#EXT-X-DISCONTINUITY" not in text
    assert "8.mp4" not in text


def test_the_target_duration_is_never_shorter_than_a_fragment() -> None:
    slow = segment(7, START_US, duration_us=10_400_000)
    assert "#EXT-X-TARGETDURATION:11" in playlist([slow], HOUR, address, complete=False)


def test_a_change_of_resolution_needs_nothing_but_the_new_map() -> None:
    larger = replace(segment(8, START_US + 4 * SECOND_US), stream=Stream(950, "avc1.640028", 2560, 1440))
    text = playlist([segment(7, START_US), larger], HOUR, address, complete=True)
    assert '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="../8.mp4",BYTERANGE="950@0"' in text


def test_absence_is_never_a_gap_tag_because_players_stop_there() -> None:
    text = playlist(
        [segment(7, START_US), segment(8, START_US + 900 * SECOND_US)], HOUR, address, complete=True
    )
    assert "EXT-X-GAP" not in text


def test_without_footage_the_playlist_is_empty_but_valid() -> None:
    text = playlist([], HOUR, address, complete=True)
    assert text.startswith("#EXTM3U\n")
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert "#EXTINF" not in text
