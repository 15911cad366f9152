"""The preflight chore: orders of the console carried out, beside a recorder that is recording."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import pytest

from config.camera_preflight import load_camera_preflight
from config.settings import Settings
from evidence.camera_clocks import ClockFound, ClockOrigin, add_camera_clock
from evidence.database import WriterDatabase
from evidence.footage import CameraState, Recording
from evidence.footage_rows import write_states
from evidence.ingest import Store
from evidence.preflight import CameraPreflight, Source, preflights
from evidence.volumes import LocalDisk
from evidence.work_orders import NewOrder, OrderKind, Report, WorkState, give_order, report
from exam.clock import MINUTE_US, SECOND_US, SystemClock
from exam.preflight import Grade, Reach
from recorder.chore_tools import ChoreTools
from recorder.preflight import PreflightChore, is_recording_now, preflight_chore
from rehearsal.camera_plan import CameraPlan, Fault
from rehearsal.camera_server import RunningCameras, running_cameras
from tests.recorder.live import LiveSite, live_site, wait_until
from tests.recorder.onvif_camera import camera_that_tells

pytestmark = [pytest.mark.media, pytest.mark.live]


@dataclass
class Site:
    """A live site whose orders are carried out here instead of in a service."""

    live: LiveSite
    footage: WriterDatabase

    def order(self, *names: str) -> int:
        exam = WriterDatabase(self.live.settings.exam_db, "exam")
        with exam.write() as connection:
            connection.execute(
                "insert or ignore into account (id, login_name, display_name, password_hash, created_at_us)"
                " values (1, 'lead', '李强', '$argon2id$', 1)"
            )
            subject = {"cameras": [self.live.uuids[name] for name in names]}
            new = NewOrder(OrderKind.CAMERA_PREFLIGHT, subject, "考前检查", 1)
            order_id = give_order(connection, new, 1)
        exam.close()
        return order_id

    def chore(self, onvif_port: int = 0) -> PreflightChore:
        """With shorter looks than in earnest."""
        store = Store(self.footage, LocalDisk(), SystemClock())
        limits = load_camera_preflight()
        check = limits.check.model_copy(update={"sample_seconds": 3})
        recorder = self.live.settings.recorder.model_copy(update={"onvif_port": onvif_port})
        settings = self.live.settings.model_copy(update={"recorder": recorder})
        made = preflight_chore(ChoreTools(settings, store))
        return replace(made, limits=limits.model_copy(update={"check": check}), waits_s=0.01)

    def results(self, order_id: int) -> dict[str, CameraPreflight]:
        names = {uuid: name for name, uuid in self.live.uuids.items()}
        with self.footage.read() as connection:
            return {names[one.camera_uuid]: one for one in preflights(connection, order_id)}

    def report(self, order_id: int) -> Report:
        with self.footage.read() as connection:
            return report(connection, order_id)


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCameras]:
    plans = [
        CameraPlan(name="fine", resolution="1280x720", bitrate_kbps=1000, clock_offset_s=0.2),
        CameraPlan(name="away", resolution="640x368", bitrate_kbps=300, faults=(Fault.DROP,)),
    ]
    with running_cameras(plans, tmp_path_factory.mktemp("cameras"), loop_seconds=4) as running:
        yield running


@pytest.fixture
def site(cameras: RunningCameras, tmp_path: Path) -> Iterator[Site]:
    live = live_site(tmp_path, cameras)
    footage = WriterDatabase(live.settings.footage_db, "footage")
    yield Site(live, footage)
    footage.close()


def test_all_cameras_are_checked_and_one_that_is_away_fails(site: Site) -> None:
    order_id = site.order()
    chore = site.chore()
    chore(Event())
    results = site.results(order_id)
    assert {name: one.grade for name, one in results.items()} == {"fine": Grade.GOOD, "away": Grade.FAIL}
    assert results["away"].findings[0].code == Reach.NO_ANSWER
    assert results["fine"].source is Source.CONNECTION
    made = site.report(order_id)
    assert (made.state, made.done_units, made.total_units) == (WorkState.DONE, 2, 2)
    assert made.outcome == {"good": 1, "warn": 0, "fail": 1}
    chore(Event())
    assert len(site.results(order_id)) == 2, "a finished order is not carried out again"


@pytest.mark.parametrize("answers", [True, False])
def test_what_a_camera_says_of_its_clock_goes_before_what_its_pictures_say(site: Site, answers: bool) -> None:
    """Asked anew where it answers; else its latest word, if that is not old."""
    now_us = SystemClock().wall_us()
    found = ClockFound(
        site.live.uuids["fine"], -5 * SECOND_US, 1000, ClockOrigin.ONVIF, now_us - 5 * MINUTE_US
    )
    with site.footage.write() as connection:
        add_camera_clock(connection, found)
    order_id = site.order("fine")
    if answers:
        with camera_that_tells() as port:
            site.chore(onvif_port=port)(Event())
    else:
        site.chore(onvif_port=0)(Event())
    measured = site.results(order_id)["fine"].measured
    assert measured is not None
    assert measured.clock_source == "onvif"
    expected_us, age_us = (7_300_000, 0) if answers else (-5_000_000, 5 * MINUTE_US)
    assert abs((measured.clock_offset_us or 0) - expected_us) <= SECOND_US
    assert abs(measured.clock_age_us - age_us) < MINUTE_US


def test_an_old_word_about_a_clock_counts_no_more(site: Site) -> None:
    at_us = SystemClock().wall_us() - 31 * MINUTE_US
    found = ClockFound(site.live.uuids["fine"], -5 * SECOND_US, 1000, ClockOrigin.ONVIF, at_us)
    with site.footage.write() as connection:
        add_camera_clock(connection, found)
    order_id = site.order("fine")
    site.chore(onvif_port=0)(Event())
    measured = site.results(order_id)["fine"].measured
    assert measured is not None
    assert (measured.clock_source, measured.clock_age_us) == ("rtcp", 0)


def test_an_order_that_was_cut_short_is_taken_up_again_where_it_was(site: Site) -> None:
    order_id = site.order("away")
    is_over = Event()
    is_over.set()
    site.chore()(is_over)
    assert site.results(order_id) == {}
    assert site.report(order_id).state is WorkState.RUNNING
    site.chore()(Event())
    assert set(site.results(order_id)) == {"away"}
    assert site.report(order_id).state is WorkState.DONE


def test_before_the_console_has_made_its_database_there_is_nothing_to_do(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path)
    footage = WriterDatabase(settings.footage_db, "footage")
    preflight_chore(ChoreTools(settings, Store(footage, LocalDisk(), SystemClock())))(Event())
    footage.close()


def test_a_machine_that_cannot_start_the_check_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    order_id = site.order("fine")
    site.chore()(Event())
    assert site.results(order_id)["fine"].findings[0].code == Reach.NOT_CHECKED


def test_a_camera_that_is_being_recorded_is_not_asked_again(cameras: RunningCameras, tmp_path: Path) -> None:
    live = live_site(tmp_path, cameras, segment_seconds=4)
    with live.recording():
        wait_until(lambda: live.segments("fine"))
        before = cameras.control.viewers()["fine"]
        site = Site(live, None)  # type: ignore[arg-type]  # the service writes
        order_id = site.order("fine")

        def found() -> Report:
            with live._read() as connection:
                return report(connection, order_id)

        wait_until(lambda: found().is_final)
        assert cameras.control.viewers()["fine"] == before == 1
        with live._read() as connection:
            (result,) = preflights(connection, order_id)
    assert result.source is Source.RECORDING
    assert result.grade is Grade.GOOD
    assert result.picture_sha256 is not None


def test_a_recording_that_shows_nothing_yet_is_waited_for_and_then_the_camera_is_asked(site: Site) -> None:
    """The state says recording, but no file is there: after a while a connection of its own is made."""
    is_over = Event()
    state = CameraState(
        site.live.uuids["away"], Recording.RECORDING, 1, None, None, 0, SystemClock().wall_us()
    )
    with site.footage.write() as connection:
        write_states(connection, [state])
    growing = site.live.settings.footage_volumes[0] / "growing"
    growing.mkdir(parents=True)
    (growing / f"{state.camera_uuid}_strange.mp4").write_bytes(b"")
    chore = site.chore()
    order_id = site.order("away")
    chore(is_over)
    assert site.results(order_id)["away"].source is Source.CONNECTION


def test_a_state_that_nobody_refreshed_is_no_session() -> None:
    state = CameraState("c", Recording.RECORDING, 1, None, None, 0, 100 * SECOND_US)
    assert is_recording_now(state, 105 * SECOND_US)
    assert not is_recording_now(state, 111 * SECOND_US)
    assert not is_recording_now(None, 1)
