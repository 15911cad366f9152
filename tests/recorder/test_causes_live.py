"""Each way in which a camera fails has its own cause, and each ends by itself: against simulated cameras."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.footage import Cause, Recording
from exam.clock import SECOND_US
from rehearsal.camera_plan import CameraPlan, Codec, Fault
from rehearsal.camera_server import RunningCameras, running_cameras
from tests.recorder.live import CLOCK, LiveSite, children_of, live_site, wait_until

pytestmark = [pytest.mark.media, pytest.mark.live]

FAULTS = {
    "full": (Fault.TOO_MANY_SESSIONS, Cause.TOO_MANY_SESSIONS),
    "overloaded": (Fault.SERVICE_UNAVAILABLE, Cause.TOO_MANY_SESSIONS),
    "locked": (Fault.WRONG_PASSWORD, Cause.UNAUTHORIZED),
    "gone": (Fault.DROP, Cause.REFUSED),
    "resetting": (Fault.HANGS_UP, Cause.UNREACHABLE),
}
OTHERS = ("leaping", "recoded", "scrambled", "paused")


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCameras]:
    plans = [CameraPlan(name=name, resolution="640x368", bitrate_kbps=300) for name in (*FAULTS, *OTHERS)]
    # Its timestamps wrap around a few seconds after the start.
    plans.append(
        CameraPlan(name="wrapping", resolution="640x368", bitrate_kbps=300, rtp_start=(1 << 32) - 450_000)
    )
    plans.append(CameraPlan(name="h265", resolution="640x368", codec=Codec.H265))
    plans.append(CameraPlan(name="b_frames", resolution="640x368", codec=Codec.H264_B_FRAMES))
    with running_cameras(plans, tmp_path_factory.mktemp("cameras"), loop_seconds=4) as running:
        yield running


def all_recording(site: LiveSite) -> bool:
    states = [site.state(name) for name in site.uuids]
    return all(state is not None and state.state is Recording.RECORDING for state in states)


def causes(site: LiveSite, name: str) -> set[Cause]:
    return {gap.cause for gap in site.gaps(name)}


def runs(site: LiveSite, name: str) -> int:
    return len({segment.run_id for segment in site.segments(name)})


def test_every_fault_has_its_cause_and_every_camera_comes_back(
    cameras: RunningCameras, tmp_path: Path
) -> None:
    site = live_site(tmp_path, cameras)
    control = cameras.control
    with site.recording() as service:
        wait_until(lambda: all_recording(site))
        for name, (fault, _) in FAULTS.items():
            control.start_fault(name, fault)
        control.jump_timestamps("leaping", -3600)
        control.change_codec("recoded", Codec.H265)
        control.start_fault("scrambled", Fault.GARBAGE)
        wait_until(lambda: all(cause in causes(site, name) for name, (_, cause) in FAULTS.items()))
        for name, (fault, _) in FAULTS.items():
            control.end_fault(name, fault)
        control.end_fault("scrambled", Fault.GARBAGE)
        wait_until(lambda: all_recording(site) and runs(site, "leaping") > 1)
        pause_and_see_that_nobody_is_blamed(site, service.pid)
    assert Cause.TIMESTAMP_JUMP in causes(site, "leaping")
    assert {segment.stream.codec[:4] for segment in site.segments("recoded")} == {"avc1", "hev1"}
    for name in ("wrapping", "h265", "b_frames"):
        assert runs(site, name) == 1, name
        pictures_us = sum(segment.media_us for segment in site.segments(name))
        first, *_, last = site.segments(name)
        assert last.ended_at_us - first.started_at_us == pytest.approx(pictures_us, abs=SECOND_US // 5)


def pause_and_see_that_nobody_is_blamed(site: LiveSite, pid: int) -> None:
    """The recorder and its programs stand still, as on a virtual machine that is frozen."""
    children = children_of(pid)
    # A run counts once its first file is indexed, which a busy machine delays.
    wait_until(lambda: all(runs(site, name) >= 1 for name in ("paused", "wrapping", "b_frames")))
    known = {name: runs(site, name) for name in ("paused", "wrapping", "b_frames")}
    os.kill(pid, signal.SIGSTOP)
    CLOCK.sleep_us(8 * SECOND_US)
    os.kill(pid, signal.SIGCONT)
    CLOCK.sleep_us(3 * SECOND_US)
    assert set(children) <= set(children_of(pid)), "no camera was connected anew"
    assert {name: runs(site, name) for name in known} == known
