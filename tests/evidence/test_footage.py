from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.footage import (
    CameraState,
    Cause,
    Gap,
    Recording,
    Span,
    camera_states,
    gaps_between,
    seek,
    segment,
    segments_between,
    spans_between,
)
from evidence.footage_rows import add_clock_step, end_absence, note_absence, write_states
from evidence.ingest import ingest
from tests.evidence.recorded import CAMERA, CAMERA_2, RUN_2, flush_stamped, growing_name, recording
from tests.evidence.store import EVER, FIRST_US, Footage, open_footage


@pytest.fixture
def footage(tmp_path: Path) -> Iterator[Footage]:
    """Eight seconds in two files of one run, then ten seconds later four more in another run."""
    with open_footage(tmp_path) as opened:
        for sequence in range(2):
            ingest(opened.store, opened.grow(sequence, FIRST_US + sequence * 4_000_000))
        start_us = FIRST_US + 18_000_000
        later = recording(*flush_stamped(start_us, [2000, 2000]))
        ingest(opened.store, opened.put(growing_name(run=RUN_2), later, start_us + 4_040_000))
        yield opened


def gaps(footage: Footage, from_us: int = 0, until_us: int = EVER) -> list[Gap]:
    with footage.database.read() as connection:
        return gaps_between(connection, CAMERA, from_us, until_us)


def test_a_moment_is_found_in_its_segment_and_fragment(footage: Footage) -> None:
    with footage.database.read() as connection:
        found = seek(connection, CAMERA, FIRST_US + 6_500_000)
        assert found is not None
        at, fragment, inside_us = found
        assert (at.sequence, fragment.wall_us - FIRST_US, inside_us) == (1, 6_000_000, 500_000)
        assert segment(connection, at.id) == at
        assert segment(connection, 999) is None


@pytest.mark.parametrize("after_us", [-1, 8_000_000, 12_000_000, 22_000_000])
def test_a_moment_without_footage_is_not_found(footage: Footage, after_us: int) -> None:
    with footage.database.read() as connection:
        assert seek(connection, CAMERA, FIRST_US + after_us) is None
        assert seek(connection, CAMERA_2, FIRST_US + 1_000_000) is None


def test_the_seam_between_two_files_of_a_run_shows_the_last_picture_before_it(footage: Footage) -> None:
    with footage.database.write() as connection:
        connection.execute("update segment set ended_at_us = ended_at_us - 3000 where sequence = 0")
        found = seek(connection, CAMERA, FIRST_US + 4_000_000 - 1000)
    assert found is not None
    at, fragment, inside_us = found
    assert (at.sequence, fragment.media_us, inside_us) == (0, 2_000_000, 1_999_000)


def test_spans_join_the_files_of_a_run_and_are_cut_to_the_question(footage: Footage) -> None:
    with footage.database.read() as connection:
        assert spans_between(connection, CAMERA, 0, EVER) == [
            Span(FIRST_US, FIRST_US + 8_000_000),
            Span(FIRST_US + 18_000_000, FIRST_US + 22_000_000),
        ]
        assert spans_between(connection, CAMERA, FIRST_US + 1, FIRST_US + 5) == [
            Span(FIRST_US + 1, FIRST_US + 5)
        ]


def test_segments_are_found_by_any_part_of_them(footage: Footage) -> None:
    (first, second, third) = footage.segments()
    assert (first.volume_path, first.init_bytes, first.codec) == (
        str(footage.volume.path),
        first.stream.init_bytes,
        "avc1.64001f",
    )
    assert first.file.exists()
    assert (second.sequence, third.sequence) == (1, 0)
    with footage.database.read() as connection:
        assert segments_between(connection, CAMERA, FIRST_US + 4_000_000, FIRST_US + 4_000_001) == [second]
        assert segments_between(connection, CAMERA, FIRST_US + 8_000_000, FIRST_US + 18_000_000) == []


def test_gaps_touching_the_interval_are_told_with_those_that_still_last(footage: Footage) -> None:
    with footage.database.write() as connection:
        note_absence(connection, CAMERA, FIRST_US + 22_000_000, Cause.STALLED, FIRST_US + 22_000_000)
    (hole, lasting) = gaps(footage)
    # Between two runs of which nobody noted an end: their recorder was killed.
    assert (hole.cause, hole.ended_at_us) == (Cause.RECORDER_CRASH, FIRST_US + 18_000_000)
    assert (lasting.cause, lasting.ended_at_us) == (Cause.STALLED, None)
    assert gaps(footage, FIRST_US + 30_000_000) == [lasting]
    assert gaps(footage, 0, FIRST_US + 8_000_000) == []


def test_a_gap_whose_cause_changes_is_told_in_two_parts(footage: Footage) -> None:
    at_us = FIRST_US + 22_000_000
    with footage.database.write() as connection:
        note_absence(connection, CAMERA, at_us, Cause.STALLED, at_us)
        note_absence(connection, CAMERA, at_us + 2, Cause.STALLED, at_us + 2)
        note_absence(connection, CAMERA, at_us + 5, Cause.UNREACHABLE, at_us + 5)
        end_absence(connection, CAMERA, at_us + 9, at_us + 9)
    assert [
        (g.started_at_us - at_us, (g.ended_at_us or 0) - at_us, g.cause) for g in gaps(footage, at_us)
    ] == [
        (0, 5, Cause.STALLED),
        (5, 9, Cause.UNREACHABLE),
    ]


def test_a_gap_of_no_length_is_not_shown(footage: Footage) -> None:
    at_us = FIRST_US + 22_000_000
    with footage.database.write() as connection:
        note_absence(connection, CAMERA, at_us, Cause.STALLED, at_us)
        end_absence(connection, CAMERA, at_us - 5, at_us - 5)
    assert gaps(footage, at_us) == []


def test_the_states_of_all_cameras_replace_the_ones_before(footage: Footage) -> None:
    down = CameraState(CAMERA, Recording.DOWN, FIRST_US, None, Cause.UNAUTHORIZED, 0, FIRST_US + 1)
    up = CameraState(CAMERA, Recording.RECORDING, FIRST_US + 2, FIRST_US + 3, None, 4_000_000, FIRST_US + 4)
    with footage.database.write() as connection:
        write_states(connection, [down])
        assert camera_states(connection) == {CAMERA: down}
        write_states(connection, [up])
        assert camera_states(connection) == {CAMERA: up}


def test_a_clock_step_is_recorded(footage: Footage) -> None:
    with footage.database.write() as connection:
        add_clock_step(connection, FIRST_US, -700_000)
    assert footage.count("clock_step") == 1
