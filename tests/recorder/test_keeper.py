import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.footage import Cause
from evidence.footage_rows import NewRun
from evidence.late_facts import LateKind, kept_facts, record_kept_facts
from evidence.picture_time import ClockBreak
from recorder.keeper import FileClosed, RunOnDisk, RunOver
from tests.evidence.recorded import CAMERA, CAMERA_2, RUN, flush_stamped, growing_name, put, recording
from tests.recorder.bench_of_fakes import FIRST_US, Fakes, open_fakes

S = 1_000_000
REFUSE_SEGMENTS = "create trigger full before insert on segment begin select raise(fail, 'disk full'); end"


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with open_fakes(tmp_path) as opened:
        yield opened


def refuse(fakes: Fakes, trigger: str) -> None:
    """The database stands in for a full disk until `allow`."""
    with fakes.footage.database.write() as connection:
        connection.execute(trigger)


def allow(fakes: Fakes) -> None:
    with fakes.footage.database.write() as connection:
        connection.execute("drop trigger full")


def lose(fakes: Fakes, table: str) -> None:
    """The database refuses every work with this table until `find`."""
    with fakes.footage.database.write() as connection:
        connection.execute(f"alter table {table} rename to lost")


def find(fakes: Fakes, table: str) -> None:
    with fakes.footage.database.write() as connection:
        connection.execute(f"alter table lost rename to {table}")


def so_far(fakes: Fakes) -> None:
    """Wait until everything asked of the keeper was tried; it goes on working."""
    fakes.keeper._worker.submit(lambda: None).result()


def closes(fakes: Fakes, sequence: int) -> None:
    """Files of two seconds, one after the other."""
    start_us = FIRST_US + sequence * 2 * S
    closed_at_us = start_us + 2_040_000
    content = recording(*flush_stamped(start_us, [2000]))
    put(fakes.footage.volume.path, growing_name(sequence), content, closed_at_us=closed_at_us)
    fakes.keeper.file_closed(where(fakes), FileClosed(sequence, closed_at_us))


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
    assert fakes.keeper.trouble_of(CAMERA) is None


def test_a_file_that_has_vanished_is_told_and_not_waited_for(fakes: Fakes) -> None:
    fakes.keeper.file_closed(where(fakes), FileClosed(0, FIRST_US))
    fakes.settled()
    assert fakes.keeper.trouble_of(CAMERA) is None


def test_a_programming_error_in_the_worker_is_not_swallowed(
    fakes: Fakes, capsys: pytest.CaptureFixture[str]
) -> None:
    def mistaken() -> None:
        raise ZeroDivisionError

    fakes.keeper.take_back(mistaken)
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


def test_a_file_that_was_renamed_without_its_row_is_tried_again_and_told_of_once(
    fakes: Fakes, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(fakes, REFUSE_SEGMENTS)
    closes(fakes, 0)
    so_far(fakes)
    assert list(fakes.footage.volume.growing.iterdir()) == []
    assert fakes.footage.segments() == []
    fakes.keeper.sync([])
    so_far(fakes)
    assert fakes.keeper.trouble_of(CAMERA) is Cause.DISK_FAULT
    assert fakes.keeper.trouble_of(CAMERA_2) is None
    assert capsys.readouterr().out.count("ingest_failed") == 1

    allow(fakes)
    fakes.keeper.sync([])
    fakes.settled()
    assert fakes.keeper.trouble_of(CAMERA) is None
    (segment,) = fakes.footage.segments()
    assert segment.file.exists()
    assert segment.started_at_us == FIRST_US


def test_a_file_that_comes_late_leaves_no_gap_between_its_neighbours(fakes: Fakes) -> None:
    closes(fakes, 0)
    so_far(fakes)
    blocked = fakes.footage.volume.path / growing_name(1)
    blocked.mkdir()  # a disk that does not give the file away
    fakes.keeper.file_closed(where(fakes), FileClosed(1, FIRST_US + 4 * S))
    closes(fakes, 2)
    so_far(fakes)
    assert [(gap.started_at_us, gap.ended_at_us) for gap in fakes.gaps()] == [
        (FIRST_US + 2 * S, FIRST_US + 4 * S)
    ]
    assert fakes.keeper.trouble_of(CAMERA) is Cause.DISK_FAULT

    blocked.rmdir()
    put(
        fakes.footage.volume.path,
        growing_name(1),
        recording(*flush_stamped(FIRST_US + 2 * S, [2000])),
        closed_at_us=FIRST_US + 4_040_000,
    )
    fakes.keeper.sync([])
    fakes.settled()
    assert [segment.sequence for segment in fakes.footage.segments()] == [0, 1, 2]
    assert fakes.gaps() == []


def test_looks_into_growing_files_do_not_pile_up_behind_a_slow_disk(fakes: Fakes) -> None:
    disk_answers = threading.Event()
    fakes.keeper._worker.submit(disk_answers.wait)
    for _ in range(5):
        fakes.keeper.look_into([])
    assert fakes.keeper._worker._work_queue.qsize() == 1
    disk_answers.set()
    so_far(fakes)
    fakes.keeper.look_into([])
    so_far(fakes)
    assert not fakes.keeper.has_changed_formats


def test_what_the_database_refuses_is_recorded_later_in_its_order(fakes: Fakes) -> None:
    lose(fakes, "run")
    fakes.keeper.begin_run(where(fakes).run)
    closes(fakes, 0)
    fakes.keeper.run_over(where(fakes), RunOver(1, FIRST_US + 3 * S, Cause.CAMERA_CLOSED))
    fakes.keeper.absent(CAMERA, FIRST_US + 5 * S, Cause.UNREACHABLE)
    fakes.keeper.sync([])
    so_far(fakes)
    assert fakes.keeper.trouble_of(CAMERA) is Cause.DISK_FAULT

    find(fakes, "run")
    fakes.keeper.sync([])
    fakes.settled()
    assert fakes.keeper.trouble_of(CAMERA) is None
    assert fakes.runs() == [Cause.CAMERA_CLOSED]
    assert [(gap.cause, gap.started_at_us) for gap in fakes.gaps()] == [
        (Cause.CAMERA_CLOSED, FIRST_US + 2 * S),
        (Cause.UNREACHABLE, FIRST_US + 5 * S),
    ]


def test_a_run_of_which_only_files_tell_is_ended_with_its_cause_when_the_database_answers(
    fakes: Fakes,
) -> None:
    content = recording(*flush_stamped(FIRST_US, [2000]))
    put(fakes.footage.volume.path, growing_name(0), content, closed_at_us=FIRST_US + 2_040_000)
    lose(fakes, "run")
    fakes.keeper.run_over(where(fakes), RunOver(0, FIRST_US + 3 * S, Cause.STALLED))
    so_far(fakes)
    find(fakes, "run")
    fakes.settled()
    assert len(fakes.footage.segments()) == 1
    assert fakes.runs() == [Cause.STALLED]


def test_an_end_that_was_refused_keeps_its_cause(fakes: Fakes) -> None:
    closes(fakes, 0)
    so_far(fakes)
    lose(fakes, "gap")
    fakes.keeper.run_over(where(fakes), RunOver(1, FIRST_US + 3 * S, Cause.STALLED))
    so_far(fakes)
    assert fakes.runs() == [None]
    find(fakes, "gap")
    fakes.settled()
    assert fakes.runs() == [Cause.STALLED]
    assert [gap.cause for gap in fakes.gaps()] == [Cause.STALLED]


def test_a_file_set_aside_until_its_run_is_over_does_not_open_the_run_again(fakes: Fakes) -> None:
    refuse(fakes, REFUSE_SEGMENTS)
    closes(fakes, 0)
    fakes.keeper.run_over(where(fakes), RunOver(1, FIRST_US + 3 * S, Cause.STALLED))
    so_far(fakes)
    allow(fakes)
    fakes.settled()
    assert fakes.runs() == [Cause.STALLED]
    assert [gap.ended_at_us for gap in fakes.gaps()] == [None]


def test_a_set_clock_that_the_database_refused_is_recorded_later(fakes: Fakes) -> None:
    lose(fakes, "clock_step")
    fakes.keeper.clock_stepped(FIRST_US, 7)
    so_far(fakes)
    find(fakes, "clock_step")
    fakes.settled()
    assert fakes.footage.count("clock_step") == 1


def test_after_the_clock_was_set_back_an_absence_begins_now(fakes: Fakes) -> None:
    closes(fakes, 0)
    fakes.keeper.absent(CAMERA, FIRST_US - 3_600 * S, Cause.UNREACHABLE)
    fakes.settled()
    assert [gap.started_at_us for gap in fakes.gaps()] == [FIRST_US - 3_600 * S]


def test_what_is_refused_until_the_stop_waits_in_a_file_for_the_next_start(tmp_path: Path) -> None:
    with open_fakes(tmp_path) as fakes:
        fakes.keeper.late_file = tmp_path / "late.jsonl"
        lose(fakes, "gap")
        fakes.keeper.absent(CAMERA, FIRST_US, Cause.UNREACHABLE)
        fakes.keeper.absent(CAMERA, FIRST_US + S, Cause.UNAUTHORIZED)
        fakes.settled()
        facts = kept_facts(fakes.keeper.late_file)
        assert [(fact.kind, fact.cause) for fact in facts] == [
            (LateKind.ABSENT, Cause.UNREACHABLE),
            (LateKind.ABSENT, Cause.UNAUTHORIZED),
        ]
        find(fakes, "gap")


def test_a_kept_fact_that_the_database_takes_after_all_is_marked_as_recorded(tmp_path: Path) -> None:
    with open_fakes(tmp_path) as fakes:
        fakes.keeper.late_file = tmp_path / "late.jsonl"
        lose(fakes, "gap")
        fakes.keeper.absent(CAMERA, FIRST_US, Cause.UNREACHABLE)
        so_far(fakes)
        find(fakes, "gap")
        fakes.settled()
        assert fakes.footage.count("late_fact") == 1
        database, clock = fakes.footage.database, fakes.footage.store.clock
        assert record_kept_facts(database, fakes.keeper.late_file, clock) == (0, [])


def test_a_disk_that_keeps_no_fact_either_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_fakes(tmp_path) as fakes:
        fakes.keeper.late_file = tmp_path / "no folder" / "late.jsonl"
        lose(fakes, "gap")
        fakes.keeper.absent(CAMERA, FIRST_US, Cause.UNREACHABLE)
        fakes.settled()
        find(fakes, "gap")
    assert "fact_not_kept" in capsys.readouterr().out


def test_a_row_that_is_refused_for_good_stops_no_other_camera(
    fakes: Fakes, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = f"when new.camera_uuid = '{CAMERA}' begin select raise(abort, 'never'); end"
    refuse(fakes, f"create trigger full before insert on gap {refusal}")
    fakes.keeper.absent(CAMERA, FIRST_US, Cause.UNREACHABLE)
    fakes.keeper.absent(CAMERA_2, FIRST_US, Cause.UNREACHABLE)
    fakes.settled()
    assert (fakes.gaps(CAMERA), len(fakes.gaps(CAMERA_2))) == ([], 1)
    assert fakes.keeper.trouble_of(CAMERA) is None
    assert "fact_refused_for_good" in capsys.readouterr().out
