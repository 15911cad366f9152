"""The kiosk reads an RTSP camera: with its password, losing it and finding it again."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from exam.clock import SECOND_US, SystemClock
from kiosk.camera import CameraLostError, FrameSource, open_source
from kiosk.scanner import Picture
from rehearsal.camera_plan import Fault
from rehearsal.camera_server import RunningCameras, running_cameras
from rehearsal.picture_counter import read_counter
from tests.rehearsal.camera_world import PASSWORD, small_plan

pytestmark = pytest.mark.media
CLOCK = SystemClock()
PATIENCE_US = 60 * SECOND_US


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCameras]:
    plans = [small_plan("tray", scene="viva_room", user="viewer", password=PASSWORD)]
    folder = tmp_path_factory.mktemp("tray")
    with running_cameras(plans, folder, loop_seconds=2, loops=folder / "loops") as running:
        yield running


def opened(site: RunningCameras) -> FrameSource:
    return open_source(site["tray"].address.replace("://", f"://viewer:{quote(PASSWORD)}@"), CLOCK)


def next_picture(source: FrameSource) -> Picture:
    deadline_us = CLOCK.monotonic_us() + PATIENCE_US
    while CLOCK.monotonic_us() < deadline_us:
        picture = source.next_picture()
        if picture is not None:
            return picture
        CLOCK.sleep_us(10_000)
    raise TimeoutError("no picture")


def look_on(source: FrameSource) -> None:
    while True:
        next_picture(source)


def test_pictures_come_newest_first_and_a_dropped_camera_is_lost_then_found(site: RunningCameras) -> None:
    source = opened(site)
    first = read_counter(next_picture(source)[:, :, 0])
    assert first is not None
    while site["tray"].sent()[-1].counter < first + 50:
        CLOCK.sleep_us(SECOND_US // 10)
    later = read_counter(next_picture(source)[:, :, 0])
    assert later is not None
    assert later - first >= 10
    site.control.start_fault("tray", Fault.DROP)
    with pytest.raises(CameraLostError, match=r"camera at 127\.0\.0\.1 gives no pictures"):
        look_on(source)
    source.close()
    with pytest.raises(CameraLostError) as refused:
        opened(site)
    assert PASSWORD not in str(refused.value)
    site.control.end_fault("tray", Fault.DROP)
    found_again = opened(site)
    assert next_picture(found_again).shape == (360, 640, 3)
    found_again.close()
