"""Index time equals picture time, whatever the camera's clock says.

`FIRST_US` is when the first picture of the file was really taken; the camera's clock is 7.3 s ahead.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from evidence.footage import ClockSource
from evidence.fragments import ParsedFile, parse
from evidence.picture_time import Before, ClockBreak, Closing, Ending, Placement, place, shifted
from exam.clock import SECOND_US
from tests.evidence.recorded import (
    MFRA,
    derived_sound,
    first_fragment,
    flush_stamped,
    fragment,
    put,
    recording,
    sender_reported,
)

FIRST_US = 1_795_309_200_000_000
AHEAD_US = 7_300_000
FRAME_US = 40_000
MS = 1000


def walls(placement: Placement) -> list[int]:
    return [fragment.wall_us - FIRST_US for fragment in placement.fragments]


@pytest.fixture
def parsed(tmp_path: Path):  # type: ignore[no-untyped-def]
    def parse_recording(fragments: list[bytes], end: bytes = MFRA) -> ParsedFile:
        return parse(put(tmp_path, "file.mp4", recording(*fragments, end=end)))

    return parse_recording


def next_keyframe(length_us: int, transport_us: int = 0) -> Closing:
    """Closed by the keyframe that followed, seen when the picture after it began to arrive."""
    return Closing(FIRST_US + length_us + transport_us + FRAME_US)


def test_with_sender_reports_the_cameras_wrong_clock_is_measured_and_taken_off(parsed) -> None:
    file = parsed(sender_reported(FIRST_US + AHEAD_US, [2000, 2000, 2000]))
    placement = place(file, next_keyframe(6_000_000, 3 * MS), None)
    assert placement.clock_source is ClockSource.SENDER_REPORTS
    assert walls(placement) == [3 * MS, 2_003 * MS, 4_003 * MS]
    assert placement.camera_offset_us == AHEAD_US - 3 * MS
    assert (placement.started_at_us, placement.ended_at_us) == (FIRST_US + 3 * MS, FIRST_US + 6_003 * MS)


def test_a_slow_delivery_does_not_move_the_time_once_a_faster_one_was_seen(parsed) -> None:
    file = parsed(sender_reported(FIRST_US + AHEAD_US, [2000, 2000]))
    before = Before(FIRST_US, camera_offset_us=AHEAD_US)
    placement = place(file, next_keyframe(4_000_000, 900 * MS), before)
    assert walls(placement) == [2 * MS, 2_002 * MS]  # as much as a clock may drift in four seconds


def test_a_camera_whose_clock_was_set_between_two_files_is_measured_anew(parsed) -> None:
    file = parsed(sender_reported(FIRST_US - 60 * SECOND_US, [2000, 2000]))
    before = Before(FIRST_US, camera_offset_us=AHEAD_US)
    placement = place(file, next_keyframe(4_000_000), before)
    assert walls(placement) == [0, 2_000_000]
    assert placement.camera_offset_us == -60 * SECOND_US


def test_a_camera_whose_clock_was_set_within_a_file_keeps_its_pictures_in_place(parsed) -> None:
    before_set = sender_reported(FIRST_US + AHEAD_US, [2000, 2000])
    after_set = sender_reported(FIRST_US + 4_000_000 - 60 * SECOND_US, [2000])
    placement = place(parsed(before_set + after_set), next_keyframe(6_000_000), Before(FIRST_US, AHEAD_US))
    assert walls(placement) == [0, 2_000_000, 4_000_000]


def test_without_sender_reports_the_arrival_of_keyframes_tells_the_time(parsed) -> None:
    file = parsed(flush_stamped(FIRST_US, [2000, 2000, 2000]))
    placement = place(file, next_keyframe(6_000_000), None)
    assert placement.clock_source is ClockSource.ARRIVAL
    assert placement.camera_offset_us is None
    assert walls(placement) == [0, 2_000_000, 4_000_000]


def test_the_earliest_arrival_is_the_best(parsed) -> None:
    late = [*flush_stamped(FIRST_US, [2000], late_us=700 * MS), *flush_stamped(FIRST_US + 2_000_000, [2000])]
    assert walls(place(parsed(late), next_keyframe(4_000_000), None)) == [0, 2_000_000]


def test_a_file_continues_where_the_one_before_it_ended(parsed) -> None:
    file = parsed(flush_stamped(FIRST_US, [2000], late_us=700 * MS))
    placement = place(file, next_keyframe(2_000_000, 700 * MS), Before(FIRST_US, None))
    assert walls(placement) == [1 * MS]


def test_sender_reports_that_begin_later_are_used_from_then_on(parsed) -> None:
    file = parsed(sender_reported(FIRST_US + AHEAD_US, [2000]))
    assert walls(place(file, next_keyframe(2_000_000), Before(FIRST_US, None))) == [0]


def test_a_file_without_stamps_is_placed_by_its_closing(parsed) -> None:
    placement = place(parsed([fragment(2000), fragment(2000)]), next_keyframe(4_000_000), None)
    assert walls(placement) == [0, 2_000_000]


def test_a_short_last_fragment_of_a_camera_with_a_right_clock_is_not_taken_for_a_flush(parsed) -> None:
    file = parsed(sender_reported(FIRST_US, [2000, 2000, 40]))
    placement = place(file, Closing(FIRST_US + 4_040_000 + 10 * MS, Ending.INTERRUPTED), None)
    assert placement.clock_source is ClockSource.SENDER_REPORTS
    assert walls(placement)[0] in range(FRAME_US + 1)


def test_a_short_last_fragment_flushed_at_the_end_is_recognised(parsed) -> None:
    whole, last = flush_stamped(FIRST_US, [2000]), flush_stamped(FIRST_US + 2_000_000, [40])
    file = parsed(whole + last)
    placement = place(file, Closing(FIRST_US + 2_080_000, Ending.INTERRUPTED), None)
    assert placement.clock_source is ClockSource.ARRIVAL
    assert walls(placement) == [0, 2_000_000]


def test_after_a_stall_the_last_word_counts_and_not_when_patience_ended(parsed) -> None:
    stamps = [*flush_stamped(FIRST_US, [2000]), fragment(1000, FIRST_US + 7_500_000)]
    closing = Closing(FIRST_US + 7_500_000, Ending.CAMERA_SILENT, arrived_by_us=FIRST_US + 2_960_000)
    placement = place(parsed(stamps), closing, None)
    assert placement.clock_source is ClockSource.ARRIVAL
    assert walls(placement) == [0, 2_000_000]


def test_with_sender_reports_a_stall_does_not_shift_the_pictures(parsed) -> None:
    file = parsed(sender_reported(FIRST_US + AHEAD_US, [2000, 1000]))
    closing = Closing(FIRST_US + 7_500_000, Ending.CAMERA_SILENT, arrived_by_us=FIRST_US + 2_960_000)
    assert walls(place(file, closing, None)) == [0, 2_000_000]


@pytest.mark.parametrize("step_us", [-3_600_000_000, -600_000, 600_000, 3_600_000_000])
@pytest.mark.parametrize("good", [1, 2], ids=["one good stamp", "two good stamps"])
def test_stamps_taken_after_the_clock_was_set_are_not_believed(parsed, step_us: int, good: int) -> None:
    lengths = [2000] * good
    set_at_us = FIRST_US + good * 2_000_000 + 1_200_000
    after = flush_stamped(FIRST_US + good * 2_000_000 + step_us, [2000])
    closed_at_us = FIRST_US + (good + 1) * 2_000_000 + FRAME_US + step_us
    closing = Closing(closed_at_us, clock_break=ClockBreak(step_us, last_good_us=set_at_us - 200 * MS))
    placement = place(parsed(flush_stamped(FIRST_US, lengths) + after), closing, None)
    assert placement.clock_source is ClockSource.ARRIVAL
    assert walls(placement) == [index * 2_000_000 for index in range(good + 1)]


def test_a_clock_set_in_the_first_fragment_leaves_the_closing_to_go_by(parsed) -> None:
    hour_us = 3_600_000_000
    file = parsed(flush_stamped(FIRST_US + hour_us, [2000]))
    closing = Closing(
        FIRST_US + hour_us + 2_000_000 + FRAME_US, clock_break=ClockBreak(hour_us, FIRST_US + 1_000_000)
    )
    assert walls(place(file, closing, None)) == [0]


def test_files_without_stamps_survive_a_set_clock_too(parsed) -> None:
    closing = Closing(FIRST_US + 2_000_000 + FRAME_US - 700_000, clock_break=ClockBreak(-700_000, FIRST_US))
    assert walls(place(parsed([fragment(2000)]), closing, None)) == [0]


def test_a_promised_start_moves_every_picture_and_the_offset(parsed) -> None:
    placement = place(
        parsed(sender_reported(FIRST_US + AHEAD_US, [2000, 2000])), next_keyframe(4_000_000), None
    )
    moved = shifted(placement, FIRST_US + 500)
    assert walls(moved) == [500, 2_000_500]
    assert moved.camera_offset_us == AHEAD_US - 500
    by_arrival = place(parsed(flush_stamped(FIRST_US, [2000])), next_keyframe(2_000_000), None)
    assert shifted(by_arrival, FIRST_US + 500).camera_offset_us is None


def test_stamps_from_before_the_clock_was_set_all_count(parsed) -> None:
    file = parsed(flush_stamped(FIRST_US, [2000, 1000]))
    closing = Closing(
        FIRST_US + 3_000_000 - 700_000,
        Ending.INTERRUPTED,
        clock_break=ClockBreak(-700_000, FIRST_US + 2_900_000),
    )
    assert walls(place(file, closing, None)) == [0, 2_000_000]


@pytest.mark.parametrize("stamp_us", [None, FIRST_US + AHEAD_US + FRAME_US])
def test_the_first_picture_of_a_connection_has_no_length_and_the_others_are_dated_right(
    parsed, stamp_us: int | None
) -> None:
    rest = sender_reported(FIRST_US + AHEAD_US + 2_000_000, [2000])
    file = parsed([first_fragment(1960, stamp_us), *rest])
    placement = place(file, next_keyframe(4_000_000), None)
    assert placement.clock_source is ClockSource.SENDER_REPORTS
    assert walls(placement) == [FRAME_US, 2_000_000]


def test_a_connection_that_brought_a_single_group_of_pictures_is_dated_by_its_second_picture(parsed) -> None:
    file = parsed([first_fragment(1960, FIRST_US + AHEAD_US + FRAME_US)])
    assert walls(place(file, next_keyframe(2_000_000), None)) == [FRAME_US]


def test_without_reports_too_the_first_picture_gives_way(parsed) -> None:
    file = parsed([first_fragment(1960, FIRST_US + 2_000_000 + FRAME_US)])
    placement = place(file, next_keyframe(2_000_000), None)
    assert (placement.clock_source, walls(placement)) == (ClockSource.ARRIVAL, [FRAME_US])


def test_a_stamp_that_is_missing_before_a_flush_tells_nothing(parsed) -> None:
    file = parsed([first_fragment(1960), fragment(2000, FIRST_US + 4_000_000 + FRAME_US)])
    placement = place(file, next_keyframe(4_000_000), None)
    assert (placement.clock_source, walls(placement)) == (ClockSource.ARRIVAL, [FRAME_US, 2_000_000])


HELD_US = 128 * MS


def test_a_keyframe_that_waited_for_transcoded_sound_does_not_date_pictures_late(parsed) -> None:
    file = derived_sound(parsed(sender_reported(FIRST_US + AHEAD_US, [2000, 2000])))
    placement = place(file, next_keyframe(4_000_000, HELD_US), None)
    assert walls(placement) == [0, 2_000_000]
    assert placement.camera_offset_us == AHEAD_US


def test_flush_times_that_waited_for_transcoded_sound_are_put_right(parsed) -> None:
    file = derived_sound(parsed(flush_stamped(FIRST_US, [2000, 2000], late_us=HELD_US)))
    assert walls(place(file, next_keyframe(4_000_000, HELD_US), None)) == [0, 2_000_000]


def test_the_end_of_a_connection_waits_for_no_sound(parsed) -> None:
    file = derived_sound(parsed(sender_reported(FIRST_US + AHEAD_US, [2000, 2000])))
    closing = Closing(FIRST_US + 4_000_000, Ending.INTERRUPTED)
    assert walls(place(file, closing, None)) == [0, 2_000_000]


# The disk took two seconds more of pictures from the camera, and none of them to the file.
CUT = Closing(FIRST_US + 3_640_000 + FRAME_US, Ending.INTERRUPTED)


def test_a_file_that_was_cut_off_begins_where_the_one_before_it_ended(parsed) -> None:
    placement = place(parsed(flush_stamped(FIRST_US, [2000]), b""), CUT, Before(FIRST_US, None))
    assert (placement.clock_source, walls(placement)) == (ClockSource.ARRIVAL, [0])


@pytest.mark.parametrize("end", [b"", b"\0\0\0\x40moofhalf"], ids=["cut", "torn"])
def test_the_first_file_of_a_run_that_was_cut_off_begins_where_the_child_said(parsed, end: bytes) -> None:
    closing = replace(CUT, began_by_us=FIRST_US + 30 * MS)
    placement = place(parsed(flush_stamped(FIRST_US, [2000]), end), closing, None)
    assert (placement.clock_source, walls(placement)) == (ClockSource.ARRIVAL, [0])
    unstamped = place(parsed([fragment(2000)], end), closing, None)
    assert walls(unstamped) == [30 * MS]


@pytest.mark.parametrize("offset_us", [0, AHEAD_US, -3_600 * SECOND_US])
def test_a_camera_with_reports_is_not_dated_late_either_when_its_file_was_cut_off(
    parsed, offset_us: int
) -> None:
    file = parsed(sender_reported(FIRST_US + offset_us, [2000, 2000]), b"")
    closing = replace(CUT, at_us=FIRST_US + 5_640_000, began_by_us=FIRST_US + 30 * MS)
    first = place(file, closing, None)
    assert (first.clock_source, walls(first)) == (ClockSource.SENDER_REPORTS, [30 * MS, 2_030 * MS])
    for known_us in (None, offset_us, offset_us + 60 * SECOND_US):  # its clock was set between the files
        later = place(file, closing, Before(FIRST_US, known_us))
        assert later.clock_source is ClockSource.SENDER_REPORTS
        assert walls(later)[0] in range(3 * MS)


def test_a_file_that_its_writer_ended_is_dated_by_its_closing(parsed) -> None:
    file = parsed(sender_reported(FIRST_US + AHEAD_US, [2000]))
    assert walls(place(file, replace(next_keyframe(2_000_000), began_by_us=FIRST_US - SECOND_US), None)) == [
        0
    ]


def test_a_cut_file_of_which_nothing_else_is_known_is_dated_by_its_closing(parsed) -> None:
    assert walls(place(parsed(flush_stamped(FIRST_US, [2000]), b""), CUT, None)) == [1_680 * MS]
