"""Simulated cameras go black, freeze, are covered, lose focus and are turned: alarms within 30 s."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.health import (
    HealthKind,
    ReferenceSource,
    current_health,
    health_changes,
    load_reference_view,
    load_reference_views,
)
from evidence.thumbnails import newest_thumbnail, thumbnail_moments
from evidence.timeline import Interval
from exam.clock import SECOND_US
from rehearsal.camera_plan import CameraPlan, Fault
from rehearsal.camera_server import RunningCameras, running_cameras
from tests.recorder.live import (
    CLOCK,
    EVER,
    LiveSite,
    children_of,
    live_site,
    start_service,
    stop_service,
    wait_until,
)

pytestmark = [pytest.mark.media, pytest.mark.live]

FAULTS = {
    Fault.BLACK: HealthKind.BLACK,
    Fault.FROZEN: HealthKind.FROZEN,
    Fault.COVERED: HealthKind.COVERED,
    Fault.BLURRED: HealthKind.BLURRED,
    Fault.MOVED: HealthKind.MOVED,
}
ALARM_S = 30
HEALTHY = "healthy"


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCameras]:
    plans = [
        CameraPlan(name=name, resolution="640x368", bitrate_kbps=800) for name in (*map(str, FAULTS), HEALTHY)
    ]
    with running_cameras(plans, tmp_path_factory.mktemp("cameras"), loop_seconds=4) as running:
        yield running


@pytest.fixture
def site(cameras: RunningCameras, tmp_path: Path) -> Iterator[tuple[LiveSite, int]]:
    """The site being recorded and looked at, with a reference view of every camera; and the service's pid."""
    live = live_site(tmp_path, cameras, looks_at_pictures=True)
    service = start_service(live.settings)
    try:
        wait_until(lambda: views(live) == len(FAULTS) + 1)
        yield live, service.pid
        stop_service(service)
    finally:
        if service.poll() is None:
            service.kill()
            service.wait()


def views(live: LiveSite) -> int:
    with live._read() as connection:
        return len(load_reference_views(connection))


def troubles(live: LiveSite) -> dict[str, list[HealthKind]]:
    with live._read() as connection:
        current = current_health(connection)
    return {uuid: [change.kind for change in changes] for uuid, changes in current.items()}


def looking_pid(service: int) -> int | None:
    for pid in children_of(service):
        if b"recorder.picture_watch" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def test_every_fault_of_the_picture_is_an_alarm_within_thirty_seconds(
    cameras: RunningCameras, site: tuple[LiveSite, int]
) -> None:
    live, service = site
    begun = {}
    for fault in FAULTS:
        cameras.control.start_fault(str(fault), fault)
        begun[fault] = CLOCK.wall_us()
    expected = {live.uuids[str(fault)]: [kind] for fault, kind in FAULTS.items()}
    wait_until(lambda: troubles(live) == expected, ALARM_S + 15)
    with live._read() as connection:
        for fault in FAULTS:
            (change,) = health_changes(connection, live.uuids[str(fault)], Interval(0, EVER))
            assert change.noticed_at_us - begun[fault] <= ALARM_S * SECOND_US
        view = load_reference_view(connection, live.uuids[HEALTHY])
    assert view is not None
    assert view.source is ReferenceSource.FIRST_PICTURES
    assert_thumbnails_are_kept(live, begun[Fault.BLACK])
    assert_looking_survives_its_death(live, service)
    for fault in FAULTS:
        cameras.control.end_fault(str(fault), fault)


def assert_thumbnails_are_kept(live: LiveSite, since_us: int) -> None:
    root, uuid = live.settings.thumbnails_folder, live.uuids[HEALTHY]
    wait_until(lambda: len(thumbnail_moments(root, uuid, Interval(since_us, CLOCK.wall_us()))) >= 4)
    thumbnail = newest_thumbnail(root, uuid, CLOCK.wall_us())
    assert thumbnail is not None
    assert thumbnail.moment_us > since_us


def assert_looking_survives_its_death(live: LiveSite, service: int) -> None:
    """It is started again, and recording does not notice."""
    before = looking_pid(service)
    assert before is not None
    captures = set(children_of(service)) - {before}
    absences = [live.gaps(name) for name in live.uuids]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: looking_pid(service) not in (None, before))
    assert set(children_of(service)) >= captures
    assert [live.gaps(name) for name in live.uuids] == absences
