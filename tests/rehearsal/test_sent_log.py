"""The record of sent frames."""

import itertools
from pathlib import Path

from rehearsal.sent_log import SentFrame, SentLog, first_counter, read_sent_log, sent_at

FRAMES = [
    SentFrame(
        1_795_000_000_000_000 + number * 40_000, 1_795_000_007_300_000, 10 + number, 2**32 - 1, number == 0
    )
    for number in range(3)
]


def test_frames_are_read_back(tmp_path: Path) -> None:
    log = SentLog(tmp_path / "a.sent")
    for frame in FRAMES:
        log.append(frame)
    log.close()
    assert read_sent_log(tmp_path / "a.sent") == FRAMES


def test_a_record_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    log = SentLog(tmp_path / "a.sent")
    log.append(FRAMES[0])
    log.close()
    with (tmp_path / "a.sent").open("ab") as file:
        file.write(b"half")
    assert read_sent_log(tmp_path / "a.sent") == FRAMES[:1]


def test_nothing_was_sent_when_there_is_no_file(tmp_path: Path) -> None:
    assert read_sent_log(tmp_path / "none.sent") == []


def test_a_counter_is_found_at_its_first_sending() -> None:
    again = SentFrame(FRAMES[2].sent_at_us, 0, 10, 0, is_keyframe=False)
    assert sent_at([*FRAMES, again], 10) == FRAMES[0].sent_at_us
    assert sent_at(FRAMES, 99) is None


def test_a_restarted_camera_does_not_repeat_its_counters() -> None:
    before = first_counter(1_795_000_000_000_000, 25, 0)
    assert first_counter(1_795_000_060_000_000, 25, 0) == before + 60 * 25


def test_two_cameras_count_far_apart() -> None:
    firsts = sorted(first_counter(1_795_000_000_000_000, 25, camera) for camera in range(32))
    assert min(b - a for a, b in itertools.pairwise(firsts)) >= 2 * 3600 * 25
