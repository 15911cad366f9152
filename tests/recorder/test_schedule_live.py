"""The recorder service follows a short schedule against a simulated camera: every owed second is footage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.database import WriterDatabase
from evidence.footage import Recording
from evidence.recording_orders import Who, change_mode
from exam.clock import MINUTE_US, SECOND_US
from exam.recording_decision import RecordingMode
from rehearsal.camera_plan import CameraPlan
from rehearsal.camera_server import RunningCameras, running_cameras
from tests.recorder.live import CLOCK, LiveSite, live_site, wait_until

pytestmark = [pytest.mark.media, pytest.mark.live]

# The shortened procedure opens its rooms this long before the planned start.
OPENS_BEFORE_US = 60 * SECOND_US


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[RunningCameras]:
    with running_cameras([CameraPlan(name="room")], tmp_path, loop_seconds=4) as running:
        yield running


def plan_session(exam: WriterDatabase, opens_us: int) -> None:
    with exam.write() as connection:
        change_mode(connection, None, RecordingMode.SCHEDULE, Who(1, "按计划"), CLOCK.wall_us())
        connection.execute(
            "insert into batch (id, code, name, occupation, level) values (1, 'B', '批次', '电工', '')"
        )
        connection.execute(
            "insert into session (id, batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us) values (1, 1, 'T1', 'theory', '理论知识', 'demo_theory', ?, ?)",
            (opens_us + OPENS_BEFORE_US, MINUTE_US),
        )
        connection.execute("insert into session_room values (1, 1)")


def plan_anew(exam: WriterDatabase, opens_us: int) -> None:
    with exam.write() as connection:
        connection.execute("update session set planned_start_us = ?", (opens_us + OPENS_BEFORE_US,))


def stop_and_hand_over(exam: WriterDatabase) -> int:
    now_us = CLOCK.wall_us()
    with exam.write() as connection:
        connection.execute(
            "insert into announcement (session_id, room_id, cue_code, planned_at_us, outcome, emitted_at_us,"
            " source, recorded_at_us) values (1, 1, 'C8', ?, 'emitted', ?, 'schedule', ?)",
            (now_us, now_us, now_us),
        )
        connection.execute(
            "insert into confirmation (session_id, room_id, cue_code, account_id, confirmed_at_us)"
            " values (1, 1, 'D2', 1, ?)",
            (now_us,),
        )
    return now_us


def is_in(site: LiveSite, state: Recording) -> bool:
    shown = site.state("room")
    return shown is not None and shown.state is state


def test_a_camera_stands_by_records_its_session_and_stands_by_again(
    camera: RunningCameras, tmp_path: Path
) -> None:
    site = live_site(tmp_path, camera)
    exam = WriterDatabase(site.settings.exam_db, "exam")
    plan_session(exam, CLOCK.wall_us() + 60 * MINUTE_US)
    began_us = CLOCK.monotonic_us()
    with site.recording():
        wait_until(lambda: is_in(site, Recording.STANDBY))
        # As far away as this machine needs for a connection; starting the service took it longer.
        opens_us = CLOCK.wall_us() + 6 * SECOND_US + 2 * (CLOCK.monotonic_us() - began_us)
        plan_anew(exam, opens_us)
        wait_until(lambda: is_in(site, Recording.RECORDING))
        assert CLOCK.wall_us() < opens_us, "connected before the first owed second"
        wait_until(lambda: CLOCK.wall_us() > opens_us + 2 * SECOND_US)
        until_us = stop_and_hand_over(exam)
        wait_until(lambda: is_in(site, Recording.STANDBY))
    exam.close()
    segments = site.segments("room")
    assert segments[0].started_at_us <= opens_us
    assert segments[-1].ended_at_us >= until_us
    owed = [gap for gap in site.gaps("room") if gap.ended_at_us is None or gap.ended_at_us > opens_us]
    assert owed == []
