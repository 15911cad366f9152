from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.footage import Cause, Recording, camera_states
from recorder.recorder import write_camera_states
from tests.evidence.recorded import box, words
from tests.recorder.bench_of_fakes import CAMERA, CAMERA_2, FIRST_US, Fakes, at, open_fakes, source

S = 1_000_000


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with open_fakes(tmp_path) as opened:
        yield opened


def start(fakes: Fakes, seconds: float = 0) -> None:
    fakes.recorder.set_cameras([source()], at(seconds))
    fakes.recorder.tick(at(seconds))
    fakes.child.reports(25, 1 * S, at(seconds + 1))


def state(fakes: Fakes, seconds: float):  # type: ignore[no-untyped-def]
    (only,) = fakes.recorder.states(at(seconds))
    return only


def test_footage_of_a_camera_is_ingested_and_ends_its_first_gap(fakes: Fakes) -> None:
    start(fakes)
    fakes.child.closes(0, FIRST_US + 2 * S, at(6.1))
    fakes.child.reports(150, 6 * S, at(6.2))
    fakes.settled()
    (segment,) = fakes.footage.segments()
    assert segment.started_at_us == FIRST_US + 2 * S
    (gap,) = fakes.gaps()
    assert (gap.cause, gap.started_at_us, gap.ended_at_us) == (Cause.STARTING, FIRST_US, FIRST_US + 2 * S)
    assert state(fakes, 6.5).state is Recording.RECORDING


def test_an_attempt_that_brings_no_picture_leaves_no_run_but_a_gap_with_its_cause(fakes: Fakes) -> None:
    fakes.recorder.set_cameras([source(password="s3cret")], at(0))
    fakes.recorder.tick(at(0))
    fakes.child.ends(at(1), "DESCRIBE failed: 401 Unauthorized for rtsp://recorder:s3cret@10.0.0.9")
    fakes.recorder.tick(at(2.5))
    assert len(fakes.launcher.children) == 2
    fakes.child.ends(at(3), "DESCRIBE failed: 401 Unauthorized")
    fakes.settled()
    assert fakes.runs() == []
    assert [gap.cause for gap in fakes.gaps()] == [Cause.STARTING, Cause.UNAUTHORIZED]
    assert (state(fakes, 3).state, state(fakes, 3).cause) == (Recording.DOWN, Cause.UNAUTHORIZED)


def test_a_camera_that_closes_the_line_is_a_fault_whatever_the_exit_status(fakes: Fakes) -> None:
    start(fakes)
    fakes.child.closes(0, FIRST_US + 2 * S, at(6.1))
    fakes.child.ends(at(6.2))
    fakes.settled()
    assert fakes.runs() == [Cause.CAMERA_CLOSED]
    lasting = fakes.gaps()[-1]
    assert (lasting.cause, lasting.started_at_us, lasting.ended_at_us) == (
        Cause.CAMERA_CLOSED,
        fakes.footage.segments()[-1].ended_at_us,
        None,
    )


def test_files_a_killed_child_never_announced_are_ingested(fakes: Fakes) -> None:
    start(fakes)
    fakes.child.closes(0, FIRST_US + 2 * S, at(6.1))
    child = fakes.child
    child.closes(1, FIRST_US + 6 * S, at(10))
    fakes.recorder.cameras[CAMERA]._closed.pop()
    fakes.recorder.cameras[CAMERA]._sequence = 1
    child.ends(at(10.1))
    fakes.settled()
    assert [s.sequence for s in fakes.footage.segments()] == [0, 1]


def test_a_stalled_child_is_asked_to_end_and_then_killed(fakes: Fakes) -> None:
    start(fakes)
    for tenths in range(20, 70, 5):
        fakes.recorder.tick(at(tenths / 10))
    assert (fakes.child.asked, state(fakes, 6.5).state) == ([], Recording.STALLED)
    fakes.recorder.tick(at(7.1))
    assert fakes.child.asked == ["interrupt"]
    fakes.recorder.tick(at(8.7))
    assert fakes.child.asked == ["interrupt", "kill"]
    fakes.child.ends(at(8.8))
    fakes.settled()
    assert fakes.runs() == [Cause.STALLED]


def test_a_child_that_gives_up_a_silent_camera_by_itself_is_called_stalled(fakes: Fakes) -> None:
    start(fakes)
    fakes.child.closes(0, FIRST_US + 2 * S, at(4.1))
    fakes.child.reports(80, 3 * S, at(4.2))
    for second in (1, 3, 5, 6, 7, 8):
        fakes.recorder.tick(at(second))
    fakes.child.reports(90, 3 * S + 400_000, at(9))
    fakes.child.closes(1, FIRST_US + 6 * S, at(9), seconds=2)
    fakes.child.ends(at(9), "pipe:0: Connection timed out")
    fakes.settled()
    assert fakes.runs() == [Cause.STALLED]
    assert len(fakes.footage.segments()) == 2


def test_a_timestamp_jump_begins_a_new_run(fakes: Fakes) -> None:
    start(fakes)
    fakes.child.reports(50, 2 * S, at(2))
    fakes.child.reports(75, 7_200 * S, at(3))
    fakes.child.reports(80, 7_201 * S, at(3.1))
    assert fakes.child.asked == ["interrupt"]
    fakes.child.ends(at(3.2))
    fakes.settled()
    assert fakes.runs() == [Cause.TIMESTAMP_JUMP]


@pytest.mark.parametrize("step_us", [3_600 * S, -700_000])
def test_a_set_clock_is_recorded_and_every_camera_begins_a_new_run(fakes: Fakes, step_us: int) -> None:
    start(fakes)
    assert not fakes.recorder.tick(at(1.2))
    assert fakes.recorder.tick(at(1.7, set_by_us=step_us))
    assert not fakes.recorder.tick(at(2.2, set_by_us=step_us))
    assert fakes.child.asked == ["interrupt"]
    fakes.child.closes(0, FIRST_US + 2 * S, at(6, set_by_us=step_us))
    fakes.child.ends(at(6.1, set_by_us=step_us))
    fakes.settled()
    assert fakes.runs() == [Cause.CLOCK_STEP]
    with fakes.footage.database.read() as connection:
        assert [row[0] for row in connection.execute("select step_us from clock_step")] == [step_us]


def test_a_set_clock_does_not_trouble_a_camera_without_a_child(fakes: Fakes) -> None:
    fakes.recorder.set_cameras([source()], at(0))
    fakes.launcher.fault = OSError("no such program")
    fakes.recorder.tick(at(0))
    fakes.recorder.tick(at(0.5, set_by_us=S))
    assert fakes.launcher.children == []


def test_after_a_long_sleep_no_camera_is_punished(fakes: Fakes) -> None:
    start(fakes)
    fakes.recorder.tick(at(1.5))
    fakes.recorder.tick(at(120))
    assert fakes.child.asked == []


def test_a_retired_camera_ends_and_nobody_misses_its_footage(fakes: Fakes) -> None:
    start(fakes)
    fakes.recorder.set_cameras([], at(2))
    assert fakes.recorder.states(at(2)) == []
    fakes.child.ends(at(2.1))
    fakes.recorder.tick(at(2.2))
    fakes.recorder.tick(at(5))
    fakes.settled()
    assert len(fakes.launcher.children) == 1
    assert [gap.ended_at_us is None for gap in fakes.gaps()] == [False]


def test_a_waiting_camera_that_is_retired_closes_its_gap(fakes: Fakes) -> None:
    fakes.recorder.set_cameras([source()], at(0))
    fakes.recorder.set_cameras([], at(1))
    fakes.settled()
    assert [gap.ended_at_us for gap in fakes.gaps()] == [FIRST_US + S]


def test_a_changed_address_reconnects_with_the_new_one(fakes: Fakes) -> None:
    start(fakes)
    fakes.recorder.set_cameras([source(password="new")], at(2))
    assert fakes.child.asked == ["interrupt"]
    fakes.child.ends(at(2.1))
    fakes.recorder.tick(at(3.5))
    assert "recorder:new@" in fakes.child.address
    fakes.recorder.set_cameras([source(password="new")], at(4))
    assert fakes.child.asked == []


def test_a_password_changed_meanwhile_is_still_scrubbed_from_last_words(
    fakes: Fakes, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.recorder.set_cameras([source(password="old-one")], at(0))
    fakes.recorder.tick(at(0))
    fakes.recorder.cameras[CAMERA].source = source(password="new-one")
    fakes.child.ends(at(1), "401 Unauthorized: 'old-one' is not 'new-one'")
    said = capsys.readouterr().out
    assert "401 Unauthorized: '***' is not '***'" in said


def test_a_new_camera_is_picked_up_and_the_others_go_on(fakes: Fakes) -> None:
    start(fakes)
    fakes.recorder.set_cameras([source(), source(CAMERA_2)], at(2))
    fakes.recorder.tick(at(2))
    assert [child.camera.source.uuid for child in fakes.launcher.children] == [CAMERA, CAMERA_2]
    assert fakes.launcher.children[0].asked == []


def test_an_orderly_stop_ends_every_run_and_opens_its_gap(fakes: Fakes) -> None:
    start(fakes)
    fakes.recorder.set_cameras([source(), source(CAMERA_2)], at(2))
    fakes.child.closes(0, FIRST_US + 2 * S, at(6.1))
    fakes.recorder.stop_all(at(6.2))
    assert not fakes.recorder.is_finished
    fakes.launcher.children[0].ends(at(6.3))
    assert fakes.recorder.is_finished
    fakes.settled()
    assert fakes.runs() == [Cause.OPERATOR_STOP]
    lasting = fakes.gaps()[-1]
    assert (lasting.cause, lasting.started_at_us) == (Cause.OPERATOR_STOP, FIRST_US + 6 * S)
    assert [gap.cause for gap in fakes.gaps(CAMERA_2)] == [Cause.STARTING, Cause.OPERATOR_STOP]
    assert {s.state for s in fakes.recorder.states(at(7))} == {Recording.STOPPED}


def test_nothing_is_recorded_on_a_full_disk_and_the_cause_says_so(fakes: Fakes) -> None:
    fakes.volumes.trouble = Cause.DISK_FULL
    fakes.recorder.set_cameras([source()], at(0))
    fakes.recorder.tick(at(0))
    fakes.settled()
    assert fakes.launcher.children == []
    assert fakes.gaps()[-1].cause is Cause.DISK_FULL
    assert state(fakes, 1).cause is Cause.DISK_FULL


def test_a_disk_that_fills_up_is_left_before_writing_fails(fakes: Fakes) -> None:
    start(fakes)
    fakes.recorder.tick(at(2))
    assert fakes.child.asked == []
    fakes.volumes.trouble = Cause.DISK_FULL
    fakes.recorder.tick(at(3))
    fakes.recorder.tick(at(3.5))
    assert fakes.child.asked == ["interrupt"]
    assert fakes.recorder.write_rates([]) == [(fakes.footage.volume, 0)]


def test_a_disk_that_hangs_is_not_held_against_the_camera(fakes: Fakes) -> None:
    start(fakes)
    fakes.volumes.hangs = True
    for tenths in range(20, 120, 5):
        fakes.recorder.tick(at(tenths / 10))
    assert (fakes.child.asked, state(fakes, 12).state) == ([], Recording.RECORDING)
    fakes.volumes.hangs = False
    fakes.child.reports(30, 2 * S, at(12.4))
    for tenths in range(125, 150, 5):
        fakes.recorder.tick(at(tenths / 10))
    assert (fakes.child.asked, state(fakes, 15).state) == ([], Recording.RECORDING)
    for tenths in range(150, 205, 5):
        fakes.recorder.tick(at(tenths / 10))
    assert fakes.child.asked == ["interrupt", "kill"]


def test_a_disk_that_refuses_a_file_is_blamed_once_for_it(fakes: Fakes) -> None:
    start(fakes)
    fakes.child.ends(at(3), "av_interleaved_write_frame(): No space left on device")
    assert fakes.volumes.blamed == 1
    fakes.settled()
    assert fakes.gaps()[-1].cause is Cause.DISK_FULL


def test_a_program_that_cannot_be_started_is_a_fault_with_a_cause(fakes: Fakes) -> None:
    fakes.launcher.fault = OSError("no such program")
    fakes.recorder.set_cameras([source()], at(0))
    fakes.recorder.tick(at(0))
    fakes.settled()
    assert fakes.gaps()[-1].cause is Cause.DISK_FAULT


def test_a_file_of_another_name_is_not_touched(fakes: Fakes) -> None:
    start(fakes)
    fakes.child.says("stray.mp4,0.0,4.0", "progress=continue", now=at(2))
    fakes.child.ends(at(3))
    fakes.settled()
    assert fakes.footage.segments() == []


def test_the_bit_rate_is_that_of_the_growing_and_closed_files(fakes: Fakes) -> None:
    start(fakes)
    growing = fakes.recorder.cameras[CAMERA].growing_file()
    assert growing is not None
    assert state(fakes, 1).bitrate_bps == 0
    growing.write_bytes(b"x" * 500_000)
    fakes.child.reports(50, 2 * S, at(2))
    assert state(fakes, 3).bitrate_bps == 2_000_000
    growing.unlink()
    fakes.child.ends(at(4))
    assert state(fakes, 4).bitrate_bps == 0


def test_a_disk_that_does_not_tell_how_long_a_file_is_stops_no_recorder(fakes: Fakes) -> None:
    start(fakes)
    growing = fakes.recorder.cameras[CAMERA].growing_file()
    assert growing is not None
    folder = growing.parent
    folder.rename(folder.with_name("away"))
    folder.write_text("no folder any more")
    assert state(fakes, 1.5).bitrate_bps == 0
    fakes.child.says(f"{growing.name},0.0,2.0", "progress=continue", now=at(2))
    assert state(fakes, 2.5).state is Recording.RECORDING


def test_trouble_with_the_disk_shows_while_the_camera_records(fakes: Fakes) -> None:
    start(fakes)
    fakes.footage.volume.footage.chmod(0o755)
    folder = fakes.footage.volume.footage
    folder.rmdir()
    folder.write_text("in the way")
    fakes.child.closes(0, FIRST_US + 2 * S, at(6.1))
    fakes.child.reports(150, 6 * S, at(6.2))
    fakes.keeper._worker.submit(lambda: None).result()
    assert (state(fakes, 6.3).state, state(fakes, 6.3).cause) == (Recording.RECORDING, Cause.DISK_FAULT)

    folder.unlink()
    folder.mkdir()
    fakes.recorder.sync()
    fakes.settled()
    assert len(fakes.footage.segments()) == 1
    assert state(fakes, 7).cause is None


def test_states_are_written_for_the_console(fakes: Fakes) -> None:
    start(fakes)
    write_camera_states(fakes.footage.database, fakes.recorder.states(at(2)))
    with fakes.footage.database.read() as connection:
        assert camera_states(connection)[CAMERA].state is Recording.RECORDING


def test_a_camera_with_another_kind_of_picture_gets_a_new_run(fakes: Fakes) -> None:
    start(fakes)
    growing = fakes.recorder.cameras[CAMERA].growing_file()
    assert growing is not None
    parameters = b"\x67new"
    growing.write_bytes(box("ftyp") + box("mdat", words(len(parameters)) + parameters))
    fakes.recorder.look_into_files()
    fakes.keeper._worker.submit(lambda: None).result()
    growing.unlink()
    fakes.child.closes(0, FIRST_US + 2 * S, at(6.1))  # the next file of the run has begun
    fakes.child.reports(150, 6 * S, at(6.2))
    fakes.keeper._worker.submit(lambda: None).result()
    fakes.recorder.tick(at(6.3))
    assert fakes.child.asked == ["interrupt"]
    fakes.child.ends(at(7.1))
    fakes.settled()
    assert fakes.runs() == [Cause.FORMAT_CHANGE]
