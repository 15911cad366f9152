"""The clock inside a simulated camera."""

from exam.clock import SECOND_US, SimulatedClock
from rehearsal.camera_clock import CameraClock

NOW_US = 1_795_000_000 * SECOND_US


def test_it_is_ahead_of_the_host_from_the_start() -> None:
    clock = CameraClock.started(SimulatedClock(NOW_US), 7.3, 50, 25)
    assert clock.frame_camera_us(0) == NOW_US + 7_300_000


def test_its_frames_come_a_little_early_when_it_runs_fast() -> None:
    clock = CameraClock.started(SimulatedClock(NOW_US, uptime_us=500), 0, 50, 25)
    an_hour = 3600 * 25
    assert clock.frame_camera_us(an_hour) - clock.frame_camera_us(0) == 3600 * SECOND_US
    assert 500 + 3600 * SECOND_US - clock.frame_due_us(an_hour) == 179_991  # 50 ppm of an hour, nearly 180 ms


def test_the_next_frame_is_never_one_of_the_past() -> None:
    clock = CameraClock.started(SimulatedClock(NOW_US, uptime_us=10_000), 0, 5000, 25)
    for moment_us in range(0, 2 * SECOND_US, 7_001):
        frame = clock.next_frame(moment_us)
        assert clock.frame_due_us(frame) >= moment_us
        assert frame == 0 or clock.frame_due_us(frame - 1) < moment_us
