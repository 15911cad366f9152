from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.footage import Cause
from evidence.footage_rows import NewRun
from evidence.picture_time import ClockBreak
from recorder.keeper import FileClosed, RunOnDisk, RunOver
from tests.evidence.recorded import CAMERA, RUN, flush_stamped, growing_name, put, recording
from tests.recorder.bench_of_fakes import FIRST_US, Fakes, open_fakes

S = 1_000_000


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with open_fakes(tmp_path) as opened:
        yield opened


def where(fakes: Fakes) -> RunOnDisk:
    return RunOnDisk(NewRun(RUN, CAMERA, "boot", FIRST_US, 0), fakes.footage.volume)


def test_the_time_of_the_last_byte_counts_unless_it_is_nonsense(fakes: Fakes) -> None:
    content = recording(*flush_stamped(FIRST_US, [2000], late_us=500_000))
    put(fakes.footage.volume.path, growing_name(0), content, closed_at_us=FIRST_US - 3_600 * S)
    fakes.keeper.file_closed(where(fakes), FileClosed(0, noticed_at_us=FIRST_US + 2_540_000))
    fakes.settled()
    assert fakes.footage.segments()[0].started_at_us == FIRST_US + 500_000


def test_a_file_closed_after_the_clock_was_set_is_dated_by_the_old_clock(fakes: Fakes) -> None:
    content = recording(*flush_stamped(FIRST_US, [2000]))
    put(fakes.footage.volume.path, growing_name(0), content, closed_at_us=FIRST_US + 9 * S)
    broken = ClockBreak(step_us=6_960_000, last_good_us=FIRST_US + S)
    fakes.keeper.file_closed(where(fakes), FileClosed(0, FIRST_US + 9 * S, clock_break=broken))
    fakes.settled()
    assert fakes.footage.segments()[0].started_at_us == FIRST_US


def test_a_file_without_footage_is_quarantined_and_the_run_goes_on(fakes: Fakes) -> None:
    put(fakes.footage.volume.path, growing_name(0), b"torn")
    fakes.keeper.file_closed(where(fakes), FileClosed(0, FIRST_US))
    fakes.settled()
    assert fakes.footage.count("quarantined_file") == 1
    assert not fakes.keeper.has_trouble


def test_a_file_that_has_vanished_is_told_and_not_waited_for(fakes: Fakes) -> None:
    fakes.keeper.file_closed(where(fakes), FileClosed(0, FIRST_US))
    fakes.settled()
    assert not fakes.keeper.has_trouble


def test_a_programming_error_in_the_worker_is_not_swallowed(
    fakes: Fakes, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.keeper.begin_run(NewRun("not a uuid", CAMERA, "boot", FIRST_US, 0))
    fakes.settled()
    assert "keeping_failed" in capsys.readouterr().out


def test_starting_does_not_replace_a_cause_that_is_known(fakes: Fakes) -> None:
    fakes.keeper.absent(CAMERA, FIRST_US, Cause.RECORDER_CRASH)
    fakes.keeper.absent(CAMERA, FIRST_US + S, Cause.STARTING)
    fakes.settled()
    assert [gap.cause for gap in fakes.gaps()] == [Cause.RECORDER_CRASH]


def test_footage_of_a_run_that_ended_without_a_picture_is_kept_all_the_same(fakes: Fakes) -> None:
    content = recording(*flush_stamped(FIRST_US, [2000]))
    put(fakes.footage.volume.path, growing_name(0), content, closed_at_us=FIRST_US + 2_040_000)
    fakes.keeper.run_over(where(fakes), RunOver(0, FIRST_US + 3 * S, Cause.STALLED))
    fakes.settled()
    assert len(fakes.footage.segments()) == 1
    assert fakes.runs() == [Cause.STALLED]
